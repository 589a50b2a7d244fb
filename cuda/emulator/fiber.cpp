// Switches between fibers: a dozen instructions on known processors, ucontext elsewhere.
#include "cuda/emulator/fiber.h"

#include <sys/mman.h>

#include "engine/error.h"
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// Saves the registers that a called function must preserve and the stack pointer, then continues on
// another stack.
#if defined(__x86_64__)
extern "C" void afina_switch_stack(void** saved, void* to);
asm(R"(
.text
.globl afina_switch_stack
.type afina_switch_stack,@function
afina_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size afina_switch_stack,.-afina_switch_stack
.globl afina_first_switch
.type afina_first_switch,@function
afina_first_switch:
  movq %r12, %rdi
  callq *%r13
.size afina_first_switch,.-afina_first_switch
)");
extern "C" void afina_first_switch();
#endif

namespace afina::emulated {

constexpr size_t guard =
    4096;  // a guard page: a stack overflow crashes here instead of corrupting another fiber

Fiber::Fiber(size_t bytes) : bytes_(bytes), own_(true) {
  void* p = mmap(nullptr, bytes + guard, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(p != MAP_FAILED, "no memory for the threads of the emulated GPU: ", bytes, " bytes each");
  mprotect(p, guard, PROT_NONE);
  stack_ = static_cast<char*>(p) + guard;
}

Fiber::~Fiber() {
#if defined(__SANITIZE_ADDRESS__)
  if (own_)
    // The fiber may be abandoned in the middle of its work.
    __asan_unpoison_memory_region(stack_, bytes_);
#endif
  if (own_) munmap(stack_ - guard, bytes_ + guard);
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(saved_);
#endif
}

void Fiber::begin(Fiber* self) {
  arrived(self);
  self->function_(self->context_);
  __builtin_trap();
}

void Fiber::arrived([[maybe_unused]] Fiber* self) {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom;
  size_t size;
  __sanitizer_finish_switch_fiber(self->fake_stack_, &bottom, &size);
  Fiber* from = self->from_;
  if (from && !from->stack_) {
    from->stack_ = static_cast<char*>(const_cast<void*>(bottom));
    from->bytes_ = size;
  }
#endif
}

void Fiber::start(Function function, void* context) {
  function_ = function;
  context_ = context;
  fake_stack_ = nullptr;
#if defined(__x86_64__)
  // Stacks are evenly spaced: if their tops were aligned alike too, all would compete for a few
  // cache lines.
  size_t colour = (reinterpret_cast<size_t>(stack_) / (bytes_ + guard)) % 32 * 128;
  void** top = reinterpret_cast<void**>(stack_ + bytes_ - colour) - 2;
  *--top = reinterpret_cast<void*>(&afina_first_switch);
  for (void* saved : {(void*)nullptr, (void*)nullptr, (void*)this,
                      reinterpret_cast<void*>(&Fiber::begin), (void*)nullptr, (void*)nullptr})
    *--top = saved;  // rbp, rbx, r12, r13, r14, r15
  saved_ = top;
#else
  if (!saved_) saved_ = new ucontext_t;
  auto* c = static_cast<ucontext_t*>(saved_);
  getcontext(c);
  c->uc_stack.ss_sp = stack_;
  c->uc_stack.ss_size = bytes_;
  c->uc_link = nullptr;
  auto enter = +[](unsigned high, unsigned low) {
    begin(reinterpret_cast<Fiber*>((size_t(high) << 32) | low));
  };
  makecontext(c, reinterpret_cast<void (*)()>(enter), 2, unsigned(size_t(this) >> 32),
              unsigned(size_t(this)));
#endif
}

void Fiber::switch_to(Fiber& to) {
  to.from_ = this;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_stack_, to.stack_, to.bytes_);
#endif
#if defined(__x86_64__)
  afina_switch_stack(&saved_, to.saved_);
#else
  if (!saved_) saved_ = new ucontext_t;
  swapcontext(static_cast<ucontext_t*>(saved_), static_cast<ucontext_t*>(to.saved_));
#endif
  arrived(this);
}

}  // namespace afina::emulated
