// Chat templates that come with afina, for models that have none: Jinja texts by name.
#pragma once
#include <string>
#include <vector>

namespace afina {

struct BuiltinTemplate {
  std::string name;
  std::string jinja;
};

// All of them, in the order in which messages list them.
const std::vector<BuiltinTemplate>& builtin_templates();
// Null when there is none of this name.
const BuiltinTemplate* builtin_template(const std::string& name);
// "chatml, llama-3, ...", for messages.
std::string builtin_template_names();

}  // namespace afina
