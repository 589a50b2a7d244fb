// Comparisons made on several machines, as one.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "tools/results/results.h"

namespace afina {

struct NamedComparison {
  std::string path;  // of its folder, as it was named
  Comparison comparison;
};

// What differs between the conditions of two comparisons, in words with both values: the model, the
// records of each role (by their digests), the options of these names, the rows of a step. Empty
// where they are the same experiment.
std::string differing_conditions(const NamedComparison& one, const NamedComparison& other,
                                 const std::set<std::string>& options);

// All methods, rates and seeds of comparisons made under the same conditions, with `sources`
// filled. Of the same run (method, rate, seed) one counts: the first one's; a note says whether the
// digests were equal, and names those that were not. A method that was run at several rates keeps
// the runs of the one with the lowest held-out loss in its searches. `options`: names of those that
// training's bits follow from. `out`: the folder of the result, from which the runs' folders are
// named; may be empty. Errors name what differs: conditions; a method of the same label with other
// options; rates of a method that no search chose between.
Comparison merged(const std::vector<NamedComparison>& all, const std::set<std::string>& options,
                  const std::string& out);

// Were the runs of both methods all made on one machine, with as many threads? Only then do their
// times compare. Always so in a comparison that was not merged.
bool times_compare(const Comparison& comparison, const MethodResult& one,
                   const MethodResult& other);

}  // namespace afina
