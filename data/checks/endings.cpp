// Judges the last words of texts.
#include "data/checks/endings.h"

#include <algorithm>

#include "data/checks/answer_ends.h"
#include "data/checks/quoted_mail.h"

namespace afina {

bool ends_closed(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  if (last == text.npos) return true;
  if (std::string_view(".!?:;)]}\"'*`>|=").find(text[last]) != std::string_view::npos) return true;
  // The same marks beyond ASCII, and symbols such as smileys.
  for (std::string_view mark : {"\xE2\x80\xA6", "\xE2\x80\x9D", "\xE2\x80\x99", "\xC2\xBB",
                                "\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F"})
    if (text.substr(0, last + 1).ends_with(mark)) return true;
  if (uint8_t(text[last]) < 0x80) return false;
  std::vector<Word> words;
  split_words(text.substr(last > 32 ? last - 32 : 0), words);
  return !words.empty() && words.back().kind == WordKind::mark;
}

Endings::Endings(const Corpus& corpus) : corpus_(corpus) {
  size_t closed = 0, texts = 0, closed_text = 0;
  for (const Answer& answer : corpus.answers())
    closed += answer.signs || ends_closed(corpus.text(answer.turn).substr(0, answer.body_end));
  for (const Turn& turn : corpus.turns()) {
    if (turn.record >= corpus.records()) break;
    if (turn.role != TurnRole::text) continue;
    ++texts;
    closed_text += ends_closed(corpus.text(turn));
  }
  find_continued();
  if (!corpus.answers().empty()) closed_answers_ = double(closed) / double(corpus.answers().size());
  if (texts) closed_texts_ = double(closed_text) / double(texts);
}

// The words of a line; 0 where it ends with a mark, or has fewer than two words.
uint64_t Endings::line_hash(std::string_view line) const {
  std::vector<Word> words;
  split_words(line, words);
  if (words.size() < 2 || words.back().kind == WordKind::mark) return 0;
  uint64_t hash = 31;
  for (const Word& word : words) hash = hash_with(hash, word.id);
  return hash;
}

// Which last lines that look like farewells begin a sentence that other answers complete.
void Endings::find_continued() {
  std::unordered_set<uint64_t> asked;
  for (const Answer& answer : corpus_.answers()) {
    if (!answer.own_sign) continue;
    const std::string_view text = corpus_.text(answer.turn);
    const size_t last = text.find_last_not_of(" \t\r\n");
    const size_t line = text.substr(0, last + 1).find_last_of('\n');
    if (line == text.npos || line + 1 != answer.body_end) continue;
    if (const uint64_t hash = line_hash(text.substr(line + 1))) asked.insert(hash);
  }
  if (asked.empty()) return;
  std::vector<Word> words;
  for (const Sentence& sentence : corpus_.sentences()) {
    split_words(corpus_.text(sentence), words);
    uint64_t hash = 31;
    // The last word but one: a mark behind it completes nothing.
    for (size_t i = 0; i + 2 < words.size() && i < 8; ++i) {
      hash = hash_with(hash, words[i].id);
      if (words[i + 1].kind != WordKind::mark && asked.count(hash)) continued_.insert(hash);
    }
  }
}

double Endings::open_end(std::string_view text, double closed_share) const {
  if (ends_closed(text)) {
    const size_t last = text.find_last_not_of(" \t\r\n");
    return last != text.npos && (text[last] == ';') && closed_share > 0.9 ? 0.6 : 0;
  }
  std::vector<Word> words;
  split_words(text, words);
  if (words.size() < 3) return 0;
  const Word& last = words.back();
  if (last.kind == WordKind::mark) {
    const char mark = text[last.begin];
    return (mark == ',' || mark == '-') && closed_share > 0.5 ? 0.9 : 0;
  }
  // A name on a last line of its own is a signature.
  const size_t line = text.find_last_of('\n');
  if (last.capital && line != text.npos && words.size() > 3 &&
      std::count(text.begin() + std::ptrdiff_t(line), text.end(), ' ') < 8) {
    const std::string_view above = text.substr(0, line);
    const size_t end = above.find_last_not_of(" \t\r\n");
    if (end != above.npos && (ends_closed(above) || above[end] == ',')) return 0;
  }
  const WordUse& use = corpus_.use(last.id);
  const bool never_last = last.kind == WordKind::word &&
                          (is_function_word(last.id) ? use.ending * 50 <= use.answers
                                                     : use.answers >= 30 && use.ending == 0);
  if (never_last && closed_share > 0.5) return 0.95;
  return closed_share >= 0.9 ? 0.8 : 0;
}

double Endings::cut(const Answer& answer) const {
  std::string_view text = corpus_.text(answer.turn);
  // What stands below a mail's own text is another's.
  if (const uint32_t own = quoted_from(text); own > 0 && own < text.size())
    text = text.substr(0, own);
  if (const size_t last = text.find_last_not_of(" \t\r\n"); last != text.npos)
    text = text.substr(0, last + 1);
  const HouseForm& form = corpus_.forms()[answer.group];
  if (answer.signs) return 0;
  if (form.sign_words) {
    // In the middle of the sign-off.
    const std::string_view sign = form.sign_text;
    for (size_t length = sign.size() - 1; length >= 3; --length)
      if (text.ends_with(sign.substr(0, length)) && text.size() > length &&
          (text[text.size() - length - 1] == '\n' || text[text.size() - length - 1] == ' ')) {
        // "Cheers, Fernlink" is no beginning of "Fernlink Support".
        const std::string_view above = text.substr(0, text.size() - length);
        const size_t end = above.find_last_not_of(" \t\r\n");
        if (end != above.npos &&
            (!ends_closed(above) || line_of(above, uint32_t(end)) >= answer.body_end))
          break;
        return squeezed(sign.substr(length)).size() > 1 ? 0.9 : 0;
      }
  }
  if (answer.own_sign) {
    // A line that goes on in other answers is no farewell.
    const size_t line = text.find_last_of('\n');
    const bool one = line != text.npos && line + 1 == answer.body_end;
    if (!one || ends_closed(text)) return 0;
    const std::string_view own = text.substr(line + 1);
    const uint64_t begun = line_hash(own);
    // Nor is a line that has a sentence before its open end, or an article last.
    if (own.find(". ") != own.npos && own.find(". ") > 3) return 0.8;
    std::vector<Word> words;
    split_words(own, words);
    const WordUse& use = corpus_.use(words.back().id);
    if (words.size() > 1 && is_function_word(words.back().id) && use.ending * 50 <= use.answers)
      return 0.8;
    return begun && continued_.count(begun) ? 0.9 : 0;
  }
  return open_end(text, closed_answers_);
}

double Endings::cut_text(std::string_view text) const { return open_end(text, closed_texts_); }

}  // namespace afina
