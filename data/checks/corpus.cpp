// Takes records in, counts their words and finds the sentences of their answers.
#include "data/checks/corpus.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <mutex>

#include "data/checks/lone.h"
#include "data/checks/phrases.h"
#include "data/checks/quoted_mail.h"
#include "data/checks/stray.h"
#include "data/checks/topics.h"
#include "data/checks/value_conflict.h"
#include "engine/error.h"

namespace afina {

namespace {

TurnRole role_of(const std::string& role) {
  if (role == "assistant") return TurnRole::answer;
  if (role == "user") return TurnRole::question;
  return role == "system" ? TurnRole::system : TurnRole::other;
}

// "train.jsonl, line 12": 12 and "line".
std::pair<std::string, uint32_t> unit_of(const std::string& place, const std::string& file,
                                         size_t otherwise) {
  size_t digits = place.size();
  while (digits > 0 && place[digits - 1] >= '0' && place[digits - 1] <= '9') --digits;
  if (digits == place.size() || place.size() - digits > 9) return {"record", uint32_t(otherwise)};
  const uint32_t number = uint32_t(std::stoul(place.substr(digits)));
  std::string unit = place.substr(0, digits);
  if (unit.starts_with(file)) unit = unit.substr(file.size());
  while (!unit.empty() && (unit.front() == ',' || unit.front() == ' ')) unit.erase(0, 1);
  while (!unit.empty() && unit.back() == ' ') unit.pop_back();
  return {unit.empty() ? "record" : unit, number};
}

// Free memory to the system: glibc keeps what many small lists leave.
void give_back() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

struct Corpus::Shared {
  std::once_flag phrases_made, topics_made, lone_made, stray_made, conflicts_made;
  std::unique_ptr<const Phrases> phrases;
  std::unique_ptr<const Topics> topics;
  std::unique_ptr<const LoneSentences> lone;
  std::unique_ptr<const Stray> stray;
  ValueConflicts conflicts;
};

Corpus::Corpus() : shared_(std::make_unique<Shared>()) {}
Corpus::~Corpus() = default;
Corpus::Corpus(Corpus&&) noexcept = default;

const Phrases& Corpus::phrases() const {
  std::call_once(shared_->phrases_made, [&] {
    shared_->phrases = std::make_unique<Phrases>(*this);
    give_back();
  });
  return *shared_->phrases;
}

const Topics& Corpus::topics() const {
  std::call_once(shared_->topics_made, [&] {
    shared_->topics = std::make_unique<Topics>(*this);
    give_back();
  });
  return *shared_->topics;
}

const LoneSentences& Corpus::lone() const {
  std::call_once(shared_->lone_made, [&] {
    shared_->lone = std::make_unique<LoneSentences>(*this);
    give_back();
  });
  return *shared_->lone;
}

const Stray& Corpus::stray() const {
  std::call_once(shared_->stray_made, [&] {
    shared_->stray = std::make_unique<Stray>(*this);
    give_back();
  });
  return *shared_->stray;
}

const ValueConflicts& Corpus::value_conflicts() const {
  std::call_once(shared_->conflicts_made, [&] {
    shared_->conflicts = find_conflicts(*this);
    give_back();
  });
  return shared_->conflicts;
}

void Corpus::forget_shared() const {
  shared_ = std::make_unique<Shared>();
  give_back();
}

void Corpus::begin_file(const std::string& file, bool held_out) {
  require(held_out || training_ == records_.size(), "training files come before held-out ones");
  require(files_.size() < 65000, "more than 65000 files");
  files_.push_back({file, "", held_out, uint32_t(records_.size())});
}

void Corpus::add(const Example& example) {
  File& file = files_.back();
  const uint32_t index = uint32_t(records_.size());
  auto [unit, number] = unit_of(example.place, file.name, index - file.first + 1);
  if (file.unit.empty()) file.unit = unit;
  RecordPlace record{uint32_t(turns_.size()), 0, number, uint16_t(files_.size() - 1)};
  auto put = [&](const std::string& text, TurnRole role) {
    require(text.size() < UINT32_MAX, example.place, ": a text of more than 4 GB");
    Turn& turn = turns_.emplace_back();
    turn.begin = texts_.size();
    turn.role = role;
    turn.size = uint32_t(text.size());
    turn.record = index;
    texts_ += text;
    ++record.turns;
  };
  for (const Message& message : example.messages) put(message.content, role_of(message.role));
  if (example.is_text() && (example.problem.empty() || !example.text.empty()))
    put(example.text, TurnRole::text);
  records_.push_back(record);
  if (!example.problem.empty() && record.turns == 0)
    unreadable_.emplace_back(index, example.problem);
  if (!file.held_out) training_ = uint32_t(records_.size());
}

void Corpus::add(const std::string& file, const std::vector<Example>& examples, bool held_out) {
  begin_file(file, held_out);
  for (const Example& example : examples) add(example);
}

void Corpus::read_file(const std::string& file, const ExampleOptions& options, bool held_out,
                       size_t bytes) {
  begin_file(file, held_out);
  texts_.reserve(texts_.size() + bytes);
  each_example(file, options, [&](Example&& example) { add(example); });
}

std::string Corpus::place(uint32_t record) const {
  const RecordPlace& r = records_[record];
  return files_[r.file].name + ", " + files_[r.file].unit + " " + std::to_string(r.number);
}

const WordUse& Corpus::use(uint64_t word) const {
  static const WordUse none;
  auto found = uses_.find(word);
  return found == uses_.end() ? none : found->second;
}

bool Corpus::is_name(uint64_t word) const {
  const WordUse& u = use(word);
  return u.inside > 0 && u.lower * 10 <= u.inside;
}

void Corpus::read(std::string_view text, Reading& out) {
  out.text = text;
  split_words(text, out.words);
  find_values(text, out.words, out.values);
  split_sentences(text, out.words, out.sentences);
}

void Corpus::skeleton(const Reading& reading, uint32_t first, uint32_t last,
                      std::vector<uint64_t>& out) const {
  out.clear();
  auto value = std::lower_bound(reading.values.begin(), reading.values.end(), first,
                                [](const Value& v, uint32_t at) { return v.first < at; });
  for (uint32_t i = first; i < last; ++i) {
    if (value != reading.values.end() && value->first == i) {
      out.push_back(value_word);
      i = value->last - 1;
      ++value;
      continue;
    }
    const Word& word = reading.words[i];
    if (word.kind == WordKind::mark) continue;
    if (word.kind == WordKind::identifier) out.push_back(identifier_word);
    else if (word.kind == WordKind::word && word.capital && is_name(word.id)) {
      if (out.empty() || out.back() != name_word) out.push_back(name_word);
    } else out.push_back(word.id);
  }
}

void Corpus::count_words() {
  std::vector<Word> words;
  std::vector<SentenceSpan> sentences;
  std::vector<uint64_t> here;
  for (const Turn& turn : turns_) {
    if (turn.record >= training_) break;
    const bool answer = turn.role == TurnRole::answer || turn.role == TurnRole::text;
    const std::string_view content = text(turn);
    split_words(content, words);
    here.clear();
    for (const Word& word : words)
      if (word.kind == WordKind::word) here.push_back(word.id);
    std::sort(here.begin(), here.end());
    here.erase(std::unique(here.begin(), here.end()), here.end());
    for (uint64_t id : here) ++(answer ? uses_[id].answers : uses_[id].questions);
    split_sentences(content, words, sentences);
    for (const SentenceSpan& s : sentences) {
      for (uint32_t i = s.first; i < s.last; ++i) {
        const Word& word = words[i];
        if (word.kind != WordKind::word) continue;
        WordUse& use = uses_[word.id];
        if (!word.capital) ++use.lower;
        else if (i > s.first && words[i - 1].kind != WordKind::mark && !word.shouted) ++use.inside;
      }
      uint32_t last = s.last;
      while (last > s.first && words[last - 1].kind == WordKind::mark) --last;
      if (answer && last > s.first && words[last - 1].kind == WordKind::word)
        ++uses_[words[last - 1].id].ending;
    }
  }
}

void Corpus::find_answers() {
  for (uint32_t r = 0; r < training_; ++r) {
    uint32_t question = no_turn;
    for (uint32_t t = 0; t < records_[r].turns; ++t) {
      const uint32_t turn = records_[r].first_turn + t;
      if (turns_[turn].role == TurnRole::question) question = turn;
      if (turns_[turn].role != TurnRole::answer) continue;
      Answer answer{turn, r, question};
      answer.body_end = turns_[turn].size;
      answers_.push_back(answer);
    }
  }
}

void Corpus::find_sentences() {
  Reading reading;
  std::vector<uint64_t> key;
  for (uint32_t a = 0; a < answers_.size(); ++a) {
    Answer& answer = answers_[a];
    answer.first_sentence = uint32_t(sentences_.size());
    read(text(answer.turn), reading);
    answer.body_end = std::min(answer.body_end, quoted_from(text(answer.turn)));
    for (const SentenceSpan& s : reading.sentences) {
      const uint32_t begin = reading.words[s.first].begin, end = reading.words[s.last - 1].end;
      if (begin < answer.body_begin || begin >= answer.body_end) continue;
      skeleton(reading, s.first, s.last, key);
      if (key.empty()) continue;
      uint64_t hash = 17;
      bool valued = false;
      for (uint64_t word : key) {
        hash = hash_with(hash, word);
        valued |= word == value_word;
      }
      sentences_.push_back(
          {hash, a, begin, end, uint16_t(std::min<size_t>(key.size(), 65535)), valued});
      ++answer.sentences;
    }
  }
}

std::vector<uint64_t> Corpus::asked(const Answer& answer) const {
  std::vector<uint64_t> ids;
  std::vector<Word> words;
  for (uint32_t t = records_[answer.record].first_turn; t < answer.turn; ++t) {
    if (turns_[t].role != TurnRole::question) continue;
    split_words(text(t), words);
    for (const Word& word : words)
      if (word.kind == WordKind::word && !is_function_word(word.id)) ids.push_back(word.id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void Corpus::finish() {
  texts_.shrink_to_fit();
  turns_.shrink_to_fit();
  records_.shrink_to_fit();
  count_words();
  find_answers();
  answers_.shrink_to_fit();
  find_forms();
  give_back();
  find_sentences();
  sentences_.shrink_to_fit();
  give_back();
}

}  // namespace afina
