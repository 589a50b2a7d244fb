// The table of votes.
#include "tools/commands/judge_votes.h"

#include <filesystem>
#include <iostream>

#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "tools/report/judged.h"
#include "tools/runs/votes.h"
#include "tools/text/colour.h"
#include "tools/text/table.h"

namespace afina {

namespace {

std::string cell(const Share& share) {
  return share_text({share.share(), share.low(), share.high(), share.of, 1});
}

// What follows from the votes of one pair of models.
std::string meaning(const Preference& p) {
  const Share share = p.share();
  if (!share.known()) return "No vote says which is better.";
  const bool one = share.low() > 0.5, other = share.high() < 0.5;
  if (!one && !other)
    return "Which of " + p.one + " and " + p.other + " is better, these votes cannot tell.";
  return (one ? p.one : p.other) + " is better than " + (one ? p.other : p.one) +
         ", by more than chance.";
}

}  // namespace

void judge_votes(const std::vector<std::string>& files, const std::string& out) {
  std::vector<Ballot> ballots;
  for (const std::string& file : files) {
    for (const Ballot& other : ballots) {
      std::error_code ignored;
      require(!std::filesystem::equivalent(other.reader, file, ignored), "--votes ", file,
              ": is given twice; a file holds the votes of one reader");
    }
    ballots.push_back(read_votes(file));
  }
  const std::vector<Preference> all = preferences(ballots);
  Table table("lrrrrr");
  table.add({"first and second", "first better", "second better", "neither", "no vote",
             "share of the first"});
  for (const Preference& p : all)
    table.add({harmless(p.one) + " and " + harmless(p.other), format_grouped(p.one_better),
               format_grouped(p.other_better), format_grouped(p.neither), format_grouped(p.open),
               cell(p.share())});
  table.print(std::cout, size_t(stdout_columns()));
  std::cout << "The share is of the pairs with more votes for either, with its 95 % interval.\n";
  for (const Preference& p : all) std::cout << harmless(meaning(p)) << "\n";
  if (const Share same = agreement(ballots); same.known())
    std::cout << counted(int64_t(ballots.size()), "reader") << " say the same of " << cell(same)
              << " of the pairs that two voted on.\n";
  if (out.empty()) return;
  std::filesystem::create_directories(out);
  write_text_file(out + "/preferences.json", to_text(preferences_json(ballots)) + "\n");
  std::cout << "written to " << harmless(out) << ": preferences.json\n";
}

}  // namespace afina
