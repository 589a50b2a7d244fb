// The shared memory of the running block: which thread accessed what, and when.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace afina::emulated {

// Time is counted in block barriers; within a warp, its exchanges order accesses too. There is a
// note for every four bytes, and one for each two of them where halves were accessed separately.
class SharedMemory {
 public:
  enum class Judgement : uint8_t { elsewhere, fine, unwritten, race };

  SharedMemory();
  ~SharedMemory() { std::free(dynamic_); }
  SharedMemory(const SharedMemory&) = delete;
  void begin_block(size_t dynamic_bytes);
  void block_barrier();
  void warp_synchronised(unsigned warp) { ++of_warp_[warp]; }
  unsigned char* dynamic() { return dynamic_; }

  // A thread's identity in the notes: its number, and how many exchanges its warp has done since
  // the last barrier.
  uint32_t who(unsigned thread) const { return thread | of_warp_[thread / 32] << code_bits; }
  // Judges and notes an access. It is a race if another thread wrote there (or, for a write, read
  // there) without a barrier in between. `other` is then that thread, or a greater number if there
  // were several.
  Judgement access(uint32_t who, const void* at, size_t bytes, bool write, unsigned& other);
  // Whether this address could be dynamic shared memory but lies beyond the requested size.
  bool beyond_dynamic(const void* at) const {
    return size_t(static_cast<const unsigned char*>(at) - dynamic_) < most_dynamic + 4096;
  }

 private:
  struct Touch {
    uint32_t time = 0;  // number of the preceding barrier
    // The thread, or several_in_warp + the warp, or several_threads.
    uint32_t who = 0;
  };
  struct Note {
    Touch write, read;
  };
  struct Area {  // memory and its notes: of each word, or of its first half, and of its second half
                 // where `split` is set
    const char* begin = nullptr;
    size_t bytes = 0;
    std::vector<Note> words, second_halves;
    std::vector<uint8_t> split;
    void take_notes_of(size_t bytes);
    bool holds(const void* at, size_t size) const {
      return size_t(static_cast<const char*>(at) - begin) + size <= bytes;
    }
  };
  static constexpr unsigned code_bits = 11, code_mask = (1u << code_bits) - 1;
  static constexpr uint32_t several_in_warp = 1024, several_threads = several_in_warp + 32;
  static constexpr size_t most_dynamic = size_t(227) << 10;  // of sm_90

  bool ordered(const Touch& before, uint32_t who) const;
  Judgement touch(Note& note, uint32_t who, bool write, unsigned& other) const;
  Judgement touch_part(Area& area, size_t at, size_t end, uint32_t who, bool write,
                       unsigned& other);

  Area static_, dynamic_area_;  // static: the program's thread-local memory, which contains the
                                // __shared__ variables
  unsigned char* dynamic_ = nullptr;
  uint32_t now_ = 1, begun_ = 1;
  uint32_t of_warp_[32] = {};
};

inline bool SharedMemory::ordered(const Touch& before, uint32_t who) const {
  uint32_t code = before.who & code_mask, thread = who & code_mask;
  if (before.time != now_ || code == thread) return true;
  if (code == several_threads) return false;
  uint32_t warp = code >= several_in_warp ? code - several_in_warp : code / 32;
  return warp == thread / 32 && before.who >> code_bits < who >> code_bits;
}

inline SharedMemory::Judgement SharedMemory::touch(Note& note, uint32_t who, bool write,
                                                   unsigned& other) const {
  if (!ordered(note.write, who)) {
    other = note.write.who & code_mask;
    return Judgement::race;
  }
  if (write) {
    if (!ordered(note.read, who)) {
      other = note.read.who & code_mask;
      return Judgement::race;
    }
    note.write = {now_, who};
    return Judgement::fine;
  }
  if (note.write.time < begun_) return Judgement::unwritten;
  uint32_t last = note.read.who & code_mask, thread = who & code_mask;
  if (note.read.time != now_ || last == thread) {
    note.read = {now_, who};
  } else if (last != several_threads) {
    bool same_warp = (last >= several_in_warp ? last - several_in_warp : last / 32) == thread / 32;
    note.read.who =
        same_warp ? (who & ~code_mask) | (several_in_warp + thread / 32) : several_threads;
  }
  return Judgement::fine;
}

inline SharedMemory::Judgement SharedMemory::access(uint32_t who, const void* at, size_t bytes,
                                                    bool write, unsigned& other) {
  Area& area = static_.holds(at, bytes) ? static_ : dynamic_area_;
  if (!area.holds(at, bytes)) return Judgement::elsewhere;
  size_t begin = size_t(static_cast<const char*>(at) - area.begin), end = begin + bytes;
  for (size_t i = begin; i < end;) {
    size_t next = i / 4 * 4 + 4;
    Judgement judged = i % 4 == 0 && next <= end && !area.split[i / 4]
                           ? touch(area.words[i / 4], who, write, other)
                           : touch_part(area, i, next < end ? next : end, who, write, other);
    if (judged != Judgement::fine) return judged;
    i = next;
  }
  return Judgement::fine;
}

}  // namespace afina::emulated
