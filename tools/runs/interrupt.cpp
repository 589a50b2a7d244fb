// Signals while training.
#include "tools/runs/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <ctime>

namespace afina {

namespace {
volatile std::sig_atomic_t asked = 0;
volatile int64_t asked_at = 0;  // milliseconds
struct sigaction before_int, before_term;

// `timeout`, `make` and terminals deliver one wish as two signals, to the process and to its group.
constexpr int64_t same_wish = 500;

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // may be called in a handler
  return int64_t(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}
void note(int signal) {
  if (asked) {
    if (now() - asked_at < same_wish) return;
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  asked_at = now();
  asked = 1;
  constexpr char words[] =
      "\ninterrupted: finishing this step and writing a checkpoint; interrupt again to stop at "
      "once\n";
  [[maybe_unused]] ssize_t wrote = ::write(STDERR_FILENO, words, sizeof words - 1);
}
}  // namespace

InterruptScope::InterruptScope() {
  asked = 0;
  struct sigaction action {};
  action.sa_handler = note;
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(SIGINT, &action, &before_int);
  sigaction(SIGTERM, &action, &before_term);
}
InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &before_int, nullptr);
  sigaction(SIGTERM, &before_term, nullptr);
}
bool interrupted() { return asked != 0; }

namespace {
volatile std::sig_atomic_t answer_ended = 0;
struct sigaction before_answers;
void note_answer(int) { answer_ended = 1; }
}  // namespace

AnswerInterrupts::AnswerInterrupts() {
  struct sigaction action {};
  action.sa_handler = note_answer;
  action.sa_flags = SA_RESTART;  // neither reading nor writing may end by it
  answer_ended = 0;
  sigaction(SIGINT, &action, &before_answers);
}
AnswerInterrupts::~AnswerInterrupts() { sigaction(SIGINT, &before_answers, nullptr); }
void AnswerInterrupts::forget() { answer_ended = 0; }
bool AnswerInterrupts::noted() { return answer_ended != 0; }

}  // namespace afina
