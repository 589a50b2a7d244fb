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

// Ctrl-C while a model answers. While alive, SIGINT is noted and does nothing else.
class AnswerInterrupts {
 public:
  AnswerInterrupts();
  ~AnswerInterrupts();
  AnswerInterrupts(const AnswerInterrupts&) = delete;
  AnswerInterrupts& operator=(const AnswerInterrupts&) = delete;
  // Forgets what was noted, before an answer begins.
  static void forget();
  static bool noted();
};

}  // namespace afina
