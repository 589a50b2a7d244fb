// A kernel slot: one named function that each device fills in, with one or more named variants.
#pragma once
#include "engine/isa.h"
#include "engine/meter.h"
#include "engine/shapes.h"

namespace afina {

// What slots share, whatever their function's signature.
class KernelSlot {
 public:
  const char* name() const { return name_; }
  // On Device::shapes those run that run on the device it stands for, so that the same operations
  // are recorded.
  bool runs_on(Device device) const { return best(meant(device), all_fit).run != nullptr; }
  // The name of the variant that would run now, on arguments that every variant takes.
  const char* chosen(Device device) const { return best(meant(device), all_fit).name; }
  // visit(name, rank, whether it takes only some arguments)
  template <class Visit>
  void each(Device device, Visit visit) const {
    for (auto& v : variants_[int(device)])
      if (v.run) visit(v.name, v.rank, v.fits != nullptr);
  }
  // Prefers a variant by name wherever it takes the arguments; nullptr: the best again. False when
  // there is none of that name. Not for the CPU, whose variants go by set_isa.
  bool prefer(Device device, const char* variant);
  static KernelSlot* find(const char* name);  // nullptr when no slot is called so
  // The slots that have a kernel anywhere, linked as they registered: all() first, then next()
  // until nullptr.
  static const KernelSlot* all() { return first_; }
  const KernelSlot* next() const { return next_; }

 protected:
  struct Variant {
    const char* name = nullptr;
    int rank = 0;
    void (*run)() = nullptr;  // of the slot's own signature
    void (*fits)() =
        nullptr;  // bool of the slot's own arguments: does it take them? none: it takes all
  };
  constexpr explicit KernelSlot(const char* name) : name_(name) {}
  // Always inlined, as it is called from files compiled for one instruction set (see
  // engine/cpu/register.h). False when the slot is full.
  [[gnu::always_inline]] inline bool keep(Device device, const Variant& variant) {
    if (!listed_) {
      listed_ = true;
      next_ = first_;
      first_ = this;
    }
    for (int i = 0; i < slots; ++i) {
      Variant& free = variants_[int(device)][i];
      if (free.run) continue;
      free.name = variant.name;
      free.rank = variant.rank;
      free.run = variant.run;
      free.fits = variant.fits;
      return true;
    }
    return false;
  }
  static Device meant(Device device) { return device == Device::shapes ? stood_for() : device; }
  // The variant that was asked for, or else the one of the highest rank, among those that can run
  // here and whose arguments fit.
  template <class Fits>
  const Variant& best(Device device, Fits fits) const {
    static constexpr Variant none{};
    const Variant *found = &none, *preferred = preferred_[int(device)];
    if (preferred && fits(*preferred)) return *preferred;
    int limit = device == Device::cpu ? int(isa()) : 1 << 20;
    for (auto& v : variants_[int(device)])
      if (v.run && v.rank <= limit && (!found->run || v.rank > found->rank) && fits(v)) found = &v;
    return *found;
  }
  static bool all_fit(const Variant&) { return true; }

 private:
  static constexpr int slots = 8;
  static KernelSlot* first_;  // engine/kernel.cpp
  const char* name_;
  bool listed_ = false;
  KernelSlot* next_ = nullptr;
  Variant variants_[device_count][slots]{};
  const Variant* preferred_[device_count]{};
};

template <class Signature>
class Kernel;

template <class... Args>
class Kernel<void(Args...)> : public KernelSlot {
 public:
  using Function = void (*)(Args...);
  using Fits = bool (*)(
      std::conditional_t<std::is_reference_v<Args>, const std::remove_reference_t<Args>&, Args>...);
  constexpr explicit Kernel(const char* name) : KernelSlot(name) {}

  // Called by REGISTER_KERNEL while the program starts. On the CPU the rank is the instruction set
  // (engine/isa.h). fits: the arguments that the variant takes, when it does not take all; lower
  // ranks run where it does not.
  [[gnu::always_inline]] inline bool add(Device device, const char* variant, int rank, Function run,
                                         Fits fits = nullptr) {
    return keep(device, {variant, rank, reinterpret_cast<void (*)()>(run),
                         reinterpret_cast<void (*)()>(fits)});
  }

  // Runs the best variant on the device of the first argument. On Device::shapes the call is only
  // counted; a variant there says what the kernel would hold.
  void operator()(Args... args) const {
    auto takes = [&](const Variant& v) {
      return !v.fits || reinterpret_cast<Fits>(v.fits)(args...);
    };
    auto run = reinterpret_cast<Function>(best(device_of(args...), takes).run);
    if (device_of(args...) == Device::shapes) {
      count_call(*this, {tensor(args)...});
      return run ? run(args...) : void();
    }
    require(run != nullptr, "no kernel '", name(), "' for ", afina::name(device_of(args...)));
    if (!profiling()) return run(args...);
    double start = seconds_now();
    run(args...);
    profile_add(name(), seconds_now() - start);
  }

 private:
  template <class... Rest>
  static Device device_of(const Tensor& first, const Rest&...) {
    return first.device();
  }
  static const Tensor* tensor(const Tensor& argument) { return &argument; }
  template <class Other>
  static const Tensor* tensor(const Other&) {
    return nullptr;
  }
};

}  // namespace afina

#define REGISTER_KERNEL(slot, device, variant, rank, run)            \
  [[maybe_unused]] static const bool registered_##slot##_##variant = \
      ::afina::kernel::slot.add(device, #variant, rank, run)
