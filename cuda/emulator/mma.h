// The instructions of cuda/mma.cuh by their definition: the lanes of a warp exchange their values,
// and each computes its own part.
#pragma once
#include "cuda/emulator/cuda.h"
#include "engine/dtype.h"

namespace afina::emulated {

// A lane's inputs to mma.m16n8k16, and the result of each of the 32 lanes (cuda/mma.cuh draws the
// fragments).
struct MmaLane {
  unsigned a[4], b[2];
};
void mma_of_lane(float (&c)[4], const MmaLane (&all)[32], unsigned lane);
// A lane's registers from the 32 rows of 16 bytes that the lanes passed.
void matrices_of_lane(unsigned (&r)[4], const uint4 (&rows)[32], unsigned lane, bool transposed);

inline void mma(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, Line line = {}) {
  MmaLane mine{{a[0], a[1], a[2], a[3]}, {b0, b1}}, all[32];
  exchange_all(&mine, sizeof mine, 0xffffffffu, all, line);
  mma_of_lane(c, all, lane_index());
}
template <bool transposed>
void load_matrices(unsigned (&r)[4], const bf16* row, Line line = {}) {
  uint4 mine = *reinterpret_cast<const uint4*>(row), all[32];
  exchange_all(&mine, sizeof mine, 0xffffffffu, all, line);
  matrices_of_lane(r, all, lane_index(), transposed);
}

// A thread's pending asynchronous copies. Each is done as late as allowed, in the wait that
// requires it, so that a missing wait or barrier changes the result.
class CopiesUnderWay {
 public:
  void begin(void* to, uint4 value, unsigned bytes);
  void commit();
  // Returns the next copy that a wait for all but the latest `under_way` groups requires; false
  // when all of those are done.
  bool next(unsigned under_way, void*& to, uint4& value, unsigned& bytes);

 private:
  struct Copy {
    void* to;
    uint4 value;
    unsigned bytes, group;
  };
  static constexpr unsigned most = 128;
  Copy copies_[most];
  unsigned count_ = 0, groups_ = 0;
};
CopiesUnderWay& copies_under_way();  // of the running thread

// Reads and writes memory here, where the emulator watches the kernel's accesses.
inline void copy_async_16(void* to, const void* from, bool inside) {
  copies_under_way().begin(to, inside ? *static_cast<const uint4*>(from) : uint4{0, 0, 0, 0}, 16);
}
inline void copy_async_4(void* to, const void* from, bool inside) {
  copies_under_way().begin(to, {inside ? *static_cast<const unsigned*>(from) : 0u, 0, 0, 0}, 4);
}
inline void copy_async_commit() { copies_under_way().commit(); }
template <int under_way>
void copy_async_wait() {
  void* to;
  uint4 value;
  unsigned bytes;
  while (copies_under_way().next(under_way, to, value, bytes)) {
    if (bytes == 16) *static_cast<uint4*>(to) = value;
    else *static_cast<unsigned*>(to) = value.x;
  }
}

}  // namespace afina::emulated
