// Rules for answers.
#include "tools/runs/rules.h"

#include <algorithm>
#include <memory>
#include <set>

#include "data/checks/words.h"
#include "data/tokenizer/regex.h"
#include "tools/options/words.h"
#include "tools/results/judgement.h"
#include "tools/runs/numeric_answer.h"

namespace afina {

namespace {

using Texts = std::set<std::string, std::less<>>;

Texts matches_in(const Regex& pattern, std::string_view text) {
  Texts found;
  pattern.each_match(text, [&](size_t begin, size_t end) {
    if (end > begin) found.emplace(text.substr(begin, end - begin));
  });
  return found;
}
Texts read_before(const Regex& pattern, const Exchange& e) {
  Texts all = matches_in(pattern, e.question);
  all.merge(matches_in(pattern, e.context));
  return all;
}
bool found_in(const Regex& pattern, std::string_view text) {
  bool found = false;
  pattern.each_match(text, [&](size_t, size_t) { found = true; });
  return found;
}
Verdict verdict(bool passed) { return passed ? Verdict::passed : Verdict::failed; }

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  split_words(text, words);
  return words;
}
std::string language(std::string_view text) { return language_of(text, words_of(text)); }
int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}
int64_t words(std::string_view text) {
  const std::vector<Word> all = words_of(text);
  return std::count_if(all.begin(), all.end(),
                       [](const Word& word) { return word.kind != WordKind::mark; });
}

// One rule of a file while it is read.
struct Reader {
  const Json& rule;
  const std::string where;

  std::string text(const std::string& key) const { return get<std::string>(rule, key, where); }
  Regex pattern(const std::string& key) const {
    const std::string expression = text(key);
    require(!expression.empty(), where, ", ", key, ": an empty expression matches everything");
    return Regex(expression, where + ", " + key);
  }
  void must_be_true(const std::string& key) const {
    require(get<bool>(rule, key, where), where, ", ", key,
            ": expected true; leave the rule out instead");
  }

  Rule matches() const {
    return {"", "matches " + text("matches"),
            [p = pattern("matches")](const Exchange& e) { return verdict(found_in(p, e.answer)); }};
  }
  Rule lacks() const {
    return {"", "lacks " + text("lacks"),
            [p = pattern("lacks")](const Exchange& e) { return verdict(!found_in(p, e.answer)); }};
  }
  Rule keeps() const {
    const std::string from = get_or<std::string>(rule, "from", where, "conversation");
    require(from == "conversation" || from == "question" || from == "expected", where,
            ", from: expected \"conversation\", \"question\" or \"expected\", found \"", from,
            "\"");
    return {
        "", "keeps " + text("keeps"), [p = pattern("keeps"), from](const Exchange& e) {
          const Texts wanted = from == "conversation"
                                   ? read_before(p, e)
                                   : matches_in(p, from == "question" ? e.question : e.expected);
          if (wanted.empty()) return Verdict::not_asked;
          const Texts there = matches_in(p, e.answer);
          return verdict(std::includes(there.begin(), there.end(), wanted.begin(), wanted.end()));
        }};
  }
  Rule adds_no() const {
    return {"", "adds no " + text("adds_no"), [p = pattern("adds_no")](const Exchange& e) {
              const Texts known = read_before(p, e), said = matches_in(p, e.answer);
              return verdict(std::includes(known.begin(), known.end(), said.begin(), said.end()));
            }};
  }
  Rule in_language() const {
    const std::string wanted = text("language");
    const std::vector<std::string> known = known_languages();
    if (wanted == "same")
      return {"", "language of the expected answer", [](const Exchange& e) {
                const std::string expected = language(e.expected);
                if (expected.empty()) return Verdict::not_asked;
                return verdict(language(e.answer) == expected);
              }};
    std::string all = "same";
    for (const std::string& one : known) all += ", " + one;
    require(std::find(known.begin(), known.end(), wanted) != known.end(), where,
            ", language: expected one of ", all, "; found \"", wanted, "\"");
    return {"", "language " + wanted,
            [wanted](const Exchange& e) { return verdict(language(e.answer) == wanted); }};
  }
  Rule length(const std::string& key, int64_t (*measure)(std::string_view)) const {
    const Json& bounds = member(rule, key, where);
    require(bounds.is_array() && bounds.size() == 2, where, ", ", key,
            ": expected two numbers, the least and the most, as in [20, 600]; found ",
            describe(bounds));
    auto bound = [&](size_t i, int64_t otherwise) {
      if (bounds[i].is_null()) return otherwise;
      return json_detail::integer(bounds[i], 0, INT64_MAX, key, where);
    };
    const int64_t least = bound(0, 0), most = bound(1, INT64_MAX);
    require(least <= most, where, ", ", key, ": the least, ", least, ", is above the most, ", most);
    std::string says = std::to_string(least);
    says += most == INT64_MAX ? " or more " : " to " + std::to_string(most) + " ";
    return {"", says + key, [least, most, measure](const Exchange& e) {
              const int64_t length = measure(e.answer);
              return verdict(length >= least && length <= most);
            }};
  }

  Rule read() const {
    static const std::vector<std::string> kinds = {"exact",    "number",     "matches",
                                                   "lacks",    "keeps",      "adds_no",
                                                   "language", "characters", "words"};
    std::vector<std::string> known = kinds;
    known.insert(known.end(), {"name", "from"});
    check_known_keys(rule, known, where);
    std::string kind, all;
    for (const std::string& one : kinds) {
      all += (all.empty() ? "" : ", ") + one;
      if (!rule.contains(one)) continue;
      require(kind.empty(), where, ": has both '", kind, "' and '", one,
              "'; a rule asks one thing, so make two of it");
      kind = one;
    }
    require(!kind.empty(), where, ": asks nothing; expected one of ", all);
    require(kind == "keeps" || !rule.contains("from"), where, ": 'from' belongs to 'keeps'");
    Rule made = of(kind);
    made.name = get_or<std::string>(rule, "name", where, made.says);
    require(!made.name.empty(), where, ": its name is empty");
    require(made.name != all_rules, where, ": the name '", all_rules,
            "' is that of all rules together; choose another");
    return made;
  }
  Rule of(const std::string& kind) const {
    if (kind == "matches") return matches();
    if (kind == "lacks") return lacks();
    if (kind == "keeps") return keeps();
    if (kind == "adds_no") return adds_no();
    if (kind == "language") return in_language();
    if (kind == "characters") return length(kind, characters);
    if (kind == "words") return length(kind, words);
    must_be_true(kind);
    return built_in_rule(kind);
  }
};

}  // namespace

Rule built_in_rule(const std::string& name) {
  if (name == "exact")
    return {name, "the expected answer",
            [](const Exchange& e) { return verdict(squeezed(e.answer) == squeezed(e.expected)); }};
  if (name == "number")
    return {name, "the number of the expected answer", [](const Exchange& e) {
              const std::string wanted = numeric_answer(e.expected);
              if (wanted.empty()) return Verdict::not_asked;
              return verdict(numeric_answer(e.answer) == wanted);
            }};
  throw UsageError("--rule " + name +
                   ": expected exact or number; rules of your own go into a file, --rules FILE");
}

std::vector<Rule> parse_rules(const Json& rules, const std::string& where) {
  require(rules.is_array() && !rules.empty(), where,
          ": expected an array of rules, as in [{\"name\": \"greeting\", \"matches\": \"^Hi\"}]; ",
          "found ", describe(rules));
  std::vector<Rule> all;
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string here = where + ", rule " + std::to_string(i + 1);
    require(rules[i].is_object(), here, ": expected an object, found ", describe(rules[i]));
    all.push_back(Reader{rules[i], here}.read());
    for (size_t before = 0; before < i; ++before)
      require(all[before].name != all[i].name, here, ": a second rule of the name '", all[i].name,
              "'; give it another, by \"name\"");
  }
  return all;
}

std::vector<Rule> read_rules(const std::string& path) {
  JsonLimits limits;
  limits.bytes = size_t(1) << 20;
  return parse_rules(parse_json_file(path, limits), path);
}

}  // namespace afina
