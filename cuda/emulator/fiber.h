// Fibers: functions that yield to each other on one system thread. The emulator runs CUDA threads
// on them.
#pragma once
#include <cstddef>

namespace afina::emulated {

// A stack, and the point where it was left. A fiber constructed without a function represents the
// system thread itself.
class Fiber {
 public:
  using Function = void (*)(void* context);
  Fiber() = default;
  explicit Fiber(size_t stack_bytes);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  // The first switch to this fiber calls function(context), which must never return. Discards
  // whatever the fiber was doing before.
  void start(Function function, void* context);
  // Leaves this fiber, which must be the running one, and continues in `to`.
  void switch_to(Fiber& to);
  const char* stack() const { return stack_; }
  size_t stack_bytes() const { return bytes_; }

 private:
  [[noreturn]] static void begin(Fiber* self);
  static void arrived(Fiber* self);
  void* saved_ = nullptr;  // the stack pointer (or a ucontext_t); the rest is on the stack
  char* stack_ = nullptr;
  size_t bytes_ = 0;
  bool own_ = false;  // whether we must free the stack
  Function function_ = nullptr;
  void* context_ = nullptr;
  Fiber* from_ = nullptr;       // the fiber that switched here last
  void* fake_stack_ = nullptr;  // AddressSanitizer's, while this fiber waits
};

}  // namespace afina::emulated
