// The number that an answer comes to.
#pragma once
#include <string>
#include <string_view>

namespace afina {

// The number behind the last "####" of the text, as in GSM8K (Cobbe et al., 2021, "Training
// Verifiers to Solve Math Word Problems"), else the last number in it; empty where there is none.
// Commas between groups of three digits are left out, and so are zeros that say nothing, so that
// equal numbers are equal texts: "1,234.50" gives "1234.5", "-0" gives "0". A minus counts where
// nothing that could be subtracted from stands before it: "5-3" ends in 3, "= -3" in -3.
std::string numeric_answer(std::string_view text);
// Does the text have a line with "####" and a number?
bool has_marked_number(std::string_view text);

}  // namespace afina
