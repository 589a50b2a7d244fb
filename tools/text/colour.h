// Whether what is printed may have colours.
#pragma once

namespace afina {

// Standard output is a terminal and NO_COLOR is not set.
bool stdout_has_colour();

}  // namespace afina
