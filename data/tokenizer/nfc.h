// Unicode normalization form C; every output byte is traced to its input bytes.
#pragma once
#include "data/tokenizer/traced_text.h"

namespace afina {

// Returns the text itself if it is already in normal form; otherwise its bytes are owned by
// `store`.
TracedText nfc(const TracedText& text, TextStore& store);

}  // namespace afina
