// What is known about training rows beside what they did: their texts, and what a check found.
#pragma once
#include "tools/options/groups.h"
#include "tools/results/what_if.h"

namespace afina {

// Question and answer of each row of the result, by its record's place. Reads the files of --data
// again.
void add_texts(WhatIfResult& result, const DataOptions& data);
// Findings of 'afina check': a findings.jsonl or the folder that holds it, or lines of one's own
// with the keys `check` and `place`, and `found` and `expected` where there are words. A finding
// belongs to the record that it names first. An Error for lines that are none, and where none is
// about a row of the result, as where --data was named by another path. Returns how many were.
int64_t add_findings(WhatIfResult& result, const std::string& path);

}  // namespace afina
