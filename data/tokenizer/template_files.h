// The chat templates of a folder or of a tokenizer_config.json, read by name.
#pragma once
#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace afina {

// The templates in the member chat_template of a tokenizer_config.json: one text, called "default",
// or a list of names and texts. `name` is the file in messages.
std::vector<NamedTemplate> templates_of_config(const Json& config, const std::string& name);
// The templates in files of the folder: chat_template.jinja ("default") and
// additional_chat_templates/NAME.jinja, sorted by name. Where there are any they replace those of
// tokenizer_config.json, as in transformers 5.
std::vector<NamedTemplate> templates_in_files(const std::string& folder);
// What transformers reads from the folder: the files' templates or, without any, the config's.
std::vector<NamedTemplate> templates_of_folder(const std::string& folder);
// Writes templates as templates_in_files reads them.
void write_templates(const std::string& folder, const std::vector<NamedTemplate>& templates);

}  // namespace afina
