// Signals while training.
#include "tools/interrupt.h"

#include <csignal>

namespace afina {

namespace {
volatile std::sig_atomic_t asked = 0;
struct sigaction before_int, before_term;
void note(int signal) {
  if (asked) std::signal(signal, SIG_DFL), std::raise(signal);
  asked = 1;
}
}  // namespace

InterruptScope::InterruptScope() {
  asked = 0;
  struct sigaction action {};
  action.sa_handler = note;
  sigaction(SIGINT, &action, &before_int);
  sigaction(SIGTERM, &action, &before_term);
}
InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &before_int, nullptr);
  sigaction(SIGTERM, &before_term, nullptr);
}
bool interrupted() { return asked != 0; }

}  // namespace afina
