// What readers said of pairs of answers, as a table.
#pragma once
#include <string>
#include <vector>

namespace afina {

// Prints how often either of two models was the better one. files: votes.json, one a reader. out: a
// new folder for preferences.json; empty: none.
void judge_votes(const std::vector<std::string>& files, const std::string& out);

}  // namespace afina
