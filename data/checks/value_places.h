// The values in the bodies of answers, with what stands around them.
#pragma once
#include <array>
#include <map>
#include <set>
#include <span>
#include <unordered_map>

#include "data/checks/check.h"
#include "data/checks/endings.h"

namespace afina {

class LikeAnswers;

struct Occurrence {
  uint64_t value;
  uint64_t kind;                  // its type; of a plain number with the word behind it
  uint32_t sentence, begin, end;  // bytes of the turn
  uint32_t record;
  ValueType type;
  bool settled;
};

// An occurrence among those with the same words around them.
struct Place {
  uint32_t key;
  uint32_t occurrence;
  bool operator<(const Place& o) const {
    return key != o.key ? key < o.key : occurrence < o.occurrence;
  }
};

class ValuePlaces {
 public:
  static constexpr int levels = 5;

  explicit ValuePlaces(const Corpus& corpus) : corpus_(corpus) {}

 protected:
  // Each value in the bodies of answers. keys: when given, of the windows of this level.
  template <class Take>
  void each(Take&& take) {
    Reading reading;
    std::vector<uint64_t> words;
    for (uint32_t s = 0; s < corpus_.sentences().size(); ++s) {
      const Sentence& sentence = corpus_.sentences()[s];
      if (!sentence.valued) continue;
      // The last value of an answer that is cut may be cut as well.
      const std::string_view whole = corpus_.text(corpus_.answers()[sentence.answer].turn);
      const bool cut = sentence.end == whole.size() && !ends_closed(whole);
      Corpus::read(corpus_.text(sentence), reading);
      corpus_.skeleton(reading, 0, uint32_t(reading.words.size()), words);
      size_t value = 0;
      for (size_t i = 0; i < words.size() && value < reading.values.size(); ++i)
        if (words[i] == Corpus::value_word) {
          const Value& one = reading.values[value++];
          if (!computed(reading, one) && !(cut && one.last + 1 >= reading.words.size()))
            take(s, sentence, reading, one, words, i);
        }
    }
  }

  void collect();

  // What stands around a value: stems of its sentence, of the one before, of the question, and of
  // all of the record.
  struct Features {
    uint32_t occurrence;
    std::vector<uint64_t> sentence, before, asked, all;
  };
  void add_stems(std::string_view text, std::vector<uint64_t>& out);
  Features features_of(uint32_t occurrence);
  // Alike but for words on both sides: the single room and the double room.
  static bool other_thing(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b,
                          double alike);
  // Shared words, rare ones counting more.
  double alike(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) const;
  // Do the values around the two differ as well, in the sentence and its neighbours? Then the
  // records are about two things, each with values of its own.
  bool other_beside(uint32_t a, uint32_t b) const;
  // Do other sentences with these words have this value nearly as often? Then it is that of one
  // thing among several: deposits for 12 and for 24 months.
  void count_words();
  bool one_of_several(const Occurrence& own, const std::vector<uint64_t>& stems,
                      uint64_t winner) const;
  // Learns words that go with one value each in places that have several: the names of things.
  // most: members that are looked at.
  void learn_from(std::span<const Place> members, size_t most);
  // Is the record about another thing than those that vote: does it have such a word that none of
  // them has, and lack one that most of them have?
  bool told_apart(const Features& mine, const std::vector<const Features*>& voters) const;
  // Does the question name the value?
  bool is_asked(uint32_t index);
  // Of these occurrences, those that a word explains: others who are asked with it, or answer with
  // it, have this value as well, though in other sentences.
  std::vector<bool> explained(const std::vector<uint32_t>& occurrences);
  // An occurrence, and the value of its kind that it should have.
  struct Lacking {
    uint32_t occurrence;
    uint64_t winner;
    std::vector<uint32_t> voters;  // occurrences that have it
    double score;                  // of the finding
  };
  // Those alone in their sentence, where others that say its words have one value nearly always.
  std::vector<Lacking> beside_words();
  // Those whose value no answer about the same has, where half of these or more have another that
  // this answer lacks.
  std::vector<Lacking> lacking(LikeAnswers& like);
  // Does its sentence name something that was asked about, and that no record of the voters names?
  bool has_own_thing(uint32_t index, const std::vector<uint32_t>& voters);
  // Has an answer about the same this value, of the occurrence's kind?
  bool is_said_by_like(LikeAnswers& like, uint32_t index, uint64_t value) const;
  // For lacking() and is_said_by_like(): where the occurrences of each answer begin.
  void order_by_answer();
  PiecePlace place_of(uint32_t index) const;
  std::string piece(uint32_t index) const;

  // The words around each value, at every level.
  void find_keys();

  const Corpus& corpus_;
  std::vector<Occurrence> all_;
  std::vector<std::array<uint32_t, levels>> keys_;  // of its windows; 0: too few words

  std::vector<uint64_t> with_word_;  // kind, word and value, each time that they meet; sorted

 private:
  // Is the value part of a computation? Such numbers are no facts.
  static bool computed(const Reading& reading, const Value& value);

  bool tells(uint64_t stem) const;
  bool has(uint32_t answer, uint64_t kind, uint64_t value) const;
  // add_stems() of a turn's text; those of long ones are kept.
  void add_stems_of(uint32_t turn, std::string_view text, std::vector<uint64_t>& out);
  // Those of the questions before an answer, to an empty list.
  void add_asked(const Answer& answer, std::vector<uint64_t>& out);

  std::unordered_map<uint32_t, std::vector<uint64_t>> of_long_;
  // Of long conversations, by record: each stem that is asked with, and the turn that has it first.
  std::unordered_map<uint32_t, std::vector<std::pair<uint64_t, uint32_t>>> of_chats_;
  std::vector<uint32_t> first_;  // by answer; they stand in the order of answers
  Reading reading_;
  std::unordered_map<uint64_t, uint32_t> tells_;  // stem -> places in which it tells the value
};

}  // namespace afina
