// Tables of a coherence experiment for the terminal.
#include "tools/commands/coherence_tables.h"

#include "engine/counted.h"
#include "tools/text/colour.h"
#include "tools/text/table.h"

namespace afina {

void print_coherence(std::ostream& out, const CoherenceResult& result) {
  const double lowest = result.rates[0];
  for (const std::string& method : result.methods) {
    Table table("lrrrrrrr");
    std::vector<std::string> head = {method, "replaced"};
    for (const char* name : {"held-out\nloss", "values\nagree", "words\nagree", "values\nright",
                             "other\nvoice", "any\nfinding"})
      head.push_back(name);
    table.add(head);
    for (size_t i = 0; i < result.rates.size(); ++i) {
      std::vector<std::string> row = {rate_words(result.rates[i]),
                                      std::to_string(result.replaced[i])};
      for (const CoherenceFigure& figure : coherence_figures())
        row.push_back(
            coherence_text(figure, coherence_mean(result, figure, method, result.rates[i])));
      table.add(row);
    }
    for (double rate : result.rates) {
      if (rate == lowest) continue;
      std::vector<std::string> row = {rate_words(rate) + " - " + rate_words(lowest), ""};
      for (const CoherenceFigure& figure : coherence_figures())
        row.push_back(
            coherence_text(figure, coherence_change(result, figure, method, rate, lowest), true));
      table.add(row);
    }
    out << "\n";
    table.print(out, size_t(stdout_columns()));
  }
  const size_t seeds = result.runs.size() / (result.methods.size() * result.rates.size());
  out << "\nMeans over " << counted(int64_t(seeds), "seed")
      << (seeds > 1 ? " with 95 % intervals (Student's t); differences seed by seed.\n"
                    : "; more --seeds give intervals.\n");
}

}  // namespace afina
