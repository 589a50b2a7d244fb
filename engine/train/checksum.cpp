// The checksum of a frozen matrix in blocks.
#include <algorithm>

#include "engine/blocks.h"
#include "engine/train/trainer.h"

namespace afina {

uint64_t checksum_of_blocks(const Tensor& matrix) {
  PurposeScope purpose(Purpose::workspace);
  uint64_t all = 0;
  for (int64_t row = 0, some = rows_at_a_time(matrix); row < matrix.rows(); row += some)
    all = (all ^ checksum(rows_of(matrix, row, std::min(some, matrix.rows() - row)))) *
          0x9E3779B97F4A7C15ull;
  return all;
}

}  // namespace afina
