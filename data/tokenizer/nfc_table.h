// The tables of Unicode that normalization form C needs, in order of code points.
#pragma once
#include <cstddef>
#include <cstdint>

namespace afina {

// `code` is `first` and `second` together (second 0: another name for first). Not all that come
// apart are put together again.
struct Decomposition {
  uint32_t code, first, second;
  bool composes;
};
// The characters from first to last have this canonical combining class; the others have 0.
struct CombiningClass {
  uint32_t first, last;
  uint8_t value;
};
extern const Decomposition decompositions[];
extern const CombiningClass combining_classes[];
extern const size_t decomposition_count, combining_class_count;

}  // namespace afina
