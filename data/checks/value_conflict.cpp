// value-conflict: a number, price, time or date that differs from the one most similar sentences
// have in the same place. Neighbours vote: occurrences with the same words around the value, those
// whose sentence and question are most alike counting most.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "data/checks/value_conflict.h"

#include "data/checks/like_answers.h"
#include "data/checks/neighbours.h"
#include "data/checks/topics.h"
#include "data/checks/value_places.h"

namespace afina {

namespace {

// Of a place; fewer in files with many records, which have many places.
constexpr size_t most_compared = 64, most_learnt = 32;
constexpr uint32_t many_records = 20000;

struct Conflict {
  Finding finding;
  uint32_t sentence;
  uint64_t winner;
};

class Votes : ValuePlaces {
 public:
  explicit Votes(const Corpus& corpus) : ValuePlaces(corpus) {}

  std::vector<Conflict> run() {
    collect();
    find_keys();
    count_words();
    for (int level = 0; level < levels; ++level) vote(level, true);
    for (int level = 0; level < levels; ++level) vote(level, false);
    decltype(keys_)().swap(keys_);
    decltype(with_word_)().swap(with_word_);
    LikeAnswers like(corpus_);
    order_by_answer();
    // What no answer about the same confirms is something else in the same words.
    for (const Lacking& one : beside_words())
      if (is_said_by_like(like, one.occurrence, one.winner)) tell(one);
    for (const Lacking& one : lacking(like)) tell(one);
    // What a word explains is no conflict. Where every tenth record has one, words have many values
    // each and explain little.
    if (out_.size() * 10 <= corpus_.records()) {
      const std::vector<bool> known = explained(of_);
      std::vector<Conflict> rest;
      for (size_t i = 0; i < out_.size(); ++i)
        if (!known[i]) rest.push_back(std::move(out_[i]));
      out_ = std::move(rest);
    }
    // Where few values have neighbours that agree on one, values are no procedures: then only
    // what nearly all agree on counts.
    size_t settled = 0;
    for (const Occurrence& one : all_) settled += one.settled;
    if (settled * 10 < all_.size())
      std::erase_if(out_, [](const Conflict& one) { return one.finding.score < 0.9; });
    return std::move(out_);
  }

 private:
  size_t shorter() const { return corpus_.records() > many_records ? 3 : 1; }
  // learn: only finds the words that tell values apart.
  void vote(int level, bool learn) {
    std::vector<Place> places(keys_.size());
    for (uint32_t i = 0; i < keys_.size(); ++i) places[i] = {keys_[i][size_t(level)], i};
    std::sort(places.begin(), places.end());
    for (size_t begin = 0; begin < places.size();) {
      size_t end = begin + 1;
      while (end < places.size() && places[end].key == places[begin].key) ++end;
      const std::span<const Place> members{places.data() + begin, end - begin};
      if (places[begin].key && members.size() >= (learn ? 6 : 4)) {
        if (learn) learn_from(members, most_learnt / shorter());
        else group(members);
      }
      begin = end;
    }
  }

  using Told =
      std::unordered_map<uint64_t, std::map<uint64_t, uint32_t>>;  // stem -> value -> times

  void tell(const Lacking& one) {
    const Occurrence& own = all_[one.occurrence];
    if (!told_.insert({own.record, own.value}).second) return;
    Finding finding{nullptr,
                    one.score,
                    {place_of(one.occurrence)},
                    piece(one.occurrence),
                    piece(one.voters[0])};
    for (uint32_t voter : one.voters) {
      finding.places.push_back(place_of(voter));
      if (finding.places.size() == 3) break;
    }
    out_.push_back({std::move(finding), own.sentence, one.winner});
    of_.push_back(one.occurrence);
  }

  void group(std::span<const Place> members) {
    // How many records have each value.
    std::map<uint64_t, std::set<uint32_t>> records;
    for (const Place& place : members)
      records[all_[place.occurrence].value].insert(all_[place.occurrence].record);
    size_t greatest = 0, total = 0;
    for (auto& [value, with] : records) {
      greatest = std::max(greatest, with.size());
      total += with.size();
    }
    if (records.size() == 1 || greatest < 3) {
      if (records.size() == 1 && total >= 4)
        for (const Place& place : members) all_[place.occurrence].settled = true;
      return;
    }
    std::vector<Features> sample;
    for (const Place& place : members) {
      Occurrence& own = all_[place.occurrence];
      if (own.settled) continue;
      const size_t with = records[own.value].size();

      if (with == greatest && with * 2 > total) {
        own.settled = total >= 4;
        continue;
      }
      if (sample.empty()) {
        const size_t step = std::max<size_t>(1, members.size() / (most_compared / shorter()));
        for (size_t i = 0; i < members.size(); i += step)
          sample.push_back(features_of(members[i].occurrence));
      }
      ask(place.occurrence, sample);
    }
  }

  void ask(uint32_t index, const std::vector<Features>& sample) {
    Occurrence& own = all_[index];
    const Features mine = features_of(index);
    Told told;
    std::map<uint64_t, uint32_t> priors;
    uint32_t others = 0;
    for (const Features& other : sample) {
      if (all_[other.occurrence].record == own.record) continue;
      const uint64_t value = all_[other.occurrence].value;
      ++priors[value];
      ++others;
      auto theirs = other.all.begin();
      for (uint64_t stem : mine.all) {
        while (theirs != other.all.end() && *theirs < stem) ++theirs;
        if (theirs != other.all.end() && *theirs == stem) ++told[stem][value];
      }
    }
    if (others < 3) return;
    // How much a stem tells about the value: the part of the other records with it that have one
    // value, beyond the part of all that have it.
    std::unordered_map<uint64_t, double> weights;
    double most = 0;
    for (auto& [stem, values] : told) {
      uint32_t all = 0, best = 0;
      uint64_t value = 0;
      for (auto& [one, times] : values) {
        all += times;
        if (times > best) {
          best = times;
          value = one;
        }
      }
      if (all < 3) continue;
      const double beyond = double(best) / all - double(priors[value]) / others;
      if (beyond < 0.15) continue;
      // A word of this record that goes with its value in others explains it.
      if (value == own.value && best * 5 >= all * 4) return;
      weights[stem] = beyond * double(all) / double(all + 1);
      most += weights[stem];
    }
    // Where nearly all have one value in sentences of several kinds, the words that differ between
    // them do not tell the value.
    uint32_t greatest = 0;
    uint64_t commonest = 0;
    for (auto& [value, times] : priors)
      if (times > greatest) {
        greatest = times;
        commonest = value;
      }
    std::set<std::vector<uint64_t>> kinds;
    for (const Features& other : sample)
      if (all_[other.occurrence].value == commonest && kinds.size() < 3)
        kinds.insert(other.sentence);
    const bool one_for_all = greatest * 10 >= others * 8 && kinds.size() >= 3;
    std::vector<std::pair<double, uint32_t>> near;
    std::vector<const Features*> voters;
    for (const Features& other : sample) {
      if (all_[other.occurrence].record == own.record || all_[other.occurrence].type != own.type ||
          other_beside(index, other.occurrence) ||
          (!one_for_all && other_thing(mine.sentence, other.sentence, 0.4)))
        continue;
      double shared = 0;
      for (auto& [stem, weight] : weights)
        if (std::binary_search(other.all.begin(), other.all.end(), stem)) shared += weight;
      const double like = 0.5 * (most > 0 ? shared / most : 1) +
                          0.3 * jaccard(mine.sentence, other.sentence) +
                          0.2 * alike(mine.asked, other.asked);
      near.emplace_back(-like, other.occurrence);
      voters.push_back(&other);
    }
    std::sort(near.begin(), near.end());
    if (near.size() < 3) return;
    std::map<uint64_t, std::pair<double, std::set<uint32_t>>> votes;
    double all = 0;
    const double best = -near[0].first;
    for (size_t i = 0; i < near.size() && i < 12; ++i) {
      const double like = -near[i].first;
      if (like < 0.6 * best || like < 0.2) break;
      auto& vote = votes[all_[near[i].second].value];
      if (!vote.second.insert(all_[near[i].second].record).second) continue;
      vote.first += like * like;
      all += like * like;
    }
    uint64_t winner = 0;
    double share = 0;
    for (auto& [value, vote] : votes)
      if (vote.first / all > share && vote.second.size() >= 3) {
        share = vote.first / all;
        winner = value;
      }
    if (!winner) return;
    const double mine_share = votes.count(own.value) ? votes[own.value].first / all : 0;
    if (winner == own.value) {
      own.settled = share >= 0.5;
      return;
    }
    if (share < 0.5 || mine_share > 0.6 * share) return;
    // Each word of the value's sentence stands in that of one that votes.
    for (uint64_t stem : mine.sentence) {
      // What was asked about may be named.
      bool known = one_for_all && std::binary_search(mine.asked.begin(), mine.asked.end(), stem);
      for (const Features* voter : voters)
        known |= all_[voter->occurrence].value == winner &&
                 std::binary_search(voter->sentence.begin(), voter->sentence.end(), stem);
      if (!known) return;
    }
    std::erase_if(voters,
                  [&](const Features* voter) { return all_[voter->occurrence].value != winner; });
    if (told_apart(mine, voters) || one_of_several(own, mine.sentence, winner)) return;
    own.settled = true;
    if (told_.count({own.record, own.value})) return;
    Finding finding{nullptr, std::min(1., share - mine_share), {place_of(index)}, piece(index), ""};
    for (auto& [unused, other] : near) {
      if (all_[other].value != winner) continue;
      if (finding.expected.empty()) finding.expected = piece(other);
      finding.places.push_back(place_of(other));
      if (finding.places.size() == 3) break;
    }
    if (is_asked(index)) return;
    told_.insert({own.record, own.value});
    out_.push_back({std::move(finding), own.sentence, winner});
    of_.push_back(index);
  }

  std::vector<Conflict> out_;
  std::vector<uint32_t> of_;  // the occurrence of each of them
  std::set<std::pair<uint32_t, uint64_t>> told_;
};

}  // namespace

ValueConflicts find_conflicts(const Corpus& corpus) {
  ValueConflicts all;
  std::vector<Finding> findings;
  for (Conflict& one : Votes(corpus).run()) {
    all.all.push_back({one.sentence, one.winner});
    findings.push_back(std::move(one.finding));
  }
  all.findings = packed(findings);
  return all;
}

namespace {

void run(const Corpus& corpus, std::vector<Finding>& out) {
  unpack(corpus.value_conflicts().findings, out);
}

const RegisterCheck registered(
    {"value-conflict", "consistency", Severity::error,
     "numbers, prices, times and dates that similar records have otherwise",
     "The model learns each of the values and says one of them at random.",
     "Find out which value is right, and write it everywhere.", run, true});

}  // namespace

}  // namespace afina
