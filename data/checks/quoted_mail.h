// Where a mail that is quoted within a text begins.
#pragma once
#include <cstdint>
#include <string_view>

namespace afina {

// The byte at which another mail is quoted; the text's size where none is.
uint32_t quoted_from(std::string_view text);
// The byte at which stands what a mail program puts below a text; the text's size where nothing is.
uint32_t footer_from(std::string_view text);

}  // namespace afina
