// Ctrl-C while training: the step is finished, a checkpoint written, and the run can be resumed.
#pragma once
#include "engine/error.h"

namespace afina {

struct Interrupted : Error {
  using Error::Error;
};
// While alive, SIGINT and SIGTERM set a flag instead of ending the program; a second one,
// half a second later or more, ends it.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
};
bool interrupted();

}  // namespace afina
