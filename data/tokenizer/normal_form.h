// Unicode's normal forms (UAX #15); every output byte is traced to its input bytes.
#pragma once
#include "data/tokenizer/traced_text.h"

namespace afina {

// Composed or decomposed, canonical or compatible (NFC, NFD, NFKC, NFKD).
enum class NormalForm { c, d, kc, kd };

// Returns the text itself if it is already in this form; otherwise its bytes are owned by `store`.
// The tables are those of the tokenizers library, which knows no character of Unicode 10 or later.
TracedText normal_form(const TracedText& text, NormalForm form, TextStore& store);

}  // namespace afina
