// Unicode normalization form C, with every byte traced to the input.
#pragma once
#include "data/tokenizer/traced_text.h"

namespace afina {

TracedText nfc(const TracedText& text, TextStore& store);

}  // namespace afina
