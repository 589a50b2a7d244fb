// The tokens at which other programs stop, in a model's folder.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

// The ids that eos_token_id of config.json and of generation_config.json name, each once.
std::vector<int32_t> end_tokens(const std::string& folder);

// Names token `id` among eos_token_id of config.json and, where the folder has one, of
// generation_config.json: a model that was taught to end its turns with it stops there in other
// programs too. Files that name it already stay as they are. An Error for an eos_token_id that is
// neither a number nor a list.
void add_end_token(const std::string& folder, int32_t id);

}  // namespace afina
