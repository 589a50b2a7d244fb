// Pairing records and mixing them.
#include "tools/runs/twins.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "engine/counted.h"
#include "engine/error.h"
#include "engine/files/json.h"
#include "engine/random.h"

namespace afina {

namespace {

void require_writable(const Example& e) {
  bool plain = e.input.tools.is_null() && e.input.variables.is_null();
  for (const Message& m : e.messages) plain &= m.more.is_null() && m.trained;
  require(plain, e.place,
          ": has tools, variables or further keys of a turn; expected turns of role and content "
          "alone, as mixtures are written as such");
}

// Is it the same record but for what the assistant says?
bool same_question(const Example& a, const Example& b) {
  if (a.messages.size() != b.messages.size() || a.is_text() || b.is_text()) return false;
  for (size_t i = 0; i < a.messages.size(); ++i) {
    const Message &x = a.messages[i], &y = b.messages[i];
    if (x.role != y.role || (x.role != "assistant" && x.content != y.content)) return false;
  }
  return true;
}

}  // namespace

Twins Twins::without(const std::vector<uint32_t>& pairs) const {
  Twins out;
  for (uint32_t i = 0; i < clean.size(); ++i) {
    if (std::binary_search(pairs.begin(), pairs.end(), i)) continue;
    if (clean[i].messages != other[i].messages) out.differing.push_back(uint32_t(out.clean.size()));
    out.clean.push_back(clean[i]);
    out.other.push_back(other[i]);
  }
  return out;
}

int64_t Twins::replaced(double rate) const {
  return std::llround(rate / 100. * double(differing.size()));
}

std::vector<Example> Twins::mixed(double rate, uint64_t seed) const {
  std::vector<Example> out = clean;
  const std::vector<uint32_t> order =
      permutation(uint32_t(differing.size()), Random(seed, "replaced records"));
  const int64_t count = replaced(rate);
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t at = differing[order[size_t(i)]];
    out[at] = other[at];
  }
  return out;
}

Twins read_twins(const std::string& clean, const ExampleOptions& reading_clean,
                 const std::string& other, const ExampleOptions& reading_other) {
  Twins twins;
  twins.clean = read_examples(clean, reading_clean);
  twins.other = read_examples(other, reading_other);
  require(twins.clean.size() == twins.other.size(), clean, ": has ",
          counted(int64_t(twins.clean.size()), "record"), " and ", other, " has ",
          twins.other.size(), "; expected as many, each with the question of the one in its place");
  for (uint32_t i = 0; i < twins.clean.size(); ++i) {
    const Example &a = twins.clean[i], &b = twins.other[i];
    for (const Example* e : {&a, &b}) {
      require(e->problem.empty(), e->problem, "; mend or remove it in both files");
      require(!e->is_text(), e->place,
              ": is plain text; expected questions with answers, so that two files can have the "
              "same questions");
      require_writable(*e);
    }
    require(same_question(a, b), b.place, ": does not ask what ", a.place,
            " asks; expected the same turns in the same order but for the assistant's words");
    if (a.messages != b.messages) twins.differing.push_back(i);
  }
  require(!twins.differing.empty(), other, ": has the same answers as ", clean,
          "; there is nothing to compare");
  return twins;
}

std::string as_lines(const std::vector<Example>& examples) {
  std::string lines;
  for (const Example& e : examples) {
    Json turns = Json::array();
    for (const Message& m : e.messages) turns.push_back({{"role", m.role}, {"content", m.content}});
    lines += to_text(e.is_text() ? Json{{"text", e.text}} : Json{{"messages", turns}}, -1) + "\n";
  }
  return lines;
}

std::vector<double> parse_percentages(const std::string& text, const char* option) {
  std::vector<double> rates;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    double rate = -1;
    const char* end = part.data() + part.size();
    auto [rest, error] = std::from_chars(part.data(), end, rate);
    require(error == std::errc() && rest == end && rate >= 0 && rate <= 100 &&
                (rates.empty() || rate > rates.back()),
            option, " '", text, "': expected percentages from the least to the most, as in ",
            "0,25,50,100");
    rates.push_back(rate);
  }
  require(rates.size() >= 2, option, " '", text, "': expected two or more, as in 0,100");
  return rates;
}

}  // namespace afina
