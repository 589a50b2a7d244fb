// id-format: identifiers that are written otherwise than most of the file's.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "data/checks/check.h"

namespace afina {

namespace {

// A word with digits, and a mark or short letters that belong to it.
struct Code {
  uint32_t begin, end;
  uint64_t before = 0;        // the word before it: "booking"; not "no." and the like
  std::string digits, shape;  // QC-12345: "QC-99999"
  bool bare;                  // nothing but digits
  bool priced = false;        // a value with a unit
  bool numbered = false;      // behind "no." or the like
};

void find_codes(const Reading& reading, std::vector<Code>& out) {
  out.clear();
  for (size_t i = 0; i < reading.words.size(); ++i) {
    const Word& word = reading.words[i];
    if (word.kind != WordKind::identifier && word.kind != WordKind::number) continue;
    Code code{word.begin, word.end, 0, "", "", word.kind == WordKind::number};
    for (size_t k = i; k-- > 0 && code.before == 0;) {
      const Word& one = reading.words[k];
      if (one.kind == WordKind::mark && one.end - one.begin == 1 &&
          std::string_view(".#(:").find(reading.text[one.begin]) != std::string_view::npos)
        continue;
      if (one.kind != WordKind::word) break;
      const std::string low = lower_text(reading.text.substr(one.begin, one.end - one.begin));
      if (low == "no" || low == "n" || low == "nr" || low == "num" || low == "n\u00fam" ||
          low == "ref" || low == "id" || low == "t" || one.shouted) {
        code.numbered = true;
        continue;
      }
      code.before = one.id;
    }
    if (i > 0 && reading.words[i - 1].kind == WordKind::mark &&
        reading.words[i - 1].end == word.begin && reading.text[word.begin - 1] == '#') {
      --code.begin;
      code.bare = false;
    }
    const std::string_view text = reading.text.substr(code.begin, code.end - code.begin);
    bool foreign = false;
    for (char c : text) {
      const bool digit = c >= '0' && c <= '9';
      if (digit) code.digits += c;
      foreign |= (c == '.' && word.kind == WordKind::number) || c == ',' || c == ':';
      code.shape += digit ? '9' : c;
    }
    if (foreign || code.digits.size() < 3) continue;
    // "11650mm": a number and its unit.
    const char first = text.front(), last = text.back();
    if (first >= '0' && first <= '9' && last >= 'a' && last <= 'z') continue;
    // "24/7" and dates are no identifiers.
    if (code.bare && text.find('/') != text.npos && (code.digits.size() < 6 || !code.before))
      continue;
    for (const Value& value : reading.values)
      code.priced |= reading.words[value.first].begin <= code.begin &&
                     reading.words[value.last - 1].end >= code.end &&
                     value.type != ValueType::count;
    out.push_back(std::move(code));
  }
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  Reading reading;
  std::vector<Code> codes;
  std::map<size_t, std::map<std::string, uint32_t>> shapes;  // by the number of digits
  std::unordered_map<std::string, uint32_t> said;            // digits -> answers that have them
  for (const Answer& answer : corpus.answers()) {
    Corpus::read(corpus.text(answer.turn), reading);
    find_codes(reading, codes);
    for (const Code& code : codes) {
      ++shapes[code.digits.size()][code.shape];
      ++said[code.digits];
    }
  }
  struct House {
    std::string shape, example;
  };
  std::unordered_map<uint64_t, std::array<uint32_t, 2>>
      leads;  // word -> codes of the house, others
  std::map<size_t, House> house;
  for (auto& [digits, counts] : shapes) {
    uint32_t all = 0, best = 0;
    std::string shape;
    for (auto& [one, count] : counts) {
      all += count;
      if (count > best) {
        best = count;
        shape = one;
      }
    }
    // Without a letter or a mark of its own a number may be any number.
    const bool bare = shape.find_first_not_of("9-/") == shape.npos;
    if (best < 8 || best * 2 < all) continue;
    if (bare && (digits < 5 || best * 5 < corpus.answers().size() || best * 5 < all * 4)) continue;
    house[digits].shape = shape;
  }
  if (house.empty()) return;
  // The words that stand before the house's identifiers, and the letters these begin with.
  std::set<std::string> letters;
  for (auto& [digits, one] : house) {
    const size_t end = one.shape.find_first_of("0123456789-/#._");
    if (end >= 2 && end != one.shape.npos) letters.insert(one.shape.substr(0, end));
  }
  std::string example;
  for (const Answer& answer : corpus.answers()) {
    Corpus::read(corpus.text(answer.turn), reading);
    find_codes(reading, codes);
    for (const Code& code : codes) {
      auto found = house.find(code.digits.size());
      const bool own = found != house.end() && code.shape == found->second.shape &&
                       code.shape.find_first_not_of("9-/") != code.shape.npos;
      if (own && example.empty())
        example = std::string(reading.text.substr(code.begin, code.end - code.begin));
      if (code.before) ++leads[code.before][own ? 0 : 1];
    }
  }
  auto by_context = [&](const Code& code) {
    const std::string_view text = reading.text.substr(code.begin, code.end - code.begin);
    for (const std::string& begin : letters) {
      if (text.starts_with(begin)) return true;
      // "HH 26 06529": the letters stand alone.
      const size_t from = code.begin > begin.size() + 1 ? code.begin - begin.size() - 1 : 0;
      if (reading.text.substr(from, begin.size()) == begin && code.digits.size() >= 3) return true;
    }
    if (code.priced || (code.bare && !code.numbered)) return false;
    auto lead = leads.find(code.before);
    return code.before && lead != leads.end() && lead->second[0] >= 8 &&
           lead->second[1] * 3 <= lead->second[0];
  };
  std::vector<Code> asked;
  for (const Answer& answer : corpus.answers()) {
    Corpus::read(corpus.text(answer.turn), reading);
    find_codes(reading, codes);
    if (codes.empty()) continue;
    std::set<std::string> known;  // digits that the record has in the house's form
    for (const Turn& turn : corpus.turns(answer.record)) {
      Reading other;
      Corpus::read(corpus.text(turn), other);
      find_codes(other, asked);
      for (const Code& code : asked)
        if (auto found = house.find(code.digits.size());
            found != house.end() && code.shape == found->second.shape) {
          known.insert(code.digits);
          if (found->second.example.empty())
            found->second.example =
                std::string(corpus.text(turn).substr(code.begin, code.end - code.begin));
        }
    }
    for (const Code& code : codes) {
      auto found = house.find(code.digits.size());
      if (found != house.end() && code.shape == found->second.shape) continue;
      // What many answers name is the house's own number, as its telephone's.
      if (said[code.digits] > 4) continue;
      if (found == house.end()) {
        if (!by_context(code)) continue;
        out.push_back({nullptr,
                       0.85,
                       {{answer.record, answer.turn, code.begin, code.end}},
                       squeezed(reading.text.substr(code.begin, code.end - code.begin)),
                       example});
        break;
      }
      const bool same_digits = known.count(code.digits) > 0;
      if (code.bare && !same_digits) {
        // A number alone may be anything; of five digits or more, without a unit, it is a code.
        if (code.digits.size() < 5) continue;
        bool priced = false;
        for (const Value& value : reading.values)
          priced |= reading.words[value.first].begin <= code.begin &&
                    reading.words[value.last - 1].end >= code.end && value.type != ValueType::count;
        if (priced) continue;
      }
      uint32_t begin = code.begin;
      // The words before a bare number are part of how it is written.
      if (code.bare) {
        const size_t from = begin > 12 ? begin - 12 : 0;
        const size_t blank = reading.text.substr(from, begin - from).find(' ');
        if (blank != std::string_view::npos) begin = uint32_t(from + blank + 1);
        while (begin < code.begin && (uint8_t(reading.text[begin]) & 0xC0) == 0x80) ++begin;
      }
      out.push_back({nullptr,
                     same_digits ? 1. : 0.85,
                     {{answer.record, answer.turn, begin, code.end}},
                     squeezed(reading.text.substr(begin, code.end - begin)),
                     found->second.example.empty() ? found->second.shape : found->second.example});
      break;
    }
  }
}

const RegisterCheck registered(
    {"id-format", "form", Severity::warning,
     "identifiers written otherwise than most of the file's",
     "The model learns several ways to write an order number, and programs that read its answers "
     "find one of them.",
     "Write all of them as most are.", run});

}  // namespace

}  // namespace afina
