// Names that other tools have for what an option of ours does.
#pragma once
#include <string>
#include <vector>

namespace afina {

// What to give in place of an option that is not known: "here it is --lr". name: without dashes in
// front, as it was typed. known: the options that the command has; an answer names one of them.
// Empty where nothing is known.
std::string our_name_for(const std::string& name, const std::vector<std::string>& known);

}  // namespace afina
