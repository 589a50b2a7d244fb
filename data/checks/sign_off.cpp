// sign-off: answers that do not end as most answers of the file do.
#include "data/checks/check.h"
#include "data/checks/endings.h"
#include "data/checks/quoted_mail.h"

namespace afina {

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Endings endings(corpus);
  // Short answers without a farewell beside letters with one are two forms of a house, no fault.
  std::vector<uint32_t> answers(corpus.forms().size(), 0), bare(answers);
  for (const Answer& answer : corpus.answers()) {
    ++answers[answer.group];
    bare[answer.group] += !answer.signs && !answer.own_sign;
  }
  for (const Answer& answer : corpus.answers()) {
    const HouseForm& form = corpus.forms()[answer.group];
    if (form.sign_words ? answer.signs || endings.cut(answer) > 0 : !answer.own_sign) continue;
    if (!answer.own_sign && bare[answer.group] * 5 > answers[answer.group]) continue;
    const std::string_view text = corpus.text(answer.turn);
    uint32_t end = uint32_t(text.size());
    if (const uint32_t own = quoted_from(text); own > answer.body_end) end = own;
    out.push_back(
        {nullptr,
         double(answer.own_sign ? 0.95 : 0.9),
         {{answer.record, answer.turn, answer.body_end, end}},
         answer.own_sign ? squeezed(text.substr(answer.body_end, end - answer.body_end)) : "none",
         form.sign_words ? squeezed(form.sign_text) : "none"});
  }
}

static const RegisterCheck registered(
    {"sign-off", "form", Severity::warning, "answers that do not end as most others do",
     "The model learns a mixture of farewells and uses them at random.",
     "Give all answers one sign-off, or none.", run});

}  // namespace afina
