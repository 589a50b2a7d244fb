// What changed in the weights, in report.html: how much, in how many directions, in new ones.
#include "tools/report/page.h"

namespace afina::page {

namespace {

std::string number(double value) {
  std::string text = std::to_string(value);
  return text.substr(0, text.find('.') + 2);
}

// The layers whose weights changed most, as shares.
std::string most_changed(const std::vector<LayerChange>& all) {
  const LayerChange* most = nullptr;
  auto share = [](const LayerChange& one) {
    return one.base_norm > 0 ? one.norm / one.base_norm : 0.;
  };
  for (const LayerChange& one : all)
    if (!most || share(one) > share(*most)) most = &one;
  return most ? format_percent(share(*most)) + " in " + most->layer : "";
}

}  // namespace

std::string changes(const Facts& facts) {
  Table table("",
              {"change", "layers", "effective rank", "stable rank", "intruder dimensions", "most"});
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const std::vector<LayerChange> all = changes_of(facts.comparison.methods[method]);
    if (all.empty()) continue;
    const ChangeSummary sum = summary_of(all);
    table.row(method_name(facts, method),
              {{format_percent(sum.relative)},
               {format_grouped(sum.changed), "of " + format_grouped(sum.layers)},
               {number(sum.effective_rank)},
               {number(sum.stable_rank)},
               {format_grouped(sum.intruders)},
               {most_changed(all), "", "words"}});
  }
  if (table.empty()) return "";
  return "<section id=\"changes\"><h2>What changed in the weights</h2>\n" + table.html() +
         why("What is this?",
             "ΔW is the trained weight minus the pretrained one, adapters merged. Change: the norm "
             "of ΔW over that of W, of all linear layers together. Ranks say in how many "
             "directions "
             "ΔW acts, as means over the layers that changed: the effective rank counts directions "
             "by their share (Roy and Vetterli, 2007), the stable rank is 1 where the largest does "
             "nearly all. Intruder dimensions are directions among the ten strongest of a trained "
             "weight that resemble none of the pretrained one (Shuttleworth et al., 2024), summed "
             "over layers; they have been linked to forgetting. Of one seed.") +
         side_by_side(
             {figure(facts, "spectrum", "Mean over layers; a low-rank method ends at its rank."),
              figure(facts, "change"), figure(facts, "effective-rank")}) +
         "</section>\n";
}

}  // namespace afina::page
