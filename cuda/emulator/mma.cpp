// What a lane computes in an mma, what it receives from a matrix load, and every thread's
// asynchronous copies.
#include "cuda/emulator/mma.h"

#include <vector>

#include "cuda/emulator/runner.h"

namespace afina::emulated {

namespace {
float half_of(unsigned both, int second) {
  return to_float(bf16{uint16_t(second ? both >> 16 : both)});
}
}  // namespace

void mma_of_lane(float (&c)[4], const MmaLane (&all)[32], unsigned lane) {
  int g = int(lane) / 4, t = int(lane) % 4;
  for (int i = 0; i < 4; ++i)
    for (int k = 0; k < 16; ++k) {
      const MmaLane &of_a = all[g * 4 + k % 8 / 2], &of_b = all[(t * 2 + i % 2) * 4 + k % 8 / 2];
      c[i] = fmaf(half_of(of_a.a[i / 2 + k / 8 * 2], k % 2), half_of(of_b.b[k / 8], k % 2), c[i]);
    }
}

void matrices_of_lane(unsigned (&r)[4], const uint4 (&rows)[32], unsigned lane, bool transposed) {
  int g = int(lane) / 4, t = int(lane) % 4;
  auto at = [&](int matrix, int row, int column) {
    uint16_t bits;
    memcpy(&bits, reinterpret_cast<const char*>(rows + matrix * 8 + row) + column * 2, 2);
    return unsigned(bits);
  };
  for (int i = 0; i < 4; ++i)
    r[i] = transposed ? at(i, 2 * t, g) | at(i, 2 * t + 1, g) << 16
                      : at(i, g, 2 * t) | at(i, g, 2 * t + 1) << 16;
}

void CopiesUnderWay::begin(void* to, uint4 value, unsigned bytes) {
  if (count_ == most)
    Runner::running()->wrong("has more asynchronous copies under way than the emulator holds, " +
                             std::to_string(most));
  if (reinterpret_cast<size_t>(to) % bytes)
    Runner::running()->wrong("starts an asynchronous copy of " + std::to_string(bytes) +
                             " bytes to an address that is no multiple of it");
  copies_[count_++] = {to, value, bytes, groups_};
}
void CopiesUnderWay::commit() { ++groups_; }
bool CopiesUnderWay::next(unsigned under_way, void*& to, uint4& value, unsigned& bytes) {
  if (!count_ || copies_[0].group + under_way >= groups_) return false;
  to = copies_[0].to;
  value = copies_[0].value;
  bytes = copies_[0].bytes;
  for (unsigned i = 1; i < count_; ++i) copies_[i - 1] = copies_[i];
  --count_;
  return true;
}
CopiesUnderWay& copies_under_way() {
  static thread_local std::vector<CopiesUnderWay> all(1024);
  return all[threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)];
}

}  // namespace afina::emulated
