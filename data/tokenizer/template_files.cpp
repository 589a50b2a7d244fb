// Chat templates in a folder's files and in tokenizer_config.json.
#include "data/tokenizer/template_files.h"

#include <algorithm>
#include <filesystem>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/folder_file.h"
#include "engine/files/json.h"

namespace afina {

namespace fs = std::filesystem;

namespace {
constexpr const char *file_of_default = "chat_template.jinja",
                     *folder_of_others = "additional_chat_templates";
}  // namespace

std::vector<NamedTemplate> templates_of_config(const Json& config, const std::string& name) {
  const Json* found = find_member(config, "chat_template", name);
  if (!found) return {};
  if (found->is_string()) return {{"default", found->get<std::string>()}};
  require(found->is_array(), name, ": chat_template: expected a string or an array, found ",
          describe(*found));
  std::vector<NamedTemplate> all;
  for (auto& one : *found)
    all.push_back({get<std::string>(one, "name", name + ": chat_template"),
                   get<std::string>(one, "template", name + ": chat_template")});
  return all;
}

std::vector<NamedTemplate> templates_in_files(const std::string& folder) {
  std::vector<NamedTemplate> all;
  if (in_folder(folder, file_of_default))
    all.push_back({"default", read_text_file(file_of_folder(folder, file_of_default))});
  const fs::path others = fs::path(folder) / folder_of_others;
  std::error_code ignored;
  if (!fs::is_directory(others, ignored)) return all;
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator(others))
    if (entry.path().extension() == ".jinja") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    all.push_back({name, read_text_file(file_of_folder(
                             folder, std::string(folder_of_others) + "/" + name + ".jinja"))});
  return all;
}

std::vector<NamedTemplate> templates_of_folder(const std::string& folder) {
  std::vector<NamedTemplate> all = templates_in_files(folder);
  if (!all.empty() || !in_folder(folder, "tokenizer_config.json")) return all;
  const std::string path = file_of_folder(folder, "tokenizer_config.json");
  return templates_of_config(parse_json(read_text_file(path), path), path);
}

void write_templates(const std::string& folder, const std::vector<NamedTemplate>& templates) {
  for (const NamedTemplate& one : templates) {
    if (one.name == "default") {
      write_text_file((fs::path(folder) / file_of_default).string(), one.text);
      continue;
    }
    // The name may come from a GGUF file or a list: it must not lead out of the folder.
    require(one.name.find('/') == one.name.npos && !one.name.starts_with('.'),
            "the chat template \"", one.name, "\" has no name that a file can have");
    fs::create_directories(fs::path(folder) / folder_of_others);
    write_text_file((fs::path(folder) / folder_of_others / (one.name + ".jinja")).string(),
                    one.text);
  }
}

}  // namespace afina
