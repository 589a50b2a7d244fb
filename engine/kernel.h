// A kernel slot: a named function for which each device registers one or more named variants.
#pragma once
#include "engine/isa.h"
#include "engine/meter.h"
#include "engine/shapes.h"
#include "engine/watch.h"

namespace afina {

// The part of a slot that does not depend on the signature of its function.
class KernelSlot {
 public:
  const char* name() const { return name_; }
  // Has the device a kernel for this slot? On Device::shapes: has the device that it stands for, so
  // that the same operations are recorded.
  bool runs_on(Device device) const { return best(meant(device), all_fit).run != nullptr; }
  // The name of the variant that would run now, for arguments that every variant accepts.
  const char* chosen(Device device) const { return best(meant(device), all_fit).name; }
  // Calls visit(name, rank, does the variant accept only some arguments?) for each variant.
  template <class Visit>
  void each(Device device, Visit visit) const {
    for (auto& v : variants_[int(device)])
      if (v.run) visit(v.name, v.rank, v.fits != nullptr);
  }
  // Prefers a variant by name wherever it accepts the arguments; nullptr: back to the highest rank.
  // Returns false if there is none of that name. Not for the CPU, whose variants follow set_isa().
  bool prefer(Device device, const char* variant);
  static KernelSlot* find(const char* name);  // nullptr if there is no such slot
  // The slots that have any kernel, as a list in order of registration: all(), then next() until
  // nullptr.
  static const KernelSlot* all() { return first_; }
  const KernelSlot* next() const { return next_; }

 protected:
  struct Variant {
    const char* name = nullptr;
    int rank = 0;
    void (*run)() = nullptr;   // has the slot's signature
    void (*fits)() = nullptr;  // a bool function of the slot's arguments: does the variant accept
                               // them? Null: it accepts all.
  };
  constexpr explicit KernelSlot(const char* name) : name_(name) {}
  // Returns false when the slot is full.
  AFINA_INLINE bool keep(Device device, const Variant& variant) {
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
  // The preferred variant or else the one of the highest rank, among those that this machine can
  // run and that accept the arguments.
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

// Runs a kernel that is profiled or watched.
void observed_call(const KernelSlot& slot, std::span<const KernelArgument> arguments,
                   const std::function<void()>& run);

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
  // (engine/isa.h). fits: which arguments the variant accepts, unless it accepts all; variants of
  // lower rank run for the others.
  AFINA_INLINE bool add(Device device, const char* variant, int rank, Function run,
                        Fits fits = nullptr) {
    return keep(device, {variant, rank, reinterpret_cast<void (*)()>(run),
                         reinterpret_cast<void (*)()>(fits)});
  }

  // Runs the best variant for the device of the first argument; throws an Error if there is none.
  // On Device::shapes the call is only counted; a variant registered there allocates what the
  // kernel would allocate.
  void operator()(Args... args) const {
    auto takes = [&](const Variant& v) {
      return !v.fits || reinterpret_cast<Fits>(v.fits)(args...);
    };
    auto run = reinterpret_cast<Function>(best(device_of(args...), takes).run);
    if (device_of(args...) == Device::shapes) {
      count_call(*this, {tensor(args)...});
      return run ? run(args...) : void();
    }
    require(run != nullptr, "no kernel '", name(), "' for device ",
            afina::name(device_of(args...)));
    if (!profiling() && !Watcher::current()) return run(args...);
    const KernelArgument seen[] = {{tensor(args), std::is_same_v<Args, Tensor&>}...};
    observed_call(*this, seen, [&] { run(args...); });
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
