// report.html of training again without single rows.
#pragma once
#include "tools/results/what_if.h"

namespace afina {

// The page, complete in itself and without network: how the changes spread, the best estimate
// against them, rank correlations, what rows with each kind of finding did, and the rows with their
// texts and findings, the most harmful first. Of more than 600 rows the middle is left out. All
// texts are escaped.
std::string what_if_page(const WhatIfResult& result);

}  // namespace afina
