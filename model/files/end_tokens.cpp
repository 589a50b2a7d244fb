// The tokens at which other programs stop, in a model's folder.
#include "model/files/end_tokens.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

namespace afina {

void add_end_token(const std::string& folder, int32_t id) {
  for (const char* name : {"config.json", "generation_config.json"}) {
    const std::string path = folder + "/" + name;
    if (!std::filesystem::exists(path)) continue;
    Json config = parse_json_file(path);
    std::vector<int32_t> ends;
    if (const Json* eos = find_member(config, "eos_token_id", path)) {
      if (eos->is_array()) ends = get<std::vector<int32_t>>(config, "eos_token_id", path);
      else ends = {get<int32_t>(config, "eos_token_id", path)};
    }
    if (std::find(ends.begin(), ends.end(), id) != ends.end()) continue;
    ends.push_back(id);
    config["eos_token_id"] = ends.size() == 1 ? Json(id) : Json(ends);
    write_text_file(path, to_text(config) + "\n");
  }
}

}  // namespace afina
