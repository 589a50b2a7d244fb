// What 'afina what-if' prints when all its runs are made.
#pragma once
#include <iosfwd>

#include "engine/files/json.h"
#include "tools/results/what_if.h"
#include "tools/runs/influence.h"

namespace afina {

// The rows without which the held-out loss changes most, and by how much (change: loss without the
// row - with it, in nats; as many as rows): all of up to 16 rows, else eight at either end.
void print_changes(std::ostream& out, const Workbench& bench, const std::vector<int64_t>& rows,
                   const std::vector<double>& change);
// The rank correlation of each estimate with the change; the same as JSON, by the estimate's name,
// and with the estimates in `estimates`.
Json print_estimates(std::ostream& out, const Estimates& found, const std::vector<double>& change,
                     std::vector<RowEstimate>& estimates);
// What rows with each kind of finding did, against those without any.
void print_kinds(std::ostream& out, const WhatIfResult& result);

}  // namespace afina
