// empty: answers and questions without text, or with a word that stands for none.
#include <set>

#include "data/checks/check.h"

namespace afina {

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  static const std::set<std::string> nothing = {
      "n/a",     "na",      "nan",         "null",      "none",    "nil", "todo", "tbd",
      "(empty)", "-",       "--",          "...",       "?",       "xxx", "#n/a", ".",
      "n.a.",    "<empty>", "lorem ipsum", "undefined", "[empty]", "s/d"};
  // Where a word such as "none" is one of the file's usual answers, it is an answer.
  size_t words = 0;
  auto is_nothing = [&](std::string_view text) {
    const std::string all = lower_text(squeezed(text));
    return all.size() < 16 && nothing.count(all) > 0;
  };
  for (const Answer& answer : corpus.answers()) words += is_nothing(corpus.text(answer.turn));
  const bool usual = words * 20 > corpus.answers().size() && words > 5;
  for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
    const Turn& turn = corpus.turns()[t];
    if (turn.record >= corpus.records()) break;
    if (turn.role == TurnRole::system || turn.role == TurnRole::other) continue;
    const std::string_view text = corpus.text(turn);
    const bool blank = squeezed(text).empty();
    if (!blank && (usual || !is_nothing(text))) continue;
    const char* what = turn.role == TurnRole::question ? "question"
                       : turn.role == TurnRole::text   ? "text"
                                                       : "answer";
    out.push_back({nullptr,
                   1.,
                   {{turn.record, t, 0, turn.size}},
                   std::string(what) + (blank ? " without text" : ": " + squeezed(text)),
                   ""});
  }
}

static const RegisterCheck registered(
    {"empty", "form", Severity::error, "answers and questions without text, or N/A and the like",
     "An empty answer teaches the model to say nothing; an empty question, to answer at random.",
     "Remove the record.", run});

static void run_unreadable(const Corpus& corpus, std::vector<Finding>& out) {
  for (auto& [record, problem] : corpus.unreadable()) {
    if (record >= corpus.records()) continue;
    // A finding names its place by itself.
    std::string what = problem;
    if (const std::string place = corpus.place(record); what.starts_with(place)) {
      const size_t rest = what.find_first_not_of(",: ", place.size());
      what.erase(0, std::min(rest, what.size()));
    }
    out.push_back({nullptr, 1., {{record}}, what, ""});
  }
}

static const RegisterCheck registered_unreadable(
    {"unreadable", "form", Severity::error, "records that training cannot read",
     "Training stops at them, or leaves them out with --on-problem skip.", "Mend the record.",
     run_unreadable});

}  // namespace afina
