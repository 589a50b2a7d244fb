// A kernel slot: one named function that each device fills in, with one or more named variants.
#pragma once
#include "engine/isa.h"
#include "engine/meter.h"
#include "engine/tensor.h"

namespace afina {

template <class Signature> class Kernel;

template <class... Args>
class Kernel<void(Args...)> {
 public:
  using Function = void (*)(Args...);
  constexpr explicit Kernel(const char* name) : name_(name) {}

  // Called by REGISTER_KERNEL while the program starts. On the CPU the rank is the instruction set (engine/isa.h).
  // Always inlined, as it is called from files compiled for one instruction set (see engine/cpu/register.h). False when the slot is full.
  [[gnu::always_inline]] inline bool add(Device device, const char* variant, int rank, Function run) {
    for (int i = 0; i < slots; ++i) {
      Variant& free = variants_[int(device)][i];
      if (free.run) continue;
      free.name = variant, free.rank = rank, free.run = run;
      return true;
    }
    return false;
  }
  bool runs_on(Device device) const { return best(device).run != nullptr; }
  const char* name() const { return name_; }
  // The name of the variant that would run now.
  const char* chosen(Device device) const { return best(device).name; }

  // Runs the best variant on the device of the first argument.
  void operator()(Args... args) const {
    const Variant& variant = best(device_of(args...));
    require(variant.run != nullptr, "no kernel '", name_, "' for ", afina::name(device_of(args...)));
    if (!profiling()) return variant.run(args...);
    double start = seconds_now();
    variant.run(args...);
    profile_add(name_, seconds_now() - start);
  }
  template <class Visit>
  void each(Device device, Visit visit) const {
    for (auto& v : variants_[int(device)])
      if (v.run) visit(v.name);
  }

 private:
  struct Variant {
    const char* name = nullptr;
    int rank = 0;
    Function run = nullptr;
  };
  const Variant& best(Device device) const {
    static constexpr Variant none{};
    const Variant* found = &none;
    int limit = device == Device::cpu ? int(isa()) : 1 << 20;
    for (auto& v : variants_[int(device)])
      if (v.run && v.rank <= limit && (!found->run || v.rank > found->rank)) found = &v;
    return *found;
  }
  template <class... Rest>
  static Device device_of(const Tensor& first, const Rest&...) {
    return first.device();
  }

  const char* name_;
  static constexpr int slots = 6;
  Variant variants_[device_count][slots]{};
};

}  // namespace afina

#define REGISTER_KERNEL(slot, device, variant, rank, run) \
  [[maybe_unused]] static const bool registered_##slot##_##variant = ::afina::kernel::slot.add(device, #variant, rank, run)
