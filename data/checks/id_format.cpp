// id-format: identifiers that are written otherwise than most of the file's.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "data/checks/check.h"
#include "data/checks/id_fronted.h"
#include "data/checks/id_house.h"
#include "data/checks/personal_patterns.h"

namespace afina {

namespace {

constexpr size_t least_digits = 3, least_spread = 5;
constexpr uint32_t most_said = 4;  // answers that have an identifier; others are the house's own

size_t digits_in(std::string_view text) {
  return size_t(
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

// A word with digits, and a mark or short letters that belong to it.
struct Code {
  uint32_t begin, end;
  uint64_t before = 0;        // the word before it: "booking"; not "no." and the like
  std::string digits, shape;  // QC-12345: "QC-99999"
  bool bare;                  // nothing but digits
  bool priced = false;        // a value with a unit
  bool numbered = false;      // behind "no." or the like
};

// Digits of a text with single marks or blanks between them.
struct Spread {
  std::string digits;
  size_t begin, end;
};

// The least of these digits that the text has, spread so and not as part of a longer number, for
// which `take` holds.
template <class Take>
Spread find_spread(std::string_view text, const std::set<std::string>& wanted, Take&& take) {
  size_t most = 0;
  for (const std::string& digits : wanted) most = std::max(most, digits.size());
  auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  Spread best{"", text.size(), text.size()};
  std::string digits;
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (!digit(begin) || (begin > 0 && digit(begin - 1))) continue;
    digits.clear();
    for (size_t at = begin; digits.size() < most;) {
      if (digit(at)) digits += text[at];
      else if (!digit(at + 1) || std::string_view(" .-_/").find(text[at]) == std::string_view::npos)
        break;
      ++at;
      if (digit(at) || (!best.digits.empty() && digits >= best.digits) || wanted.count(digits) == 0)
        continue;
      if (take(Spread{digits, begin, at})) best = {digits, begin, at};
    }
  }
  return best;
}

bool digits_only(const Reading& reading, size_t i) {
  const Word& word = reading.words[i];
  const std::string_view text = reading.text.substr(word.begin, word.end - word.begin);
  return text.find_first_not_of("0123456789") == text.npos;
}

// Two to five capitals and a blank before a number of digits alone.
bool is_prefix(const Reading& reading, size_t i) {
  const Word &word = reading.words[i], &next = reading.words[i + 1];
  const uint32_t size = word.end - word.begin;
  if (word.kind != WordKind::word || size < 2 || size > 5 || next.begin != word.end + 1 ||
      reading.text[word.end] != ' ' || !digits_only(reading, i + 1))
    return false;
  return std::all_of(reading.text.begin() + word.begin, reading.text.begin() + word.end,
                     [](char c) { return c >= 'A' && c <= 'Z'; });
}

void find_codes(const Reading& reading, std::vector<Code>& out) {
  out.clear();
  size_t value = 0;  // the first that does not end before the code
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
    if (code.bare && i > 0 && is_prefix(reading, i - 1)) {
      // "RPR 600 256": letters and groups of digits with blanks between them.
      const Word& letters = reading.words[i - 1];
      while (i + 1 < reading.words.size() && reading.words[i + 1].kind == WordKind::number &&
             reading.words[i + 1].begin == code.end + 1 && reading.text[code.end] == ' ' &&
             digits_only(reading, i + 1))
        code.end = reading.words[++i].end;
      code.begin = letters.begin;
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
    if (foreign || code.digits.size() < least_digits) continue;
    // "11650mm": a number and its unit.
    const char first = text.front(), last = text.back();
    if (first >= '0' && first <= '9' && last >= 'a' && last <= 'z') continue;
    // "24/7" and dates are no identifiers.
    if (code.bare && text.find('/') != text.npos && (code.digits.size() < 6 || !code.before))
      continue;
    while (value < reading.values.size() &&
           reading.words[reading.values[value].last - 1].end < code.end)
      ++value;
    for (size_t k = value;
         k < reading.values.size() && reading.words[reading.values[k].first].begin <= code.begin;
         ++k)
      code.priced |= reading.values[k].type != ValueType::count;
    out.push_back(std::move(code));
  }
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  Reading reading;
  std::vector<Code> codes;
  std::map<size_t, std::map<std::string, uint32_t>> shapes;  // by the number of digits
  std::unordered_map<std::string, uint32_t> said;            // digits -> answers that have them
  std::vector<bool> coded;                                   // answers that have any
  auto read = [&](std::string_view text, Reading& into, std::vector<Code>& found) {
    found.clear();
    if (digits_in(text) < least_digits) return;
    Corpus::read(text, into);
    find_codes(into, found);
  };
  for (const Answer& answer : corpus.answers()) {
    read(corpus.text(answer.turn), reading, codes);
    for (const Code& code : codes) ++said[code.digits];
    coded.push_back(!codes.empty());
  }
  for (size_t a = 0; a < coded.size(); ++a) {
    if (!coded[a]) continue;
    read(corpus.text(corpus.answers()[a].turn), reading, codes);
    // What many answers name is the house's own number, as its telephone's, and no identifier.
    for (const Code& code : codes)
      if (said[code.digits] <= most_said) ++shapes[code.digits.size()][code.shape];
  }
  std::unordered_map<uint64_t, std::array<uint32_t, 2>>
      leads;  // word -> codes of the house, others
  std::map<size_t, House> house;
  for (auto& [digits, counts] : shapes) {
    std::map<std::string, uint32_t> classes;
    uint32_t all = 0, best = 0;
    std::string shape;
    for (auto& [one, count] : counts) {
      all += count;
      const uint32_t now = classes[class_of(one)] += count;
      if (now > best) {
        best = now;
        shape = class_of(one);
      }
    }
    // Without a letter or a mark of its own a number may be any number.
    const bool bare = shape.find_first_not_of("9-/") == shape.npos;
    if (best < 8 || best * 2 < all) continue;
    if (bare && (digits < 5 || best * 5 < corpus.answers().size() || best * 5 < all * 4)) continue;
    house[digits].shape = shape;
    learn_letters(counts, house[digits]);
  }
  if (house.empty()) return;
  // The words that stand before the house's identifiers, and the letters these begin with.
  std::set<std::string> letters;
  for (auto& [digits, one] : house)
    if (const std::string front = one.front(); front.size() >= 2) letters.insert(front);
  // Those without other letters behind these.
  std::vector<std::pair<size_t, std::string>> fronts;
  for (auto& [digits, one] : house)
    if (const std::string front = one.front();
        front.size() >= 2 && one.shape.find_first_of("Aa", front.size()) == std::string::npos)
      fronts.emplace_back(digits, front);
  std::string example;
  for (size_t a = 0; a < coded.size(); ++a) {
    if (!coded[a]) continue;
    read(corpus.text(corpus.answers()[a].turn), reading, codes);
    for (const Code& code : codes) {
      auto found = house.find(code.digits.size());
      const bool own = found != house.end() && found->second.has(code.shape) &&
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
  std::vector<PersonalPiece> pieces;
  std::set<std::string> known, spread_ones;  // digits that the record has in the house's form
  uint32_t known_of = no_turn;
  auto learn = [&](uint32_t record) {
    if (known_of == record) return;
    known_of = record;
    known.clear();
    spread_ones.clear();
    Reading other;
    for (const Turn& turn : corpus.turns(record)) {
      read(corpus.text(turn), other, asked);
      for (const Code& code : asked)
        if (auto found = house.find(code.digits.size());
            found != house.end() && found->second.has(code.shape)) {
          known.insert(code.digits);
          if (found->second.example.empty())
            found->second.example =
                std::string(corpus.text(turn).substr(code.begin, code.end - code.begin));
        }
    }
    for (const std::string& digits : known)
      if (digits.size() >= least_spread && said[digits] <= most_said) spread_ones.insert(digits);
  };
  for (const Answer& answer : corpus.answers()) {
    learn(answer.record);
    if (digits_in(corpus.text(answer.turn)) < least_digits) continue;
    read(corpus.text(answer.turn), reading, codes);
    bool told = false, searched = false;
    for (const Code& code : codes) {
      auto found = house.find(code.digits.size());
      if (found != house.end() && found->second.has(code.shape)) continue;
      if (said[code.digits] > most_said) continue;
      if (found == house.end()) {
        if (!by_context(code)) continue;
        out.push_back({nullptr,
                       0.85,
                       {{answer.record, answer.turn, code.begin, code.end}},
                       squeezed(reading.text.substr(code.begin, code.end - code.begin)),
                       example});
        told = true;
        break;
      }
      const bool same_digits = known.count(code.digits) > 0;
      if (code.bare && !same_digits) {
        // Part of a telephone number or the like.
        if (!searched) find_personal(reading.text, pieces);
        searched = true;
        const auto piece =
            std::lower_bound(pieces.begin(), pieces.end(), code.end,
                             [](const PersonalPiece& p, uint32_t end) { return p.end < end; });
        if (piece != pieces.end() && piece->begin <= code.begin &&
            piece->end - piece->begin > code.end - code.begin)
          continue;
        // A number alone may be anything; of five digits or more, without a unit, it is a code.
        if (code.digits.size() < 5) continue;
        if (code.priced) continue;
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
      told = true;
      break;
    }
    // The house's letters and as many digits, with other marks between them.
    for (const auto& [digits, front] : fronts) {
      const House& form = house[digits];
      size_t end = 0;
      for (size_t at = 0; !told; at = end) {
        at = find_fronted(reading.text, front, digits, at, end);
        if (at == reading.text.npos) break;
        const std::string_view piece = reading.text.substr(at, end - at);
        const std::string shape = shape_of(piece);
        // Or one of the house's that is shorter, and another number: "FD-207 (45".
        const size_t run = std::min(piece.find_first_of("0123456789"), piece.size());
        const size_t behind = std::min(piece.find_first_not_of("0123456789", run), piece.size());
        const auto shorter = house.find(behind - run);
        if (form.has(shape) ||
            (shorter != house.end() && shorter->second.has(shape.substr(0, behind))))
          continue;
        told = true;
        out.push_back({nullptr,
                       0.9,
                       {{answer.record, answer.turn, uint32_t(at), uint32_t(end)}},
                       squeezed(piece),
                       form.example.empty() ? form.shape : form.example});
      }
    }
    if (told || spread_ones.empty()) continue;
    // The record's identifier with blanks or points between its digits.
    const Spread spread = find_spread(reading.text, spread_ones, [&](const Spread& one) {
      const auto code = std::upper_bound(codes.begin(), codes.end(), one.begin,
                                         [](size_t at, const Code& c) { return at < c.begin; });
      return code == codes.begin() || std::prev(code)->end < one.end ||
             !house[one.digits.size()].has(std::prev(code)->shape);
    });
    if (spread.digits.empty()) continue;
    out.push_back({nullptr,
                   1.,
                   {{answer.record, answer.turn, uint32_t(spread.begin), uint32_t(spread.end)}},
                   squeezed(reading.text.substr(spread.begin, spread.end - spread.begin)),
                   house[spread.digits.size()].example});
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
