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

}  // namespace afina
