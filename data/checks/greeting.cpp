// greeting: answers that do not begin as most answers of the file do.
#include "data/checks/check.h"
#include "data/checks/quoted_mail.h"

namespace afina {

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  // Where many answers begin at once, that is a form of the house beside the other.
  std::vector<uint32_t> bare(corpus.forms().size(), 0);
  for (const Answer& answer : corpus.answers())
    bare[answer.group] += !answer.greets && !answer.own_greeting;
  for (const Answer& answer : corpus.answers()) {
    const HouseForm& form = corpus.forms()[answer.group];
    if (!form.greeting) continue;
    const std::string_view text = corpus.text(answer.turn);
    if (answer.greets) {
      if (!form.greeting_end || answer.body_begin == 0) continue;
      const char mark = text[answer.body_begin - 1];
      const bool other = (mark == '!' || mark == ',' || mark == ':' || mark == '.') &&
                         (form.greeting_end == '!' || form.greeting_end == ',' ||
                          form.greeting_end == ':' || form.greeting_end == '.') &&
                         mark != form.greeting_end;
      if (other)
        out.push_back({nullptr,
                       0.5,
                       {{answer.record, answer.turn, 0, answer.body_begin}},
                       std::string(text.substr(0, answer.body_begin)),
                       form.greeting_text});
      continue;
    }
    if (!answer.own_greeting && bare[answer.group] * 5 > form.answers) continue;
    // Another's text stands before the greeting.
    if (!answer.own_greeting && quoted_from(text) == 0) continue;
    out.push_back({nullptr,
                   answer.own_greeting ? 0.9 : 0.7,
                   {{answer.record, answer.turn, 0, answer.own_greeting ? answer.body_begin : 0}},
                   answer.own_greeting ? std::string(text.substr(0, answer.body_begin)) : "none",
                   form.greeting_text});
  }
}

static const RegisterCheck registered(
    {"greeting", "form", Severity::warning, "answers that do not greet as most others do",
     "The model learns a mixture of greetings and uses them at random.",
     "Give all answers one greeting, or none.", run});

}  // namespace afina
