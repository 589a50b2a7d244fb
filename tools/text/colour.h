// What is known of where standard output goes.
#pragma once

namespace afina {

// Standard output is a terminal and NO_COLOR is not set.
bool stdout_has_colour();
// Columns of the terminal, at most 120, as longer lines are hard to read; `otherwise` where it is
// none.
int stdout_columns(int otherwise = 80);

}  // namespace afina
