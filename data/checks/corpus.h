// Records as the checks see them: all texts in one place, and what most answers have in common.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/checks/values.h"
#include "data/checks/words.h"
#include "data/examples.h"

namespace afina {

class Phrases;
class Topics;
class LoneSentences;
class Stray;
struct ValueConflicts;

enum class TurnRole : uint8_t { system, question, answer, text, other };
inline constexpr uint32_t no_turn = UINT32_MAX;

struct Turn {
  uint64_t begin : 56;
  TurnRole role : 8;
  uint32_t size, record;
};
static_assert(sizeof(Turn) == 16);  // a big file has hundreds of thousands
struct RecordPlace {
  uint32_t first_turn, turns;
  uint32_t number;  // of its line or row, as the file's readers count
  uint16_t file;
};

// How often a word occurs in training records.
struct WordUse {
  uint32_t answers = 0, questions = 0;         // that have it
  uint32_t lower = 0, inside = 0, ending = 0;  // in lower case; capital within a sentence; last of
                                               // a sentence; of answers
};

// An answer, between its greeting and its sign-off.
struct Answer {
  uint32_t turn, record;
  uint32_t question;  // the last turn before it that asks; no_turn: none
  uint32_t body_begin = 0, body_end = 0;
  uint32_t first_sentence = 0, sentences = 0;   // of the body
  uint16_t group = 0;                           // answers with one house form (forms.h)
  bool greets = false, signs = false;           // as the house does
  bool own_greeting = false, own_sign = false;  // has one of another form
};

// A sentence of an answer's body. Equal keys: the same words but for values, identifiers and names.
struct Sentence {
  uint64_t key;
  uint32_t answer, begin, end;  // bytes of the turn
  uint16_t words;
  bool valued;  // has a value
};

// What most answers of one language begin and end with. A house may have several greetings and
// sign-offs: each of them is said by a tenth of the answers or more.
struct HouseForm {
  std::string language;
  uint32_t answers = 0;
  uint64_t greeting = 0;            // first word of the commonest; 0: none in common
  std::vector<uint64_t> greetings;  // first words of all
  std::string greeting_text, sign_text;
  char greeting_end = 0;    // the mark behind it; 0: several
  uint32_t sign_words = 0;  // of the commonest; 0: none in common
  uint64_t sign = 0;
  std::vector<uint64_t> signs;  // others; hashes of their words, names alike
};

// The words of one answer, while a check looks at it.
struct Reading {
  std::string_view text;
  std::vector<Word> words;
  std::vector<Value> values;
  std::vector<SentenceSpan> sentences;
};

class Corpus {
 public:
  Corpus();
  ~Corpus();
  Corpus(Corpus&&) noexcept;  // before phrases() or topics() was called
  // Reads the records of a file; those of held-out files are compared with training records alone.
  // Training files come first. bytes: of the file, where known, so that room is taken once.
  void read_file(const std::string& file, const ExampleOptions& options, bool held_out,
                 size_t bytes = 0);
  // The same for records that are in memory; `file` is their name.
  void add(const std::string& file, const std::vector<Example>& examples, bool held_out);
  // After the last file: counts words, finds greetings, sign-offs and sentences.
  void finish();

  uint32_t records() const { return training_; }
  uint32_t all_records() const { return uint32_t(records_.size()); }
  const RecordPlace& record(uint32_t i) const { return records_[i]; }
  std::span<const Turn> turns(uint32_t record) const {
    return {turns_.data() + records_[record].first_turn, records_[record].turns};
  }
  const std::vector<Turn>& turns() const { return turns_; }
  std::string_view text(const Turn& turn) const {
    return std::string_view(texts_).substr(turn.begin, turn.size);
  }
  std::string_view text(uint32_t turn) const { return text(turns_[turn]); }
  std::string_view text(const Sentence& s) const {
    return text(answers_[s.answer].turn).substr(s.begin, s.end - s.begin);
  }
  std::string place(uint32_t record) const;  // "train.jsonl, line 12"
  const std::string& file(uint32_t record) const { return files_[records_[record].file].name; }
  // Records that could not be read: number of the record, and why.
  const std::vector<std::pair<uint32_t, std::string>>& unreadable() const { return unreadable_; }

  const std::vector<Answer>& answers() const { return answers_; }
  const std::vector<Sentence>& sentences() const { return sentences_; }
  std::span<const Sentence> sentences(const Answer& a) const {
    return {sentences_.data() + a.first_sentence, a.sentences};
  }
  const std::vector<HouseForm>& forms() const { return forms_; }
  const WordUse& use(uint64_t word) const;
  // Is it written as a name: with a capital wherever it stands?
  bool is_name(uint64_t word) const;
  // All words that the record's person wrote before this answer, without function words.
  std::vector<uint64_t> asked(const Answer& answer) const;

  // What several checks ask for, made when the first does (phrases.h, topics.h).
  const Phrases& phrases() const;
  const Topics& topics() const;
  const LoneSentences& lone() const;              // lone.h
  const Stray& stray() const;                     // stray.h
  const ValueConflicts& value_conflicts() const;  // value_conflict.h
  // Gives their memory back; what is asked for later is made again. No check may be running.
  void forget_shared() const;

  // Words, values and sentences of a text.
  static void read(std::string_view text, Reading& out);
  // The words first..last without marks, with values as one placeholder each and identifiers and
  // names as others.
  void skeleton(const Reading& reading, uint32_t first, uint32_t last,
                std::vector<uint64_t>& out) const;
  static constexpr uint64_t value_word = 1, identifier_word = 2, name_word = 3;

 private:
  void begin_file(const std::string& file, bool held_out);
  void add(const Example& example);
  struct File {
    std::string name, unit;
    bool held_out;
    uint32_t first;
  };
  void count_words();
  void find_answers();
  void find_sentences();
  void find_forms();
  void find_rare_signs(const std::vector<uint32_t>& members);

  std::string texts_;
  std::vector<Turn> turns_;
  std::vector<RecordPlace> records_;
  std::vector<File> files_;
  std::vector<std::pair<uint32_t, std::string>> unreadable_;
  uint32_t training_ = 0;
  std::unordered_map<uint64_t, WordUse> uses_;
  std::vector<Answer> answers_;
  std::vector<Sentence> sentences_;
  std::vector<HouseForm> forms_;
  struct Shared;
  mutable std::unique_ptr<Shared> shared_;
};

}  // namespace afina
