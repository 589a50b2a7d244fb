// The terminal behind standard output.
#include "tools/text/colour.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include <cstdlib>

namespace afina {

bool stdout_has_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

int stdout_columns(int otherwise) {
  winsize size{};
  const bool known = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 0 ? std::clamp(int(size.ws_col), 40, 120) : otherwise;
}

}  // namespace afina
