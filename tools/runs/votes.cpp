// Counting votes.
#include "tools/runs/votes.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "tools/results/machine.h"

namespace afina {

namespace {

using Key = std::tuple<std::string, std::string, std::string>;  // place, one, other

Vote::Said word(const Json& vote, const std::string& where) {
  const Json& said = member(vote, "vote", where);
  if (said.is_null()) return Vote::none;
  const std::string text = get<std::string>(vote, "vote", where);
  if (text == "first") return Vote::first_better;
  if (text == "second") return Vote::second_better;
  require(text == "neither", where, ", vote: expected first, second, neither or null, found \"",
          text, "\"");
  return Vote::neither;
}

// A pair of answers whichever stood first, and what was said of the model whose name comes first.
struct Pair {
  std::string place, one, other;
  Vote::Said said;  // first_better: `one` is
};
Pair ordered(const Vote& vote) {
  if (vote.first <= vote.second) return {vote.place, vote.first, vote.second, vote.said};
  const Vote::Said said = vote.said == Vote::first_better    ? Vote::second_better
                          : vote.said == Vote::second_better ? Vote::first_better
                                                             : vote.said;
  return {vote.place, vote.second, vote.first, said};
}

}  // namespace

Ballot read_votes(const std::string& path) {
  JsonLimits limits;
  limits.bytes = size_t(64) << 20;
  return parse_votes(parse_json_file(path, limits), path);
}

Ballot parse_votes(const Json& json, const std::string& path) {
  require(json.is_object() && json.contains("votes") && json.at("votes").is_array(), path,
          ": expected the votes that votes.html saves, an object with \"votes\"; found ",
          describe(json));
  Ballot ballot{path, {}};
  const Json& votes = json.at("votes");
  for (size_t i = 0; i < votes.size(); ++i) {
    const std::string where = path + ", vote " + std::to_string(i + 1);
    require(votes[i].is_object(), where, ": expected an object, found ", describe(votes[i]));
    Vote vote{get<std::string>(votes[i], "place", where),
              get<std::string>(votes[i], "first", where),
              get<std::string>(votes[i], "second", where), word(votes[i], where)};
    require(vote.first != vote.second, where, ": both answers are of '", vote.first, "'");
    ballot.votes.push_back(std::move(vote));
  }
  require(!ballot.votes.empty(), path, ": has no pair of answers");
  std::map<Key, size_t> seen;
  for (size_t i = 0; i < ballot.votes.size(); ++i) {
    const Pair pair = ordered(ballot.votes[i]);
    const auto [before, first] = seen.insert({{pair.place, pair.one, pair.other}, i});
    require(first, path, ", vote ", i + 1, ": is of the same two answers as vote ",
            before->second + 1, " (", pair.place, ", '", pair.one, "' and '", pair.other, "')");
  }
  return ballot;
}

std::vector<Preference> preferences(const std::vector<Ballot>& ballots) {
  std::vector<Preference> all;
  std::map<Key, int64_t> lead;  // votes for the one less those for the other
  for (const Ballot& ballot : ballots)
    for (const Vote& vote : ballot.votes) {
      const Pair pair = ordered(vote);
      auto found = std::find_if(all.begin(), all.end(), [&](const Preference& p) {
        return p.one == pair.one && p.other == pair.other;
      });
      if (found == all.end()) found = all.insert(all.end(), Preference{pair.one, pair.other});
      ++(pair.said == Vote::first_better    ? found->one_better
         : pair.said == Vote::second_better ? found->other_better
         : pair.said == Vote::neither       ? found->neither
                                            : found->open);
      lead[{pair.place, pair.one, pair.other}] +=
          (pair.said == Vote::first_better) - (pair.said == Vote::second_better);
    }
  for (auto& [key, votes] : lead)
    for (Preference& p : all)
      if (p.one == std::get<1>(key) && p.other == std::get<2>(key)) {
        p.pairs_for_one += votes > 0;
        p.pairs_for_other += votes < 0;
      }
  return all;
}

Share agreement(const std::vector<Ballot>& ballots) {
  std::map<Key, std::vector<Vote::Said>> said;
  for (const Ballot& ballot : ballots)
    for (const Vote& vote : ballot.votes)
      if (const Pair pair = ordered(vote); pair.said != Vote::none)
        said[{pair.place, pair.one, pair.other}].push_back(pair.said);
  Share same;
  for (auto& [key, all] : said)
    for (size_t a = 0; a < all.size(); ++a)
      for (size_t b = a + 1; b < all.size(); ++b) {
        same.passed += all[a] == all[b];
        ++same.of;
      }
  return same;
}

Json preferences_json(const std::vector<Ballot>& ballots) {
  auto share = [](const Share& one) {
    if (!one.known()) return Json();
    return Json{{"share", one.share()}, {"low", one.low()}, {"high", one.high()}};
  };
  Json readers = Json::array(), pairs = Json::array();
  for (const Ballot& ballot : ballots) readers.push_back(ballot.reader);
  for (const Preference& p : preferences(ballots))
    pairs.push_back({{"models", Json::array({p.one, p.other})},
                     {"better", Json::array({p.one_better, p.other_better})},
                     {"neither", p.neither},
                     {"open", p.open},
                     {"pairs_for", Json::array({p.pairs_for_one, p.pairs_for_other})},
                     {"share_of_first", share(p.share())}});
  Json json{{"afina", version()}, {"votes", readers}, {"preferences", pairs}};
  if (const Share same = agreement(ballots); same.known()) json["agreement"] = share(same);
  return json;
}

}  // namespace afina
