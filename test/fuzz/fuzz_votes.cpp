// Fuzz target: votes that a browser saved, or somebody changed.
#include "test/fuzz/fuzz.h"
#include "tools/runs/votes.h"

static void run(std::string_view input) {
  using namespace afina;
  const Ballot ballot = parse_votes(parse_json(input, "fuzz.json"), "fuzz.json");
  int64_t votes = 0;
  for (const Preference& p : preferences({ballot, ballot}))
    votes += p.one_better + p.other_better + p.neither + p.open;
  if (votes != 2 * int64_t(ballot.votes.size())) throw std::logic_error("a vote was lost");
  if (const Share same = agreement({ballot, ballot}); same.passed > same.of)
    throw std::logic_error("more agreement than pairs");
  to_text(preferences_json({ballot}));
}

static std::vector<std::string> seeds() {
  return {R"({"records": "d", "totals": [], "votes": [
    {"place": "d, line 1", "first": "a", "second": "b", "vote": "first", "better": "a"},
    {"place": "d, line 2", "first": "b", "second": "a", "vote": null, "better": null}]})",
          R"({"votes": [{"place": "", "first": "x", "second": "y", "vote": "neither"}]})"};
}

static const afina::FuzzTarget registered("votes", run, seeds,
                                          {"\"votes\"", "\"vote\"", "\"first\"", "\"second\"",
                                           "\"neither\"", "\"place\"", "null"});
