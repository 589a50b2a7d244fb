// Reads what stands behind the names of documents and streets, in English and Spanish.
#include "data/checks/personal_named.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <vector>

namespace afina {

namespace {

constexpr size_t most_between = 25;  // bytes between a document and its number
constexpr size_t least_digits = 6;   // of such a number
// What a telephone number stands behind.
constexpr std::string_view calls[] = {"call", "phone", "ring", "llam", "tel"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || uint8_t(c) >= 0x80; }
bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
using Words = std::initializer_list<std::string_view>;

// The longest of some words that stands at `at`, and ends there; 0: none.
size_t starts(std::string_view low, size_t at, Words words) {
  size_t longest = 0;
  for (std::string_view word : words)
    if (word[0] == low[at] && word.size() > longest && low.substr(at).starts_with(word) &&
        (at + word.size() >= low.size() || !is_alnum(low[at + word.size()])))
      longest = word.size();
  return longest;
}

// Whether one of some words stands within 60 bytes before `at`, alone or with an s.
bool has_before(std::string_view low, size_t at, Words words) {
  const std::string_view before = low.substr(at > 60 ? at - 60 : 0, std::min<size_t>(at, 60));
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    for (size_t i = before.find(word); i != before.npos; i = before.find(word, i + 1)) {
      size_t end = i + word.size();
      if (end < before.size() && before[end] == 's') ++end;
      if ((i == 0 || !is_alnum(before[i - 1])) && (end == before.size() || !is_alnum(before[end])))
        return true;
    }
    return false;
  });
}

// Whether a number is a date, hours, thousands or years, and not somebody's: groups of digits
// alone.
bool is_count_or_time(std::string_view number) {
  std::vector<std::string_view> groups;
  bool blanks = true;
  for (size_t i = 0; i < number.size();) {
    const size_t end = std::min(number.find_first_of(" .-", i), number.size());
    const std::string_view group = number.substr(i, end - i);
    for (char c : group)
      if (!is_digit(c)) return false;
    if (end < number.size() && number[end] != ' ') blanks = false;
    if (!group.empty()) groups.push_back(group);
    i = end + 1;
  }
  if (groups.size() < 2) return false;
  auto all = [&](size_t first, auto holds) {
    return std::all_of(groups.begin() + std::ptrdiff_t(first), groups.end(), holds);
  };
  const bool years = all(0, [](std::string_view g) {
    return g.size() == 4 && (g.starts_with("19") || g.starts_with("20"));
  });
  if (years || blanks) return years;
  const size_t digits = number.size() - (groups.size() - 1);
  const bool date = groups.size() == 3 && digits <= 8 && groups[1].size() <= 2,
             hours = groups.size() == 4 && all(0, [](std::string_view g) { return g.size() == 2; }),
             thousands =
                 groups[0].size() <= 3 && all(1, [](std::string_view g) { return g.size() == 3; });
  return date || hours || thousands;
}

// Whether a word in small letters goes on at `at` that is none of these.
bool goes_on(std::string_view text, size_t at, Words but) {
  if (at + 1 >= text.size() || text[at] != ' ' || !(text[at + 1] >= 'a' && text[at + 1] <= 'z'))
    return false;
  return starts(text, at + 1, but) == 0;
}

// Capital letters and digits from `at`, with single blanks, dots and hyphens between them: the end
// where they have enough digits, else 0.
size_t number_at(std::string_view text, size_t at) {
  size_t digits = 0, end = at;
  for (size_t i = at; i < text.size() && i < at + 40; ++i) {
    if (is_digit(text[i]) || is_upper(text[i])) {
      // Not the first letter of a word.
      size_t next = i + 1;
      while (next < text.size() && is_upper(text[next])) ++next;
      if (is_upper(text[i]) && next < text.size() && is_letter(text[next])) break;
      digits += is_digit(text[i]);
      end = i + 1;
    } else if (i != end || std::string_view(" .-").find(text[i]) == std::string_view::npos) {
      break;
    }
  }
  return digits >= least_digits ? end : 0;
}

size_t postcode_at(std::string_view text, size_t at) {
  size_t i = at, letters = 0;
  while (i < text.size() && is_upper(text[i]) && letters < 2) {
    ++i;
    ++letters;
  }
  if (letters == 0 || i >= text.size() || !is_digit(text[i])) return 0;
  ++i;
  if (i < text.size() && (is_digit(text[i]) || is_upper(text[i]))) ++i;
  if (i + 3 >= text.size() || text[i] != ' ' || !is_digit(text[i + 1]) || !is_upper(text[i + 2]) ||
      !is_upper(text[i + 3]) ||
      (text[i + 3] == 'B' &&
       std::string_view("GTMK").find(text[i + 2]) != std::string_view::npos) ||  // "2 8GB"
      (i + 4 < text.size() && is_alnum(text[i + 4])))
    return 0;
  return i + 4;
}

}  // namespace

bool tells_account(std::string_view low, size_t at) {
  return has_before(low, at,
                    {"account", "iban", "transfer", "transferencia", "transferred", "cuenta",
                     "konto", "compte", "conto", "conta"});
}
bool tells_card(std::string_view low, size_t at) {
  return has_before(
      low, at,
      {"card", "tarjeta", "karte", "carte", "carta", "cartão", "visa", "american express"});
}

size_t document_at(std::string_view text, std::string_view low, size_t at) {
  const size_t name = starts(low, at,
                             {"passport",
                              "identity card",
                              "identity document",
                              "id card",
                              "driving licence",
                              "driver's license",
                              "driver's licence",
                              "driving license",
                              "residence permit",
                              "work permit",
                              "blue badge",
                              "social security",
                              "national insurance",
                              "health card",
                              "medical record",
                              "patient record",
                              "pasaporte",
                              "dni",
                              "nie",
                              "nif",
                              "permiso de conducir",
                              "carné de conducir",
                              "carnet de conducir",
                              "permiso de residencia",
                              "tarjeta sanitaria",
                              "seguridad social",
                              "historia clínica",
                              "reisepass",
                              "personalausweis",
                              "führerschein",
                              "carte d'identité",
                              "permis de conduire"});
  // In small letters it is a German word.
  if (name == 0 || (low.substr(at, name) == "nie" && text.substr(at, name) != "NIE")) return 0;
  for (size_t i = at + name; i < text.size() && i < at + name + most_between; ++i) {
    if (text[i] == '\n' || text[i] == '?' || text[i] == '!' || text[i] == '/') return 0;
    if (!(is_digit(text[i]) || is_upper(text[i])) || is_alnum(text[i - 1])) continue;
    if (const size_t end = number_at(text, i)) {
      const std::string_view between = low.substr(at + name, i - at - name);
      const bool called = std::any_of(std::begin(calls), std::end(calls), [&](auto word) {
        return between.find(word) != between.npos;
      });
      return called || is_count_or_time(text.substr(i, end - i)) ? 0 : end;
    }
    while (i + 1 < text.size() && is_alnum(text[i + 1])) ++i;
  }
  return 0;
}

size_t sort_code_at(std::string_view text, std::string_view low, size_t at) {
  if (at + 8 > text.size() ||
      (at + 8 < text.size() && (is_alnum(text[at + 8]) || text[at + 8] == '-')))
    return 0;
  for (size_t k = 0; k < 8; ++k)
    if (k % 3 == 2 ? text[at + k] != '-' : !is_digit(text[at + k])) return 0;
  // A date: of a day and a month.
  const int first = (text[at] - '0') * 10 + text[at + 1] - '0',
            second = (text[at + 3] - '0') * 10 + text[at + 4] - '0';
  const bool date = first >= 1 && first <= 31 && second >= 1 && second <= 12;
  const std::string_view around = low.substr(at > 40 ? at - 40 : 0, 90);
  if (around.find("sort code") != around.npos) return at + 8;
  if (date || (around.find("account") == around.npos && around.find("bank") == around.npos))
    return 0;
  size_t run = 0;
  for (char c : around) {
    run = is_digit(c) ? run + 1 : 0;
    if (run == 8) return at + 8;
  }
  return 0;
}

size_t address_at(std::string_view text, std::string_view low, size_t at) {
  if (const size_t end = postcode_at(text, at)) return end;
  if (is_digit(text[at])) {
    size_t i = at;
    while (i < text.size() && is_digit(text[i])) ++i;
    if (i > at + 4) return 0;
    if (i < text.size() && is_letter(text[i])) ++i;
    // One to three words with capitals, then what a street is called.
    for (int words = 0; words < 4; ++words) {
      if (i + 1 >= text.size() || text[i] != ' ' || !is_upper(text[i + 1])) return 0;
      const size_t begin = i + 1;
      for (i = begin; i < text.size() && (is_letter(text[i]) || text[i] == '\'');) ++i;
      if (words > 0 && starts(low, begin,
                              {"street", "road", "lane", "close", "avenue", "terrace", "drive",
                               "row", "gardens", "crescent", "grove", "way", "court", "mews",
                               "place", "boulevard", "st", "rd", "ave"}) == i - begin)
        return goes_on(
                   text, i,
                   {"in", "is", "near", "and", "at", "on", "from", "with", "for", "to", "or", "as"})
                   ? 0
                   : i;
    }
    return 0;
  }
  const size_t street = starts(low, at,
                               {"calle", "avenida", "avda", "plaza", "paseo", "travesía", "ronda",
                                "camino", "carretera", "c/"});
  if (street == 0) return 0;
  // A name, then the number of the house.
  bool named = false;
  for (size_t i = at + street; i < text.size() && i < at + street + 45; ++i) {
    if (std::string_view("\n?!;:()").find(text[i]) != std::string_view::npos) return 0;
    if (text[i] == '.' && i > at + street) return 0;
    if (text[i - 1] == ' ' && is_upper(text[i])) named = true;
    if (!is_digit(text[i])) continue;
    size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (!named || end > i + 3 || (text[i - 1] != ' ')) return 0;
    // "in Calle Mayor from 9:00", "plaza de Colón el 3 de mayo"
    const size_t word = low.find_last_not_of(' ', i - 1);
    const bool direct = low[word] == ',' || is_upper(text[low.find_last_of(' ', word) + 1]);
    const bool counted =
        end < text.size() &&
        (text[end] == ':' || text[end] == '%' || text.substr(end).starts_with(" €") ||
         goes_on(text, end,
                 {"y", "en", "o", "piso", "bajo", "bis", "puerta", "esc", "portal", "es", "a",
                  "para", "con", "por"}));
    return direct && !counted ? end : 0;
  }
  return 0;
}

}  // namespace afina
