// The Unigram model (Kudo, 2018): of all ways to spell a word with tokens, the likeliest.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/tokenizer/word_model.h"

namespace afina {

// A vocabulary with a score (logarithm of a probability) for each token. Ids are those of the
// tokenizers library: sums in f64 from the front, the first of equal ways counts, a character that
// the vocabulary lacks costs 10 more than the least likely token, a run of unknown ones is one.
class Unigram : public WordModel {
 public:
  using Vocabulary = std::vector<std::pair<std::string, double>>;
  // unknown: the id of the token for what is unknown; -1: such text is an Error. byte_fallback:
  // unknown text is spelled with tokens such as <0xE2> where all of them exist. `where` begins
  // messages.
  Unigram(const Vocabulary& vocabulary, int32_t unknown, bool byte_fallback,
          const std::string& where);
  void encode(std::string_view word, std::vector<BpeToken>& out) const override;

 private:
  // A trie in breadth-first order: the children of a node lie side by side, their labels ascend.
  struct Node {
    uint32_t first = 0, count = 0;
    int32_t token = -1;
  };
  // The best way to the end of a prefix: its last token, where that begins, the sum of scores.
  struct Way {
    double score;
    uint32_t begin;
    int32_t token;  // none: no way leads here yet
  };
  static constexpr int32_t none = -2;
  void build(const Vocabulary& vocabulary);
  uint32_t child(uint32_t node, uint8_t byte) const;  // 0: there is none
  void find_ways(std::string_view word, std::vector<Way>& ways) const;
  void put(std::string_view word, size_t begin, size_t end, int32_t token,
           std::vector<BpeToken>& out) const;

  std::string where_;
  std::vector<Node> nodes_;
  std::vector<uint8_t> labels_;  // of the nodes
  std::vector<double> scores_;
  std::array<int32_t, 256> bytes_;  // tokens of byte fallback; -1 if there is none
  int32_t unknown_;
  double unknown_score_ = 0;
};

// The number that serde_json reads where `value` is written in its shortest form: its last bit may
// differ, and with it which of two almost equal ways is the better one.
double as_serde_reads(double value);

}  // namespace afina
