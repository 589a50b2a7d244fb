// contradiction: sentences of records that are not otherwise alike, which speak of the same thing
// and have another value, or the opposite.
#include <algorithm>
#include <set>
#include <unordered_set>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"

namespace afina {

namespace {

constexpr size_t most_statements = 60000;

struct Statement {
  uint32_t sentence;
  bool negated;
  ValueType type;
  uint64_t value;  // 0: none
  bool frequent;   // one of many like it: there neighbours vote (value-conflict)
};

class Statements {
 public:
  explicit Statements(const Corpus& corpus) : corpus_(corpus), phrases_(corpus) {
    const auto& all = corpus.sentences();
    const size_t step = 1 + all.size() / (8 * most_statements);
    std::unordered_set<uint64_t> anchors;
    for (uint32_t s = 0; s < all.size() && all_.size() < most_statements; s += uint32_t(step)) {
      const bool frequent = phrases_.of(all[s]).records > 3;
      if (all[s].words < 4 || all[s].words > 40) continue;
      if (frequent && !anchors.insert(all[s].key).second) continue;
      add(s, frequent);
    }
  }

  void find(std::vector<Finding>& out) {
    std::vector<uint64_t> a, b;
    struct Pair {
      double score;
      uint32_t one, other;
      bool values;
    };
    std::vector<Pair> pairs;
    std::vector<uint8_t> partners(all_.size(), 0);
    for (auto [i, j] : similar_pairs(
             uint32_t(all_.size()),
             [&](uint32_t k, std::vector<uint64_t>&features) { stems(all_[k].sentence, features); },
             {16, 2, 12})) {
      const Statement &one = all_[i], &other = all_[j];
      if (record(one) == record(other)) continue;
      stems(one.sentence, a);
      stems(other.sentence, b);
      const double alike = weighted(a, b);
      if (shared_ >= 2 && alike >= 0.5) {
        for (uint32_t k : {i, j}) {
          const bool anchored = all_[k == i ? j : i].frequent;
          partners[k] = uint8_t(std::min(100, partners[k] + (anchored ? 10 : 1)));
        }
      }
      if (one.frequent || other.frequent) continue;
      const bool values = one.value && other.value && one.type == other.type &&
                          one.value != other.value && one.negated == other.negated;
      const bool opposite = one.negated != other.negated && one.value == other.value;
      if (!values && !opposite) continue;
      if (shared_ < 2 || alike < (values ? 0.45 : 0.5)) continue;
      // Where each has a word that the other lacks, they may be about two things.
      if (values && alike < 0.55 && shared_ < int(a.size()) && shared_ < int(b.size())) continue;
      pairs.push_back({alike, i, j, values});
    }
    std::sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) {
      return x.score != y.score ? x.score > y.score
             : x.one != y.one   ? x.one < y.one
                                : x.other < y.other;
    });
    std::erase_if(pairs,
                  [&](const Pair& p) { return partners[p.one] > 3 || partners[p.other] > 3; });
    // Where a third of the records and more contradict another, values vary by nature.
    std::set<uint32_t> records;
    for (const Pair& pair : pairs) {
      records.insert(record(all_[pair.one]));
      records.insert(record(all_[pair.other]));
    }
    if (records.size() > 40 && records.size() * 3 > corpus_.records()) return;
    std::set<uint32_t> told;
    for (const Pair& pair : pairs) {
      const Statement &one = all_[pair.one], &other = all_[pair.other];
      if (!told.insert(record(other)).second) continue;
      out.push_back({nullptr,
                     std::min(1., pair.score),
                     {place(other), place(one)},
                     pair.values ? "another value for the same" : "one says yes, the other no",
                     ""});
    }
  }

 private:
  void add(uint32_t s, bool frequent) {
    Corpus::read(corpus_.text(corpus_.sentences()[s]), reading_);
    Statement statement{s, false, ValueType::count, 0, frequent};
    for (const Word& word : reading_.words) {
      const std::string low = lower_text(reading_.text.substr(word.begin, word.end - word.begin));
      if (word.kind == WordKind::mark &&
          std::string_view("=+<>*").find(low) != std::string_view::npos)
        return;  // a computation
      if (word.kind == WordKind::word) {
        statement.negated ^= is_negation(low);
        // Of a person in a story, or of what is only asked.
        for (std::string_view person : {"he", "she", "his", "her", "él", "ella", "they", "their"})
          if (low == person) return;
      }
      if (low == "?" || low == "#" || low == "@" || word.kind == WordKind::identifier) return;
    }
    if (reading_.values.size() > 3) return;
    for (const Value& value : reading_.values) {
      if (value.type == ValueType::count && value.amount >= 1000) return;  // a code
      if (statement.value && value.type == statement.type) {
        statement.value = hash_with(statement.value, value.id);
      } else if (value.type != ValueType::count || !statement.value) {
        statement.type = value.type;
        statement.value = value.id;
      }
    }
    all_.push_back(statement);
  }

  uint32_t record(const Statement& s) const {
    return corpus_.answers()[corpus_.sentences()[s.sentence].answer].record;
  }
  PiecePlace place(const Statement& s) const {
    const Sentence& sentence = corpus_.sentences()[s.sentence];
    return {record(s), corpus_.answers()[sentence.answer].turn, sentence.begin, sentence.end};
  }

  // Content words without values and negations.
  void stems(uint32_t sentence, std::vector<uint64_t>& out) {
    out.clear();
    Corpus::read(corpus_.text(corpus_.sentences()[sentence]), reading_);
    size_t value = 0;
    for (uint32_t i = 0; i < reading_.words.size(); ++i) {
      if (value < reading_.values.size() && reading_.values[value].first == i) {
        i = reading_.values[value++].last - 1;
        continue;
      }
      const Word& word = reading_.words[i];
      if (word.kind != WordKind::word || is_function_word(word.id)) continue;
      const std::string_view text = reading_.text.substr(word.begin, word.end - word.begin);
      if (is_negation(lower_text(text))) continue;
      const uint64_t stem = stem_of(text);
      out.push_back(stem);
      const WordUse& use = corpus_.use(word.id);
      uint32_t& uses = uses_[stem];
      uses = std::max(uses, use.answers + use.questions);
    }
    sort_unique(out);
  }

  double weighted(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
    shared_ = 0;
    auto weight = [&](uint64_t stem) {
      return 1. / (0.05 + double(uses_[stem]) / double(corpus_.records()));
    };
    return weighted_overlap(a, b, weight, &shared_);
  }

  const Corpus& corpus_;
  const Phrases phrases_;
  Reading reading_;
  std::vector<Statement> all_;
  std::unordered_map<uint64_t, uint32_t> uses_;
  int shared_ = 0;
};

void run(const Corpus& corpus, std::vector<Finding>& out) { Statements(corpus).find(out); }

const RegisterCheck registered(
    {"contradiction", "consistency", Severity::warning,
     "sentences about one thing in unlike records, with another value or the opposite",
     "The model cannot know which of the two holds.",
     "Find out which is right, and correct the other.", run});

}  // namespace

}  // namespace afina
