// Reads the first and the last words of answers.
#include "data/checks/answer_ends.h"

#include <algorithm>

#include "data/checks/quoted_mail.h"

namespace afina {

static constexpr double one_of = 0.1;  // share of answers that makes one of several forms

bool is_mark(std::string_view text, const Word& word, std::string_view set) {
  return word.kind == WordKind::mark && word.end - word.begin == 1 &&
         set.find(text[word.begin]) != set.npos;
}

std::string_view unquoted(std::string_view text) {
  const std::string_view own = text.substr(0, quoted_from(text));
  std::string_view rest = text.substr(own.size());
  // Quoted lines in the middle: what follows them is the answer's own end, if no program wrote it.
  if (!rest.empty()) rest = rest.substr(0, footer_from(rest));
  rest = rest.substr(0, rest.find_last_not_of(" \t\r\n") + 1);
  const size_t last = rest.find_last_of('\n');
  if (rest.find("\n>") != rest.npos && last != rest.npos && last + 1 < rest.size() &&
      std::string_view(">|[*-_").find(rest[last + 1]) == rest.npos)
    return text;
  const size_t end = own.find_last_not_of(" \t\r\n");
  return own.size() == text.size() || end == own.npos ? text : own.substr(0, end + 1);
}

// Do so few words end the line, with a mark as greetings have it, that it is all one greeting of at
// most four?
static bool line_greets(std::string_view text, const std::vector<Word>& words, uint32_t from,
                        uint32_t plain) {
  for (uint32_t i = from; i < words.size() && plain <= 4; ++i) {
    plain += words[i].kind == WordKind::word;
    const size_t next = i + 1 < words.size() ? words[i + 1].begin : text.size();
    if (text.substr(words[i].end, next - words[i].end).find('\n') != text.npos)
      return plain <= 4 && is_mark(text, words[i], ":,");
    if (is_mark(text, words[i], ".?!")) return false;
  }
  return false;
}

void read_greeting(std::string_view text, const std::vector<Word>& words, Ends& ends) {
  uint32_t plain = 0;
  if (words.empty() || words[0].kind != WordKind::word) return;
  for (uint32_t i = 0; i < words.size() && plain <= 4; ++i) {
    if (words[i].kind == WordKind::word) {
      if (plain++ == 0) {
        ends.first = words[i].id;
        ends.stem = stem_of(text.substr(words[i].begin, words[i].end - words[i].begin));
      }
    }
    if (plain == 0) continue;
    const size_t next = i + 1 < words.size() ? words[i + 1].begin : text.size();
    const bool line = text.substr(words[i].end, next - words[i].end).find('\n') != text.npos;
    // A comma may stand inside: "Hola, Marta:", "Buenos días, Marta:".
    const bool inner = is_mark(text, words[i], ",") && !line &&
                       (plain < 2 || line_greets(text, words, i + 1, plain));
    if (line || (is_mark(text, words[i], ",:!.") && !inner)) {
      if (plain > 4) return;
      ends.first_mark = words[i].kind == WordKind::mark ? text[words[i].begin] : '\n';
      uint32_t last = i;
      while (last + 1 < words.size() && is_mark(text, words[last + 1], "!")) ++last;
      ends.greeting_end = words[last].end;
      ends.named = ends.greeting_end >= text.size() || text[ends.greeting_end] == '\n';
      for (uint32_t k = 1; k < last; ++k)
        ends.named |= words[k].kind == WordKind::word && words[k].capital;
      return;
    }
  }
}

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

void find_greetings(const std::vector<uint32_t>& members, const std::vector<Ends>& ends,
                    HouseForm& form) {
  struct Use {
    uint32_t all = 0, named = 0;
    uint64_t stem = 0;
  };
  std::unordered_map<uint64_t, Use> uses;
  std::unordered_map<uint64_t, uint32_t> stems;
  for (uint32_t a : members) {
    if (!ends[a].greeting_end) continue;
    Use& use = uses[ends[a].first];
    ++use.all;
    use.named += ends[a].named;
    use.stem = ends[a].stem;
  }
  if (members.size() < 10) return;
  const double n = double(members.size());
  auto usual = [&](const Use& use) {
    return double(use.all) >= one_of * n && use.named * 2 >= use.all;
  };
  for (auto& [word, use] : uses)
    if (usual(use)) stems[use.stem] += use.all;
  std::vector<std::pair<uint32_t, uint64_t>> usuals;
  uint32_t all = 0;
  for (auto& [word, use] : uses) {
    const bool another = double(use.all) >= 0.03 * n && stems.count(use.stem);
    if (!usual(use) && !another && double(use.all) < most_of_answers * n) continue;
    usuals.emplace_back(use.all, word);
    all += use.all;
  }
  if (double(all) < most_of_answers * n) return;
  std::sort(usuals.begin(), usuals.end(), [](auto& a, auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (auto& [count, word] : usuals) form.greetings.push_back(word);
  form.greeting = form.greetings[0];
}

uint32_t tail_begin(const std::vector<Word>& words, const HouseForm& form, const Ends& ends) {
  if (!form.sign || ends.tail[form.sign_words] != form.sign) return no_turn;
  uint32_t left = form.sign_words;
  size_t at = words.size();
  while (left > 0 && at > 0)
    if (words[--at].kind != WordKind::mark) --left;
  return words[at].begin;
}

uint32_t line_of(std::string_view text, uint32_t at) {
  const size_t line = text.substr(0, at).find_last_of('\n');
  return line == text.npos ? 0 : uint32_t(line + 1);
}

bool more_than(std::string_view text, uint32_t house, uint32_t own) {
  const uint32_t line = line_of(text, house);
  if (line == 0) return false;
  const std::string_view before = text.substr(line, house - line);
  if (before.find_first_not_of(" \t-\xE2\x80\x93\x94") != before.npos)
    return before.find_first_of(".!?:") == before.npos;
  const size_t above = text.substr(0, line).find_last_not_of(" \t\r\n");
  return own < line && above != text.npos && text[above] == ',';
}

bool signs_below(const Corpus& corpus, const std::vector<uint32_t>& members,
                 const std::vector<Ends>& ends, const HouseForm& form) {
  uint32_t all = 0, below = 0;
  std::vector<Word> words;
  for (uint32_t a : members) {
    const std::string_view content = unquoted(corpus.text(corpus.answers()[a].turn));
    split_words(content, words);
    const uint32_t house = tail_begin(words, form, ends[a]);
    if (house == no_turn) continue;
    ++all;
    below += !more_than(content, house, own_sign_begin(content, 0));
  }
  return below * 10 >= all * 9;
}

std::vector<uint64_t> find_signs(const Corpus& corpus, const std::vector<uint32_t>& members,
                                 const std::vector<Ends>& ends, HouseForm& form) {
  std::vector<uint64_t> blocks;
  std::unordered_map<uint64_t, uint32_t> counts, lengths;
  std::vector<Word> words;
  const double n = double(members.size());
  uint32_t all = 0;
  for (uint32_t a : members) {
    const std::string_view content = unquoted(corpus.text(corpus.answers()[a].turn));
    const uint32_t begin = own_sign_begin(content, ends[a].greeting_end);
    split_words(content.substr(std::min<size_t>(begin, content.size())), words);
    uint64_t hash = 0, last = 0;
    uint32_t length = 0;
    bool worded = false;
    for (const Word& word : words) {
      if (word.kind == WordKind::mark) continue;
      uint64_t id = word.kind == WordKind::word ? word.id : Corpus::value_word;
      if (corpus.is_name(word.id) && corpus.use(word.id).answers < 0.3 * n) id = Corpus::name_word;
      worded |= word.kind == WordKind::word && id == word.id;
      ++length;
      if (id == Corpus::name_word && last == id) continue;
      last = id;
      hash = hash_with(hash, id);
    }
    const bool house = form.sign && ends[a].tail[form.sign_words] == form.sign;
    all += house;
    blocks.push_back(worded && !house ? hash : 0);
    if (blocks.back()) {
      ++counts[hash];
      lengths[hash] = length;
    }
  }
  std::vector<std::pair<uint32_t, uint64_t>> usual;
  for (auto& [hash, count] : counts) {
    if (double(count) < one_of * n) continue;
    usual.emplace_back(count, hash);
    all += count;
  }
  if (members.size() < 20 || double(all) < most_of_answers * n) return blocks;
  std::sort(usual.begin(), usual.end(), [](auto& a, auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (auto& [count, hash] : usual) form.signs.push_back(hash);
  if (!form.sign_words && !usual.empty()) form.sign_words = lengths[usual[0].second];
  return blocks;
}

}  // namespace afina
