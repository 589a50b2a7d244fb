// Unicode normalization form C; every output byte is traced to its input bytes.
#pragma once
#include "data/tokenizer/traced_text.h"

namespace afina {

TracedText nfc(const TracedText& text, TextStore& store);

}  // namespace afina
