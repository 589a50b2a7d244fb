// operator new and delete of the quick fuzzing program, counting as heap.cpp does, with lists of
// small blocks: malloc would take a third of every run. What is given back is overwritten, so that
// a use after that shows.
#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "test/fuzz/fuzz.h"

namespace {

constexpr size_t step = 32, lists = 64;

struct alignas(16) Head {
  size_t bytes;  // with this head
  Head* next;
};
struct State {
  afina::HeapUse use;
  Head* free[lists + 1] = {};
};
constinit thread_local State state;

void* give(Head* head, size_t bytes) {
  head->bytes = bytes;
  state.use.now += int64_t(bytes);
  if (state.use.now > state.use.peak) state.use.peak = state.use.now;
  return head + 1;
}
// Out of line, so that the compiler does not take the head's place for one outside of what new
// returned.
[[gnu::noinline]] void take_back(void* data) {
  if (!data) return;
  Head* head = static_cast<Head*>(data) - 1;
  state.use.now -= int64_t(head->bytes);
  size_t list = head->bytes / step;
  if (list > lists) return std::free(head);
  std::memset(data, 0xDD, head->bytes - sizeof(Head) < 64 ? head->bytes - sizeof(Head) : 64);
  head->next = state.free[list];
  state.free[list] = head;
}

}  // namespace

afina::HeapUse& afina::heap_use() { return state.use; }
int64_t afina::heap_held() {
  int64_t idle = 0;
  for (Head* head : state.free)
    for (; head; head = head->next) idle += int64_t(malloc_usable_size(head)) + 16;
  struct mallinfo2 info = mallinfo2();
  return int64_t(info.uordblks + info.hblkhd) - idle;
}

void* operator new(size_t bytes) {
  size_t list = (bytes + sizeof(Head) + step - 1) / step;
  if (list <= lists)
    if (Head* head = state.free[list]) {
      state.free[list] = head->next;
      return give(head, list * step);
    }
  size_t whole = list <= lists ? list * step : bytes + sizeof(Head);
  void* data = whole < bytes ? nullptr : std::malloc(whole);
  if (!data) throw std::bad_alloc();
  return give(static_cast<Head*>(data), whole);
}
void operator delete(void* data) noexcept { take_back(data); }
void operator delete(void* data, size_t) noexcept { take_back(data); }
// What asks for more alignment is rare and left to malloc.
void* operator new(size_t bytes, std::align_val_t align) {
  void* data = std::aligned_alloc(
      size_t(align), ((bytes ? bytes : 1) + size_t(align) - 1) / size_t(align) * size_t(align));
  if (!data) throw std::bad_alloc();
  state.use.now += int64_t(malloc_usable_size(data));
  if (state.use.now > state.use.peak) state.use.peak = state.use.now;
  return data;
}
void operator delete(void* data, std::align_val_t) noexcept {
  state.use.now -= int64_t(malloc_usable_size(data));
  std::free(data);
}
void operator delete(void* data, size_t, std::align_val_t align) noexcept {
  operator delete(data, align);
}
