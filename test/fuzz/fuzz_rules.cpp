// Fuzz target: files of rules for answers, with their regular expressions.
#include "test/fuzz/fuzz.h"
#include "tools/runs/rules.h"

static void run(std::string_view input) {
  using namespace afina;
  const std::vector<Rule> rules = parse_rules(parse_json(input, "fuzz.json"), "fuzz.json");
  const Exchange one{"Where is QC-12345? caf\u00e9", "Hi Sam,\nQC-12345 is here.\n#### 1,234.50",
                     "Hello, it is QC-1. \u221212", "You are Mira. QC-777"};
  for (const Rule& rule : rules) {
    if (rule.name.empty()) throw std::logic_error("a rule without a name");
    const Verdict verdict = rule.judge(one);
    // Whether it asks anything does not depend on the answer.
    if ((verdict == Verdict::not_asked) !=
        (rule.judge({one.question, one.expected, "", one.context}) == Verdict::not_asked))
      throw std::logic_error("an answer decides whether it is asked");
  }
}

static std::vector<std::string> seeds() {
  return {R"([{"name": "greeting", "matches": "^(Hi|Hello)\\b"}, {"lacks": "(?i)sorry"}])",
          R"([{"keeps": "QC-[0-9]+", "from": "expected"}, {"adds_no": "[A-Z]{2}-\\d+"}])",
          R"([{"language": "same"}, {"language": "en"}, {"words": [1, null]}])",
          R"([{"characters": [0, 600]}, {"exact": true}, {"number": true, "name": "n"}])"};
}

static const afina::FuzzTarget registered("rules", run, seeds,
                                          {"matches", "lacks", "keeps", "adds_no", "language",
                                           "words", "characters", "exact", "number", "from",
                                           "\\p{L}", "(?=", "(?i)", "[^", "{2,}", "null"});
