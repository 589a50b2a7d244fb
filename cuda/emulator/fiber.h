// Fibers: functions that give each other turns on one thread of the system. What a CUDA thread is
// in the emulator.
#pragma once
#include <cstddef>

namespace afina::emulated {

// Room to run in, and where it was left. A fiber made without a function stands for the system's
// own thread.
class Fiber {
 public:
  using Function = void (*)(void* context);
  Fiber() = default;
  explicit Fiber(size_t stack_bytes);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  // The first switch to this fiber calls function(context), which never returns. Whatever it was
  // doing before is forgotten.
  void start(Function function, void* context);
  // Leaves this fiber, which must be the running one, and goes on in `to`.
  void switch_to(Fiber& to);
  const char* stack() const { return stack_; }
  size_t stack_bytes() const { return bytes_; }

 private:
  [[noreturn]] static void begin(Fiber* self);
  static void arrived(Fiber* self);
  void* saved_ = nullptr;  // the stack pointer (or a ucontext_t): the rest is on the stack
  char* stack_ = nullptr;
  size_t bytes_ = 0;
  bool own_ = false;  // is the stack ours to give back?
  Function function_ = nullptr;
  void* context_ = nullptr;
  Fiber* from_ = nullptr;       // who switched here last
  void* fake_stack_ = nullptr;  // AddressSanitizer's, while this fiber waits
};

}  // namespace afina::emulated
