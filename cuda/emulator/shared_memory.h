// The shared memory of the block that runs, and who touched what of it since when.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace afina::emulated {

// Time is counted in block barriers; within a warp, its own exchanges order accesses too. Notes are kept for every two bytes.
class SharedMemory {
 public:
  enum class Judgement : uint8_t { elsewhere, fine, unwritten, race };

  SharedMemory();
  void begin_block(size_t dynamic_bytes);
  void block_barrier() { ++now_; }
  void warp_synchronised(unsigned warp) { ++of_warp_[warp]; }
  unsigned char* dynamic() { return dynamic_; }

  // Judges and notes an access by a thread of the block. A race: another thread wrote there (or, for a write, read there), and no barrier
  // lies between. `other` is then that thread, or several_threads.
  Judgement access(unsigned thread, const void* at, size_t bytes, bool write, unsigned& other);
  // Is this in what kernels may declare __shared__, but not in the dynamic part that was asked for?
  bool beyond_dynamic(const void* at) const;
  static constexpr unsigned several_threads = ~0u;

 private:
  struct Touch {
    uint64_t time = 0;    // of the last barrier before
    uint32_t sync = 0;    // of the last exchange of the thread's warp before
    uint32_t thread = 0;  // or several_in_warp + the warp, or several_threads
  };
  struct Note {
    Touch write, read;
  };
  static constexpr uint32_t several_in_warp = 1u << 16;
  bool ordered(const Touch& before, unsigned thread) const;
  void note_read(Note& note, unsigned thread) const;
  static constexpr size_t most_dynamic = size_t(227) << 10;  // of sm_90

  const char *static_ = nullptr, *static_end_ = nullptr;  // the thread-local memory of the program: where __shared__ variables lie
  unsigned char* dynamic_ = nullptr;
  size_t dynamic_bytes_ = 0;
  uint64_t now_ = 1, begun_ = 1;
  uint32_t of_warp_[32] = {};
  std::vector<Note> static_notes_, dynamic_notes_;
};

}  // namespace afina::emulated
