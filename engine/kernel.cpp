// The list of kernel slots.
#include "engine/kernel.h"

#include <cstring>

namespace afina {

constinit KernelSlot* KernelSlot::first_ = nullptr;

KernelSlot* KernelSlot::find(const char* name) {
  KernelSlot* slot = first_;
  while (slot && std::strcmp(slot->name(), name)) slot = slot->next_;
  return slot;
}

bool KernelSlot::prefer(Device device, const char* variant) {
  const Variant* found = nullptr;
  for (auto& v : variants_[int(device)])
    if (variant && v.run && !std::strcmp(v.name, variant)) found = &v;
  if (device == Device::cpu || (variant && !found)) return false;
  preferred_[int(device)] = found;
  return true;
}

void observed_call(const KernelSlot& slot, std::span<const KernelArgument> arguments,
                   const std::function<void()>& run) {
  Watcher* watcher = Watcher::current();
  if (watcher) watcher->kernel_begins(slot, arguments);
  const double start = seconds_now();
  run();
  if (profiling()) profile_add(slot.name(), seconds_now() - start);
  if (watcher) watcher->kernel_ended(slot, arguments);
}

}  // namespace afina
