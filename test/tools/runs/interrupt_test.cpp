// Ctrl-C while a model answers: noted, and nothing else.
#include "tools/runs/interrupt.h"

#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace afina;

BOOST_AUTO_TEST_SUITE(interrupts)

BOOST_AUTO_TEST_CASE(an_answer_ends_and_not_the_program) {
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  {
    const AnswerInterrupts answers;
    BOOST_TEST(!AnswerInterrupts::noted());
    for (int i = 0; i < 3; ++i) std::raise(SIGINT);
    BOOST_TEST(AnswerInterrupts::noted());
    AnswerInterrupts::forget();
    BOOST_TEST(!AnswerInterrupts::noted());
  }
  struct sigaction after {};
  sigaction(SIGINT, nullptr, &after);
  BOOST_TEST((after.sa_handler == before.sa_handler));
}

BOOST_AUTO_TEST_SUITE_END()
