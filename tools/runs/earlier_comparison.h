// What an earlier command left in the folder of a comparison: methods, rates and seeds may be added
// to it, none disappears, and runs of other conditions are never mixed with it.
#pragma once
#include <string>
#include <vector>

#include "tools/runs/earlier.h"

namespace afina {

class EarlierComparison {
 public:
  // Looks into the folder. An Error when it holds something else, or a results.json that cannot be
  // read.
  explicit EarlierComparison(const std::string& folder);

  // An Error unless a comparison under the bench's conditions may go on in the folder. Without
  // `resume` it must hold nothing of worth. Otherwise all runs in it must have been made under the
  // same conditions (all options but methods, rates and the number of seeds); more --steps are
  // possible where every run can go on to them (why_not_longer). It names what differs, with both
  // values, and says what to do. asked: the methods of the command, without rates.
  void check(const Workbench& bench, const std::vector<MethodSpec>& asked, bool resume) const;

  // How to run one of its runs again (tools/runs/replay.h); null where none says so.
  Json replay() const;
  // The method in results.json, by whatever label; null where there is none.
  const MethodResult* method(const MethodSpec& spec) const;
  // These rates with those that the method was run with before, which come first.
  std::vector<double> rates(const MethodSpec& spec, std::vector<double> asked) const;
  // The number of seeds, no fewer than the method was run with before.
  int64_t seeds(const MethodSpec& spec, int64_t asked) const;
  // Puts the methods that the command does not name back where they were, before new ones, with
  // their notes.
  void keep(Comparison& comparison) const;

 private:
  struct Run {
    std::string folder;
    Earlier earlier;
  };
  std::string described() const;
  void check_run(const Run& run, const Workbench& bench, const std::vector<MethodSpec>& asked,
                 bool resume) const;
  std::string folder_;
  std::optional<Comparison> results_;
  std::vector<Run> runs_;  // with something of worth
};

}  // namespace afina
