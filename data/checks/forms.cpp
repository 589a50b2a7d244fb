// The greetings and sign-offs that most answers of a file have in common, and which answers
// differ. A house may have several of them: "Dear" and "Hello", "Estimado" and "Estimada".
#include <algorithm>
#include <map>

#include "data/checks/answer_ends.h"
#include "data/checks/quoted_mail.h"

namespace afina {

namespace {

template <class Counts>
std::pair<uint64_t, uint32_t> top(const Counts& counts) {
  std::pair<uint64_t, uint32_t> best{0, 0};
  for (auto& [key, count] : counts)
    if (count > best.second || (count == best.second && uint64_t(key) < best.first))
      best = {uint64_t(key), count};
  return best;
}

bool has(const std::vector<uint64_t>& some, uint64_t one) {
  return std::find(some.begin(), some.end(), one) != some.end();
}

}  // namespace

// Where hardly any answer has a sign-off, those that do: a block of two or three short lines below
// an empty one, whose first ends with a comma, an exclamation mark, or without a mark.
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
    // "Best wishes" and a name: two lines without a mark.
    const size_t last = block.find_last_not_of(" \t\r\n");
    const bool plain = uint8_t(block[line - 1] | 32) >= 'a' && uint8_t(block[last] | 32) >= 'a' &&
                       block[0] >= 'A' && block[0] <= 'Z';
    if (parted && (block[line - 1] == ',' || block[line - 1] == '!' || plain))
      signs.emplace_back(a, begin);
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
    }
    // One word more as long as most of those that end in the shorter tail share it.
    if (members.size() >= 10) {
      uint32_t first_count = 0;
      for (uint32_t k = 1; k <= longest_sign; ++k) {
        std::unordered_map<uint64_t, uint32_t> tails;
        for (uint32_t a : members)
          if (k == 1 || ends[a].tail[k - 1] == form.sign) ++tails[ends[a].tail[k]];
        auto [key, count] = top(tails);
        if (k == 1) first_count = count;
        if (key == 0 || double(count) < most_of_answers * n || double(count) < 0.8 * first_count)
          break;
        form.sign = key;
        form.sign_words = k;
      }
      // What is most of every answer is the answer itself, and a number is no sign-off.
      if (double(form.sign_words) * 2.5 > double(length) / n) form.sign_words = 0;
      if (!form.sign_words) form.sign = 0;
    }
    find_greetings(members, ends, form);
    const std::vector<uint64_t> blocks = find_signs(*this, members, ends, form);
    const bool lines = signs_below(*this, members, ends, form);
    const uint16_t index = uint16_t(forms_.size());
    std::map<char, uint32_t> marks;
    uint32_t greeted = 0;
    for (size_t m = 0; m < members.size(); ++m) {
      const uint32_t a = members[m];
      Answer& answer = answers_[a];
      answer.group = index;
      const std::string_view content = unquoted(text(answer.turn));
      split_words(content, words);
      if (form.greeting && ends[a].greeting_end) {
        answer.greets = has(form.greetings, ends[a].first);
        answer.own_greeting = !answer.greets;
        // Of another form, a greeting is a line of its own.
        const bool line =
            ends[a].greeting_end >= content.size() || content[ends[a].greeting_end] == '\n';
        if (!answer.greets && !line) answer.own_greeting = false;
        else answer.body_begin = ends[a].greeting_end;
        if (answer.greets) {
          ++greeted;
          ++marks[ends[a].first_mark];
          if (form.greeting_text.empty() && ends[a].first == form.greeting)
            form.greeting_text = std::string(content.substr(0, ends[a].greeting_end));
        }
      }
      if (!form.sign_words) continue;
      uint32_t begin = own_sign_begin(content, answer.body_begin);
      const uint32_t house = tail_begin(words, form, ends[a]);
      if (house != no_turn && !(lines && more_than(content, house, begin))) {
        answer.signs = true;
        begin = house;
        if (form.sign_text.empty()) form.sign_text = std::string(content.substr(begin));
      } else if (begin < content.size() && has(form.signs, blocks[m])) {
        answer.signs = true;
        if (form.sign_text.empty() && blocks[m] == form.signs[0])
          form.sign_text = std::string(content.substr(begin));
      } else {
        if (house != no_turn) begin = std::min(begin, line_of(content, house));
        answer.own_sign = begin < content.size();
      }
      answer.body_end = std::max(begin, answer.body_begin);
    }
    // What stands below the whole farewell of the house and an empty line is none of the answer.
    for (uint32_t a : members) {
      Answer& answer = answers_[a];
      if (answer.signs || form.sign_text.empty() || form.sign_text.find('\n') == std::string::npos)
        continue;
      const std::string_view all = text(answer.turn);
      // Unless the answer goes on below quoted lines, with an end of its own.
      if (quoted_from(all) < all.size() && unquoted(all).size() == all.size()) continue;
      const size_t at = all.rfind("\n" + form.sign_text);
      if (at == all.npos || at < answer.body_begin) continue;
      const std::string_view below = all.substr(at + 1 + form.sign_text.size());
      if (below.find('\n', below.find('\n') + 1) > below.find_first_not_of(" \r\n")) continue;
      answer.signs = true;
      answer.own_sign = false;
      answer.body_end = uint32_t(at + 1);
    }
    if (!form.sign_words) find_rare_signs(members);
    auto [mark, marked] = top(marks);
    if (double(marked) >= 0.9 * double(greeted)) form.greeting_end = char(mark);
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
