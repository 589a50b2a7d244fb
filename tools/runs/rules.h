// What an answer has to be: the rules by which answers are judged.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/json.h"

namespace afina {

// What was asked, what the record answers, and what a model answered; valid UTF-8.
struct Exchange {
  std::string question;  // all that the user has said before the answer
  std::string expected, answer;
  // What else the model read before it: the system text, earlier answers, what tools gave.
  std::string context = {};
};

// Whether a rule asks anything of a row depends on what was read and the expected answer alone,
// never on the model's, so that all models are judged by the same rows. undecided: the rule could
// not be applied to this answer, as an expression that goes back and forth too often.
enum class Verdict : uint8_t { failed, passed, not_asked, undecided };

struct Rule {
  std::string name;  // as tables show it
  std::string says;  // what it asks, in words
  std::function<Verdict(const Exchange&)> judge;
};

// "exact": the expected answer but for white space. "number": the number that the expected answer
// comes to (tools/runs/numeric_answer.h). An Error for another name.
Rule built_in_rule(const std::string& name);
// The rules of a file: a JSON array of objects, a rule each, with one of these keys and a "name":
//   "exact": true           the expected answer, but for white space
//   "number": true          the same number as the expected answer
//   "matches": "..."        the regular expression is found in the answer
//   "lacks": "..."          it is not
//   "keeps": "..."          every match in the conversation before the answer (system text, user,
//                           earlier answers) stands in the answer as well; with "from": "question"
//                           every match in the user's turns, with "expected" in the expected answer
//   "adds_no": "..."        every match in the answer stands in the conversation before it
//   "language": "en"        the answer's language; "same": that of the expected answer
//   "characters": [20, 600] length; null for no bound
//   "words": [5, 80]
// Errors name the file, the rule, the key, and what was expected.
std::vector<Rule> parse_rules(const Json& rules, const std::string& where);
std::vector<Rule> read_rules(const std::string& path);

}  // namespace afina
