// The charts of a comparison: each a function from its results to SVG, the same for report.html and
// for a file of its own. The list is all there is to know of them: their names are those of
// `--figure`.
#pragma once
#include <string>
#include <vector>

#include "tools/report/facts.h"
#include "tools/report/svg.h"

namespace afina {

struct Chart {
  const char* name;   // "learned-forgotten"
  const char* title;  // "Learned against forgotten"
  // SVG; empty where the results have nothing to draw, as forgetting without a retention text.
  std::string (*draw)(const Facts& facts, svg::Medium medium);
};
const std::vector<Chart>& charts();
// The chart of this name as SVG, empty where there is nothing to draw. An Error that lists the
// names for one that does not exist.
std::string draw_chart(const Facts& facts, const std::string& name, svg::Medium medium);

// charts_learning.cpp, charts_search.cpp and charts_costs.cpp
namespace chart {
std::string learned_forgotten(const Facts& facts, svg::Medium medium);
std::string loss(const Facts& facts, svg::Medium medium);
std::string loss_by_time(const Facts& facts, svg::Medium medium);
std::string training_loss(const Facts& facts, svg::Medium medium);
std::string change(const Facts& facts, svg::Medium medium);
std::string effective_rank(const Facts& facts, svg::Medium medium);
std::string spectrum(const Facts& facts, svg::Medium medium);
std::string retention(const Facts& facts, svg::Medium medium);
std::string rates(const Facts& facts, svg::Medium medium);
std::string memory(const Facts& facts, svg::Medium medium);
std::string time(const Facts& facts, svg::Medium medium);
std::string flops(const Facts& facts, svg::Medium medium);
std::string storage(const Facts& facts, svg::Medium medium);
std::string parameters(const Facts& facts, svg::Medium medium);
}  // namespace chart

}  // namespace afina
