// The tokens at which other programs stop, in a model's folder.
#include "model/files/end_tokens.h"

#include <algorithm>

#include "engine/files/atomic_file.h"
#include "engine/files/folder_file.h"
#include "engine/files/json.h"

namespace afina {

namespace {

constexpr const char* files[] = {"config.json", "generation_config.json"};

std::vector<int32_t> named_in(const Json& config, const std::string& path) {
  const Json* eos = find_member(config, "eos_token_id", path);
  if (!eos) return {};
  if (eos->is_array()) return get<std::vector<int32_t>>(config, "eos_token_id", path);
  return {get<int32_t>(config, "eos_token_id", path)};
}

bool has(const std::vector<int32_t>& all, int32_t id) {
  return std::find(all.begin(), all.end(), id) != all.end();
}

}  // namespace

std::vector<int32_t> end_tokens(const std::string& folder) {
  std::vector<int32_t> all;
  for (const char* name : files) {
    if (!in_folder(folder, name)) continue;
    const std::string path = file_of_folder(folder, name);
    for (int32_t id : named_in(parse_json_file(path), path))
      if (!has(all, id)) all.push_back(id);
  }
  return all;
}

void add_end_token(const std::string& folder, int32_t id) {
  for (const char* name : files) {
    if (!in_folder(folder, name)) continue;
    const std::string path = file_of_folder(folder, name);
    Json config = parse_json_file(path);
    std::vector<int32_t> ends = named_in(config, path);
    if (has(ends, id)) continue;
    ends.push_back(id);
    config["eos_token_id"] = ends.size() == 1 ? Json(id) : Json(ends);
    write_text_file(path, to_text(config) + "\n");
  }
}

}  // namespace afina
