// The folder of 'afina what-if --leave-one-out': what it holds stays there.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "tools/runs/influence.h"

namespace afina {

struct WhatIfFolder {
  std::string out;

  // The result of the run without a row.
  std::string row_file(int64_t row) const { return out + "/rows/" + std::to_string(row) + ".json"; }
  // The first `count` of the rows, and those of which there is a result: where fewer are asked for
  // than before, nothing that was found goes away.
  std::vector<int64_t> table_rows(const std::vector<int64_t>& rows, size_t count) const;
  // An Error where what-if.json is of --without: it is no table, and is not replaced by one.
  void refuse_other_table() const;
  // The estimates of estimates.json for these rows, none where it lacks one of them. earlier: the
  // rows that it has some for. An Error where further ones are wanted and those there were taken at
  // another number of states.
  Estimates read_estimates(const std::vector<int64_t>& rows, int64_t states, bool wanted,
                           std::set<int64_t>& earlier) const;
  void write_estimates(const Estimates& found, int64_t states) const;
};

}  // namespace afina
