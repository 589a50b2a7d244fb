// Capture and replay: launches, copies and clears in their order. Allocation and release of tensors
// are replayed too, so that reads of unwritten or released memory are found in a replayed step as
// in the first.
#include "cuda/emulator/stream.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "cuda/emulator/memory.h"
#include "engine/error.h"

namespace afina::emulated {

namespace {

struct Work {
  std::vector<std::function<void()>> all;
  int64_t bytes = 0;  // of arguments
};
Work* capturing = nullptr;

void keep(std::function<void()> work) { capturing->all.push_back(std::move(work)); }

const char* unable() {
#if defined(AFINA_SYSTEM_MEMORY)
  return "tensors of this build come from the system, for the sanitizers, so that their addresses "
         "do not stay";
#else
  return nullptr;
#endif
}
void begin() {
  require(!capturing, "a step is being captured already");
  capturing = new Work;
}
void* end(int64_t* bytes) {
  *bytes = capturing->bytes;
  return std::exchange(capturing, nullptr);
}
void drop(void* graph) { delete static_cast<Work*>(graph); }
void replay(void* graph) {
  require(!capturing, "a graph cannot be replayed while another is captured");
  for (auto& one : static_cast<Work*>(graph)->all) one();
}

// Asynchronous copies: done when somebody waits for them, as late as a GPU could do them.
struct Sent {
  void* to;
  const void* from;
  size_t bytes;
};
std::vector<Sent> under_way;
std::map<const char*, size_t> pinned;

void* pin(size_t bytes) {
  char* data = static_cast<char*>(std::malloc(bytes));
  require(data != nullptr, "no memory of ", bytes, " bytes to copy from");
  pinned[data] = bytes;
  return data;
}
void unpin(void* data) {
  pinned.erase(static_cast<char*>(data));
  std::free(data);
}
void send(void* to, const void* from, size_t bytes) {
  auto* first = static_cast<const char*>(from);
  auto block = pinned.upper_bound(first);
  require(block != pinned.begin() &&
              first + bytes <= std::prev(block)->first + std::prev(block)->second,
          "a copy that nobody waits for must come from pinned memory");
  under_way.push_back({to, from, bytes});
}
void arrived() {
  for (const Sent& s : under_way) copy_memory(s.to, s.from, s.bytes);
  under_way.clear();
}

}  // namespace

void submit(const Launch& launch) {
  if (!capturing) return run(launch);
  std::vector<std::max_align_t> arguments(launch.size / sizeof(std::max_align_t) + 1);
  std::memcpy(arguments.data(), launch.arguments, launch.size);
  capturing->bytes += int64_t(launch.size);
  keep([launch, arguments = std::move(arguments)] {
    Launch again = launch;
    again.arguments = arguments.data();
    run(again);
  });
}

void* allocate(size_t bytes) {
  void* data = allocate_memory(bytes);
  if (capturing && in_step_memory(data)) keep([=] { note_memory(data, bytes, Byte::unwritten); });
  return data;
}
void release(void* data, size_t bytes) {
  if (capturing && in_step_memory(data)) keep([=] { note_memory(data, bytes, Byte::nobodys); });
  release_memory(data, bytes);
}
void copy(void* to, const void* from, size_t bytes) {
  if (!capturing) return copy_memory(to, from, bytes);
  require(is_device_memory(to) && is_device_memory(from), "a captured step copies ", bytes,
          is_device_memory(to) ? " bytes from" : " bytes to",
          " the host, which would not happen again when it is replayed");
  keep([=] { copy_memory(to, from, bytes); });
}
void zero(void* data, size_t bytes) {
  if (!capturing) return zero_memory(data, bytes);
  keep([=] { zero_memory(data, bytes); });
}

Graphs graph_functions() {
  return {unable,
          begin,
          end,
          [] { drop(std::exchange(capturing, nullptr)); },
          replay,
          drop,
          pin,
          unpin,
          send,
          arrived,
          step_memory_bytes,
          memory_growths};
}

}  // namespace afina::emulated
