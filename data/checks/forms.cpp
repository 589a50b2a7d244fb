// The greeting and the sign-off that most answers of a file have in common, and which answers
// differ.
#include <algorithm>
#include <map>

#include "data/checks/corpus.h"
#include "data/checks/quoted_mail.h"

namespace afina {

namespace {

constexpr uint32_t longest_sign = 12;  // words
constexpr double most = 0.5;           // share of answers that makes a house form

struct Ends {
  uint64_t first = 0;                    // first word
  char first_mark = 0;                   // the mark that ends a greeting, within the first words
  uint32_t greeting_end = 0;             // byte behind it
  uint64_t tail[longest_sign + 1] = {};  // hash of the last k words
};

bool is_mark(std::string_view text, const Word& word, std::string_view set) {
  return word.kind == WordKind::mark && word.end - word.begin == 1 &&
         set.find(text[word.begin]) != set.npos;
}

// What stands before another mail that is quoted.
std::string_view unquoted(std::string_view text) {
  const std::string_view own = text.substr(0, quoted_from(text)), rest = text.substr(own.size());
  // Quoted lines in the middle: what follows them is the answer's own end.
  const size_t last = rest.find_last_of('\n');
  if (rest.find("\n>") != rest.npos && last != rest.npos && last + 1 < rest.size() &&
      rest[last + 1] != '>')
    return text;
  const size_t end = own.find_last_not_of(" \t\r\n");
  return own.size() == text.size() || end == own.npos ? text : own.substr(0, end + 1);
}

// A greeting: at most four words, then a mark or the end of the line.
void read_greeting(std::string_view text, const std::vector<Word>& words, Ends& ends) {
  uint32_t plain = 0;
  if (words.empty() || words[0].kind != WordKind::word) return;
  for (uint32_t i = 0; i < words.size() && plain <= 4; ++i) {
    if (words[i].kind == WordKind::word) {
      if (plain++ == 0) ends.first = words[i].id;
    }
    if (plain == 0) continue;
    const size_t next = i + 1 < words.size() ? words[i + 1].begin : text.size();
    const bool line = text.substr(words[i].end, next - words[i].end).find('\n') != text.npos;
    // A comma may stand inside: "Hola, Marta:".
    const bool inner = is_mark(text, words[i], ",") && !line && plain < 2;
    if (line || (is_mark(text, words[i], ",:!.") && !inner)) {
      if (plain > 4) return;
      ends.first_mark = words[i].kind == WordKind::mark ? text[words[i].begin] : '\n';
      uint32_t last = i;
      while (last + 1 < words.size() && is_mark(text, words[last + 1], "!")) ++last;
      ends.greeting_end = words[last].end;
      return;
    }
  }
}

// Where the last lines begin that look like a sign-off: short and without a point at their end,
// behind a body. Nothing before `least` is one.
uint32_t own_sign_begin(std::string_view text, uint32_t least) {
  size_t end = text.find_last_not_of(" \t\r\n");
  if (end == text.npos) return uint32_t(text.size());
  ++end;
  size_t begin = text.size();
  for (int lines = 0; lines < 3; ++lines) {
    const size_t before = text.substr(0, end).find_last_of('\n');
    if (before == text.npos || before < least) break;
    const std::string_view line = text.substr(before + 1, end - before - 1);
    const size_t words = size_t(std::count(line.begin(), line.end(), ' ')) + 1;
    const size_t last = line.find_last_not_of(" \t\r");
    if (last == line.npos || words > 6 || line[last] == '?' || (line[last] == '.' && !(words <= 2)))
      break;
    begin = before + 1;
    end = text.substr(0, before).find_last_not_of(" \t\r\n") + 1;
    if (end == 0) break;
  }
  // All of it is short lines: then that is the answer.
  if (begin < text.size() && text.substr(0, begin).find_last_not_of(" \t\r\n") + 1 <= least)
    return uint32_t(text.size());
  return uint32_t(begin);
}

}  // namespace

// Where hardly any answer has a sign-off, those that do: a block of two or three short lines below
// an empty one, whose first ends with a comma or an exclamation mark.
void Corpus::find_rare_signs(const std::vector<uint32_t>& members) {
  std::vector<std::pair<uint32_t, uint32_t>> signs;  // answer, where its sign-off begins
  for (uint32_t a : members) {
    const std::string_view content = unquoted(text(answers_[a].turn));
    const uint32_t begin = own_sign_begin(content, answers_[a].body_begin);
    if (begin == 0 || begin >= content.size()) continue;
    const size_t above = content.substr(0, begin).find_last_not_of(" \t\r\n");
    const std::string_view block = content.substr(begin);
    const size_t line = block.find('\n');
    if (above == content.npos || line == block.npos || line == 0) continue;
    const std::string_view gap = content.substr(above + 1, begin - above - 1);
    const bool parted = std::count(gap.begin(), gap.end(), '\n') >= 2;
    if (parted && (block[line - 1] == ',' || block[line - 1] == '!')) signs.emplace_back(a, begin);
  }
  if (members.size() < 40 || signs.size() * 8 > members.size()) return;
  for (auto [a, begin] : signs) {
    answers_[a].own_sign = true;
    answers_[a].body_end = begin;
  }
}

void Corpus::find_forms() {
  // Answers of one language, first and later turns apart: a greeting may stand in the first alone.
  std::map<std::pair<std::string, bool>, std::vector<uint32_t>> groups;
  std::vector<Word> words;
  std::vector<Ends> ends(answers_.size());
  for (uint32_t a = 0; a < answers_.size(); ++a) {
    const std::string_view content = unquoted(text(answers_[a].turn));
    split_words(content, words);
    const bool later = a > 0 && answers_[a - 1].record == answers_[a].record;
    groups[{language_of(content, words), later}].push_back(a);
    read_greeting(content, words, ends[a]);
  }
  // Undecided ones, and languages with few answers, go with the greatest group.
  for (bool later : {false, true}) {
    auto greatest = groups.end();
    for (auto group = groups.begin(); group != groups.end(); ++group)
      if (group->first.second == later &&
          (greatest == groups.end() || group->second.size() > greatest->second.size()))
        greatest = group;
    if (greatest == groups.end()) continue;
    for (auto group = groups.begin(); group != groups.end();) {
      const bool small = group->first.first.empty() || group->second.size() < 20;
      if (group != greatest && group->first.second == later && small) {
        greatest->second.insert(greatest->second.end(), group->second.begin(), group->second.end());
        group = groups.erase(group);
      } else {
        ++group;
      }
    }
  }
  // Few later turns go with the first ones of their language.
  for (auto group = groups.begin(); group != groups.end();) {
    auto first = groups.find({group->first.first, false});
    if (group->first.second && group->second.size() < 10 && first != groups.end()) {
      first->second.insert(first->second.end(), group->second.begin(), group->second.end());
      group = groups.erase(group);
    } else {
      ++group;
    }
  }
  for (auto& [name, members] : groups) {
    std::sort(members.begin(), members.end());
    HouseForm form;
    form.language = name.first;
    form.answers = uint32_t(members.size());
    const double n = double(members.size());
    // The last words: names that many answers have stay as they are.
    std::unordered_map<uint64_t, uint32_t> firsts;
    size_t length = 0;
    for (uint32_t a : members) {
      const std::string_view content = unquoted(text(answers_[a].turn));
      split_words(content, words);
      uint64_t hash = 29;
      uint32_t k = 0;
      for (size_t i = words.size(); i-- > 0 && k < longest_sign;) {
        const Word& word = words[i];
        // A sentence before it is part of the answer.
        if (k > 0 && is_mark(content, word, ".?")) break;
        if (word.kind == WordKind::mark) continue;
        uint64_t id = word.id;
        if (word.kind != WordKind::word) id = value_word;
        else if (is_name(word.id) && use(word.id).answers < 0.3 * n) id = name_word;
        hash = hash_with(hash, id);
        ends[a].tail[++k] = hash;
      }
      length += words.size();
      if (ends[a].greeting_end) ++firsts[ends[a].first];
    }
    auto top = [](const auto& counts) {
      std::pair<uint64_t, uint32_t> best{0, 0};
      for (auto& [key, count] : counts)
        if (count > best.second || (count == best.second && uint64_t(key) < best.first))
          best = {uint64_t(key), count};
      return best;
    };
    // One word more as long as most of those that end in the shorter tail share it.
    if (members.size() >= 10) {
      uint32_t first_count = 0;
      for (uint32_t k = 1; k <= longest_sign; ++k) {
        std::unordered_map<uint64_t, uint32_t> tails;
        for (uint32_t a : members)
          if (k == 1 || ends[a].tail[k - 1] == form.sign) ++tails[ends[a].tail[k]];
        auto [key, count] = top(tails);
        if (k == 1) first_count = count;
        if (key == 0 || double(count) < most * n || double(count) < 0.8 * first_count) break;
        form.sign = key;
        form.sign_words = k;
      }
      // What is most of every answer is the answer itself, and a number is no sign-off.
      if (double(form.sign_words) * 2.5 > double(length) / n) form.sign_words = 0;
    }
    auto [greeting, count] = top(firsts);
    if (members.size() >= 10 && double(count) >= most * n) form.greeting = greeting;
    const uint16_t index = uint16_t(forms_.size());
    std::map<char, uint32_t> marks;
    for (uint32_t a : members) {
      Answer& answer = answers_[a];
      answer.group = index;
      const std::string_view content = unquoted(text(answer.turn));
      split_words(content, words);
      if (form.greeting && ends[a].greeting_end) {
        answer.greets = ends[a].first == form.greeting;
        answer.own_greeting = !answer.greets;
        // Of another form, a greeting is a line of its own.
        const bool line =
            ends[a].greeting_end >= content.size() || content[ends[a].greeting_end] == '\n';
        if (!answer.greets && !line) answer.own_greeting = false;
        else answer.body_begin = ends[a].greeting_end;
        if (answer.greets) {
          ++marks[ends[a].first_mark];
          if (form.greeting_text.empty())
            form.greeting_text = std::string(content.substr(0, ends[a].greeting_end));
        }
      }
      if (!form.sign_words) continue;
      uint32_t begin = own_sign_begin(content, answer.body_begin);
      if (ends[a].tail[form.sign_words] == form.sign) {
        answer.signs = true;
        uint32_t left = form.sign_words;
        size_t at = words.size();
        while (left > 0 && at > 0)
          if (words[--at].kind != WordKind::mark) --left;
        begin = words[at].begin;
        if (form.sign_text.empty()) form.sign_text = std::string(content.substr(begin));
      } else {
        answer.own_sign = begin < content.size();
      }
      answer.body_end = std::max(begin, answer.body_begin);
    }
    if (!form.sign_words) find_rare_signs(members);
    auto [mark, marked] = top(marks);
    if (double(marked) >= 0.9 * double(count)) form.greeting_end = char(mark);
    // A number that ends most answers is no sign-off.
    bool worded = false;
    split_words(form.sign_text, words);
    for (const Word& word : words) worded |= word.kind == WordKind::word;
    if (form.sign_words && !worded) {
      form.sign_words = 0;
      for (uint32_t a : members) {
        answers_[a].signs = answers_[a].own_sign = false;
        answers_[a].body_end = uint32_t(text(answers_[a].turn).size());
      }
    }
    forms_.push_back(std::move(form));
  }
}

}  // namespace afina
