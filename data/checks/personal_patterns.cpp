// Finds dates of birth, mail addresses, IBANs, cards, identity numbers, addresses and telephone
// numbers, in this order.
#include "data/checks/personal_patterns.h"

#include <algorithm>
#include <string>

#include "data/checks/personal_named.h"
#include "data/checks/words.h"

namespace afina {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || uint8_t(c) >= 0x80; }
bool is_alnum(char c) { return is_digit(c) || is_letter(c); }

size_t mail_at(std::string_view text, size_t at, size_t& begin) {
  begin = at;
  while (begin > 0 && (is_alnum(text[begin - 1]) ||
                       std::string_view("._+-%").find(text[begin - 1]) != std::string_view::npos))
    --begin;
  size_t end = at + 1, dot = 0;
  while (end < text.size() &&
         (is_alnum(text[end]) || text[end] == '-' ||
          (text[end] == '.' && end + 1 < text.size() && is_alnum(text[end + 1])))) {
    if (text[end] == '.') dot = end;
    ++end;
  }
  return begin < at && dot > at + 1 && end - dot >= 3 ? end : 0;
}

bool luhn(const std::string& digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int d = digits[digits.size() - 1 - i] - '0';
    if (i % 2) d = d > 4 ? 2 * d - 9 : 2 * d;
    sum += d;
  }
  return sum % 10 == 0;
}

bool iban(const std::string& letters) {
  int rest = 0;
  for (size_t i = 0; i < letters.size(); ++i) {
    const char c = letters[(i + 4) % letters.size()];
    const int value = is_digit(c) ? c - '0' : (c & ~32) - 'A' + 10;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest == 1;
}

// Letters and digits from `at`, with single blanks or hyphens between groups.
size_t grouped(std::string_view text, size_t at, size_t most, std::string& plain) {
  plain.clear();
  size_t end = at;
  for (size_t i = at; i < text.size() && plain.size() < most; ++i) {
    if (is_digit(text[i]) || (text[i] >= 'A' && text[i] <= 'Z')) {
      plain += text[i];
      end = i + 1;
    } else if (!((text[i] == ' ' || text[i] == '-') && i == end)) {
      break;
    }
  }
  return end;
}

bool phone_before(std::string_view text, size_t at) {
  const std::string low = lower_text(text.substr(at > 40 ? at - 40 : 0, at > 40 ? 40 : at));
  for (std::string_view word :
       {"phone", "tel", "call", "mobile", "cell", "móvil", "llam", "whatsapp", "fax", "ring me",
        "reach me", "text me", "my number is", "mi número es", "handy", "anruf"})
    if (low.find(word) != low.npos) return true;
  return false;
}

// Does a date begin at `at`, whatever follows: "13.11.2026 17:05", "2026-11-13"?
bool begins_date(std::string_view text, size_t at) {
  size_t numbers[3] = {}, lengths[3] = {}, i = at;
  char mark = 0;
  for (size_t k = 0; k < 3; ++k) {
    for (; i < text.size() && is_digit(text[i]) && lengths[k] < 5; ++i, ++lengths[k])
      numbers[k] = 10 * numbers[k] + size_t(text[i] - '0');
    if (k == 2) break;
    if (i >= text.size() || std::string_view("./-").find(text[i]) == std::string_view::npos ||
        (mark && text[i] != mark))
      return false;
    mark = text[i++];
  }
  if (i < text.size() && is_digit(text[i])) return false;
  if (lengths[0] == 4) {
    std::swap(numbers[0], numbers[2]);
    std::swap(lengths[0], lengths[2]);
  }
  return lengths[2] == 4 && numbers[2] >= 1900 && numbers[2] < 2100 && numbers[0] >= 1 &&
         numbers[0] <= 31 && numbers[1] >= 1 && numbers[1] <= 31 && lengths[0] <= 2 &&
         lengths[1] <= 2;
}

// A telephone number that begins at `at`; its end, or 0.
size_t phone_at(std::string_view text, size_t at, double& certain) {
  if (begins_date(text, at)) return 0;
  size_t digits = 0, groups = 0, end = at, longest = 0, run = 0;
  bool other = false;
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      if (run++ == 0) ++groups;
      longest = std::max(longest, run);
      ++digits;
      end = i + 1;
      continue;
    }
    run = 0;
    const bool joins = c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/' ||
                       (c == '+' && i == at);
    if (!joins || (i > end + 1)) break;
    if (c == '.' && !(i + 1 < text.size() && is_digit(text[i + 1]))) break;
    other |= c == '/';
  }
  if (end < text.size() && (is_letter(text[end]) || text[end] == '%')) return 0;
  const bool plus = text[at] == '+' ||
                    (text[at] == '(' && at + 1 < text.size() && text[at + 1] == '+') ||
                    text.substr(at).starts_with("00");
  certain = 0.9;
  if (plus) return digits >= 8 && digits <= 15 ? end : 0;
  if (other && groups == 3 && digits == 8) return 0;  // a date
  // "05966/2025": a number of that year.
  const std::string_view year = text.substr(end > 5 ? end - 5 : 0, 3);
  if (groups == 2 && (year == "/19" || year == "/20")) return 0;
  const bool told = phone_before(text, at);
  if (groups == 1)
    return (told && digits >= 7 && digits <= 12) ||
                   (digits >= 10 && digits <= 11 && text[at] == '0')
               ? end
               : 0;
  // A computation or a range has hyphens between groups of any length.
  if (!told && text[at] != '(' && text[at] != '0') {
    size_t lengths[8] = {}, group = 0;
    bool hyphens = false;
    for (size_t i = at; i < end && group < 8; ++i) {
      if (is_digit(text[i])) ++lengths[group];
      else if (i + 1 < end && is_digit(text[i + 1])) ++group;
      hyphens |= text[i] == '-';
    }
    const bool three =
        group == 2 && lengths[0] == 3 && lengths[1] == 3 && (lengths[2] == 4 || lengths[2] == 3);
    if ((hyphens && !three) || other || group > 4) return 0;
    if (!hyphens && (lengths[0] < 2 || lengths[0] > 4 || lengths[group] < 2)) return 0;
  }
  if (end < text.size() && (text[end] == '=' || text.substr(end).starts_with(" ="))) return 0;
  // Groups as in 612 34 56 78, (555) 123-4567, 020 7946 0958.
  if (digits >= 9 && digits <= 12 && longest >= 2 && longest <= 8) return end;
  if (told && digits >= 7 && digits <= 12) return end;
  return 0;
}

size_t identity_at(std::string_view text, size_t at) {
  // Spain: eight digits, or X, Y, Z and seven, and a letter.
  size_t i = at;
  int64_t number = 0;
  size_t digits = 0;
  if (text[i] == 'X' || text[i] == 'Y' || text[i] == 'Z') {
    number = text[i] - 'X';
    digits = 1;
    ++i;
  }
  while (i < text.size() && is_digit(text[i]) && digits < 9) {
    number = number * 10 + (text[i] - '0');
    ++digits;
    ++i;
  }
  if (digits == 8 && i < text.size()) {
    if (text[i] == '-') ++i;
    if (i < text.size() && text[i] == "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] &&
        (i + 1 >= text.size() || !is_alnum(text[i + 1])))
      return i + 1;
  }
  // United Kingdom: two letters, three pairs of digits and A to D.
  auto upper = [&](size_t k) { return k < text.size() && text[k] >= 'A' && text[k] <= 'Z'; };
  if (upper(at) && upper(at + 1) && (at == 0 || !is_alnum(text[at - 1]))) {
    size_t k = at + 2, pairs = 0;
    for (; pairs < 3; ++pairs) {
      if (k < text.size() && text[k] == ' ') ++k;
      if (k + 1 >= text.size() || !is_digit(text[k]) || !is_digit(text[k + 1])) break;
      k += 2;
    }
    if (k < text.size() && text[k] == ' ') ++k;
    if (pairs == 3 && k < text.size() && text[k] >= 'A' && text[k] <= 'D' &&
        (k + 1 >= text.size() || !is_alnum(text[k + 1])))
      return k + 1;
  }
  // United States: 3-2-4 digits.
  if (at + 11 <= text.size() && text[at + 3] == '-' && text[at + 6] == '-') {
    bool all = true;
    for (size_t k = 0; k < 11; ++k) all &= k == 3 || k == 6 || is_digit(text[at + k]);
    if (all && (at + 11 == text.size() || !is_alnum(text[at + 11]))) return at + 11;
  }
  return 0;
}

// A date with its year that begins at `at`: 3/5/1980, 1980-05-03, 3 May 1980, 3 de mayo de 1980,
// May 3, 1980; its end, or 0.
size_t date_at(std::string_view text, size_t at) {
  size_t groups = 0, words = 0, end = 0;
  bool year = false;
  for (size_t i = at; i < text.size() && groups < 3 && i < at + 36;) {
    if (is_digit(text[i])) {
      size_t run = 0;
      while (i < text.size() && is_digit(text[i])) {
        ++run;
        ++i;
      }
      if (run != 1 && run != 2 && run != 4) return 0;
      ++groups;
      year |= run == 4;
      end = i;
    } else if (is_letter(text[i])) {
      size_t letters = 0;
      for (; i < text.size() && is_letter(text[i]); ++i) ++letters;
      words += letters > 2;  // not "de", "of", "th"
    } else if (std::string_view(" .,/-").find(text[i]) != std::string_view::npos) {
      ++i;
    } else {
      break;
    }
    if (words > 1) break;
    if ((groups == 3 && words == 0) || (groups == 2 && words == 1 && year)) return end;
  }
  return 0;
}

// The words at `at` that say a date of birth follows, and the date: its end, or 0. The date stands
// within 12 bytes behind them, or 30 where they name a date, on the same line; a rule about
// births ("born before 1 May 2010", "born in") is nobody's date of birth. low: the text in lower
// case.
size_t birth_at(std::string_view text, const std::string& low, size_t at) {
  for (std::string_view words : {"born",
                                 "date of birth",
                                 "dob",
                                 "d.o.b.",
                                 "birthday",
                                 "birth date",
                                 "nacid",
                                 "fecha de nacimiento",
                                 "f. nac",
                                 "nació",
                                 "geboren",
                                 "geb.",
                                 "geburtsdatum",
                                 "né le",
                                 "née le",
                                 "date de naissance",
                                 "nato il",
                                 "nata il",
                                 "data di nascita",
                                 "nascid",
                                 "data de nascimento",
                                 "geboortedatum"}) {
    if (!std::string_view(low).substr(at).starts_with(words)) continue;
    // "born on the", "nacida el", "date of birth as we have it:"
    size_t i = at + words.size();
    const size_t most = i + (words.find("date") + 1 || words.find("fecha") + 1 ? 30 : 12);
    while (i < text.size() && i < most && !is_digit(text[i]) && text[i] != '.' && text[i] != '\n')
      ++i;
    const std::string_view between =
        std::string_view(low).substr(at + words.size(), i - at - words.size());
    for (std::string_view rule : {"after", "before", "since", "antes", "desp", "desde", "nach",
                                  "vor", "avant", "apr", "in", "en "})
      if (between.find(rule) != between.npos) return 0;
    if (i < text.size() && text[i] == '.') ++i;
    while (i < text.size() && text[i] == ' ') ++i;
    if (i < text.size() && is_digit(text[i]))
      if (const size_t end = date_at(text, i)) return end;
    // The month first: "born May 3, 1980".
    size_t from = at + words.size();
    while (from < text.size() && (text[from] == ' ' || text[from] == ':')) ++from;
    if (from < text.size() && is_letter(text[from]))
      if (const size_t end = date_at(text, from)) return end;
  }
  return 0;
}

}  // namespace

void find_personal(std::string_view text, std::vector<PersonalPiece>& out) {
  out.clear();
  std::string plain;
  const std::string low = lower_in_place(text);
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const char small = low[at];
    const bool may_tell_birth =
        small == 'b' || small == 'd' || small == 'n' || small == 'f' || small == 'g';
    if (may_tell_birth && (at == 0 || !is_alnum(text[at - 1])))
      if (const size_t end = birth_at(text, low, at)) {
        out.push_back({uint32_t(at), uint32_t(end), "date of birth", 0.9});
        at = end - 1;
        continue;
      }
    if (c == '@') {
      size_t begin = 0;
      if (const size_t end = mail_at(text, at, begin)) {
        out.push_back({uint32_t(begin), uint32_t(end), "mail address", 0.95});
        at = end - 1;
      }
      continue;
    }
    const bool starts = at == 0 || !is_alnum(text[at - 1]);
    if (starts && is_alnum(c)) {
      const size_t document = document_at(text, low, at),
                   account = document ? 0 : sort_code_at(text, low, at),
                   address = document || account ? 0 : address_at(text, low, at);
      if (const size_t end = std::max({document, account, address})) {
        out.push_back({uint32_t(at), uint32_t(end),
                       document  ? "identity number"
                       : account ? "account number"
                                 : "postal address",
                       0.8});
        at = end - 1;
        continue;
      }
    }
    const bool upper = c >= 'A' && c <= 'Z';
    if (!starts || !(is_digit(c) || c == '+' || c == '(' || upper)) continue;
    const char before = at ? text[at - 1] : ' ';
    size_t end = 0;
    if (upper && at + 4 < text.size() && text[at + 1] >= 'A' && text[at + 1] <= 'Z' &&
        is_digit(text[at + 2]) && is_digit(text[at + 3])) {
      // A word in capitals may follow behind a blank: the longest that passes counts.
      grouped(text, at, 34, plain);
      const bool told = tells_account(low, at);
      for (size_t length = plain.size(); length >= 15; --length) {
        std::string part;
        const bool checked = iban(plain.substr(0, length));
        if (!checked && !(told && length >= 20)) continue;
        end = grouped(text, at, length, part);
        if (end < text.size() && is_alnum(text[end])) continue;
        out.push_back({uint32_t(at), uint32_t(end), "IBAN", checked ? 1 : 0.8});
        break;
      }
      if (!out.empty() && out.back().end == end && end > at) {
        at = end - 1;
        continue;
      }
    }
    const bool joined = before == '-' || before == '#' || before == '/' || before == '.' ||
                        before == '_' || before == '$' || before == ':';
    if ((is_digit(c) || upper) && !joined) {
      if ((end = identity_at(text, at))) {
        out.push_back({uint32_t(at), uint32_t(end), "identity number", 0.9});
        at = end - 1;
        continue;
      }
    }
    if (upper) continue;
    if (is_digit(c) && !joined) {
      std::string digits;
      end = at;
      for (size_t i = at; i < text.size() && digits.size() < 20; ++i) {
        if (is_digit(text[i])) {
          digits += text[i];
          end = i + 1;
        } else if (!((text[i] == ' ' || text[i] == '-') && i == end)) {
          break;
        }
      }
      if (digits.size() >= 13 && digits.size() <= 19 && digits[0] >= '2' && digits[0] <= '6' &&
          (luhn(digits) || (digits.size() == 16 && tells_card(low, at))) &&
          (end >= text.size() || !is_letter(text[end]))) {
        out.push_back({uint32_t(at), uint32_t(end), "card number", luhn(digits) ? 1 : 0.8});
        at = end - 1;
        continue;
      }
    }
    double certain = 0;
    const bool goes_on = at >= 2 && before == ' ' && is_digit(text[at - 2]);  // a longer number
    if ((!joined || before == ':') && !goes_on && (end = phone_at(text, at, certain))) {
      out.push_back({uint32_t(at), uint32_t(end), "telephone number", certain});
      at = end - 1;
      continue;
    }
    // Not from the middle of a longer number.
    while (at + 1 < text.size() && is_digit(c) && is_digit(text[at + 1])) ++at;
  }
}

}  // namespace afina
