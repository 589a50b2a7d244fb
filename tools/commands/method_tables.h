// The methods of fine-tuning as tables: what each costs on a model, and all cards as a document.
#pragma once
#include <ostream>

#include "tools/foresight/method_costs.h"

namespace afina {

// "all linear layers" where the default options fit the model, else the reason below the table.
// shape: of the model, whose rows are full.
void print_costs(std::ostream& out, const RunShape& shape, const std::vector<MethodCost>& costs);
// The cards of all methods in Markdown: a table of formulas, then each method with its options.
void print_cards(std::ostream& out);
// The costs in Markdown. model: what it is called there.
void print_cost_document(std::ostream& out, const std::string& model, const RunShape& shape,
                         const std::vector<MethodCost>& costs);
// What a promise means, as in "does not hold: ...".
const char* name_of(Promise promise);

}  // namespace afina
