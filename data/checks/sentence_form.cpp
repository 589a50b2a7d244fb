// Closed lists of English and Spanish words that show what a sentence does.
#include "data/checks/sentence_form.h"

#include <algorithm>

#include "data/checks/phrases.h"

namespace afina {

namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

// What stands behind "Otherwise" or "Tomorrow", and not behind a verb that begins an order.
bool is_subject(std::string_view w) {
  return is_one_of(w, {"i", "you", "he", "she", "we", "they", "there", "only"});
}

// Behind what a statement is about: "Parking is", "Coats and".
bool goes_on(std::string_view w) {
  return is_one_of(
      w, {"and",  "is",  "are",  "can", "may", "will", "y",    "es", "son", "se",  "has", "have",
          "must", "was", "were", "or",  "no",  "not",  "from", "of", "de",  "del", "que"});
}

// "Please send the form", "Then go to the place": stands before the verb of an order.
bool leads(std::string_view w) {
  return is_one_of(w, {"please", "just", "then", "simply", "now", "kindly", "luego", "despu\u00e9s",
                       "simplemente", "entonces"});
}

}  // namespace

bool is_yes_or_no(std::string_view w) {
  return is_one_of(w, {"yes", "no", "s\u00ed", "oui", "non", "ja", "nein", "sim"});
}

bool says_yes_or_no(std::string_view text) {
  std::vector<Word> words;
  split_words(text.substr(0, 40), words);
  if (words.empty()) return false;
  const std::string low = lower_text(text.substr(words[0].begin, words[0].end - words[0].begin));
  return is_yes_or_no(low) || is_one_of(low, {"n\u00e3o", "si", "nee", "certainly", "claro"});
}

bool has_apostrophe(std::string_view word) {
  return word.find('\'') != word.npos || word.find("\xE2\x80\x99") != word.npos;
}

bool is_order(std::string_view text, const std::vector<Word>& words) {
  bool order = false;
  uint32_t plain = 0;  // words so far; 9: decided
  for (const Word& word : words) {
    if (word.kind != WordKind::word) continue;
    const std::string_view one = text.substr(word.begin, word.end - word.begin);
    const std::string low = lower_text(one);
    if (plain == 0 && leads(low)) continue;
    // "Yes, you can", "It's a wren".
    const bool tells = is_yes_or_no(low) || (has_apostrophe(one) && !is_negation(low));
    if (plain == 0) plain = is_function_word(word.id) || tells ? 9 : 1;
    else if (plain == 1) {
      order = is_function_word(word.id) && !is_subject(low) && !goes_on(low);
      plain = low == "it" || low == "this" || low == "that" ? 2 : 9;
    } else if (plain == 2) {
      order = order && !goes_on(low);  // "Later it is shut", but "Send it to us"
      plain = 9;
    }
    if (plain == 9) break;
  }
  return order;
}

int pronouns_in(std::string_view text, const std::vector<Word>& words) {
  int found = 0;
  for (const Word& word : words)
    if (word.kind == WordKind::word)
      found += is_one_of(
          lower_text(text.substr(word.begin, word.end - word.begin)),
          {"it",      "this", "that",  "such",    "other",  "one",     "whatever",   "where",
           "as",      "what", "which", "somehow", "those",  "these",   "everything", "something",
           "whoever", "lo",   "eso",   "esto",    "donde",  "aquello", "que",        "como",
           "algo",    "cual", "otro",  "otra",    "cuando", "tal"});
  return found;
}

}  // namespace afina
