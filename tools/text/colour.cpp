// Colours of the terminal.
#include "tools/text/colour.h"

#include <unistd.h>

#include <cstdlib>

namespace afina {

bool stdout_has_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

}  // namespace afina
