// The tokens at which other programs stop, in a model's folder.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

// The ids at which other programs stop, each once: eos_token_id of generation_config.json, or that
// of config.json where the folder has no generation_config.json or it names none. Empty for a
// folder that names none, and for a .gguf file (stop_tokens of its config).
std::vector<int32_t> end_tokens(const std::string& folder);

// What generation_config.json says beside tokens and lengths that changes which words other
// programs write, as "repetition_penalty 1.8": afina writes the likeliest token, or draws by its
// own options. Empty for a folder without the file and for a .gguf file.
std::vector<std::string> generation_not_applied(const std::string& folder);

// Names token `id` among eos_token_id of config.json and, where the folder has one, of
// generation_config.json: a model that was taught to end its turns with it stops there in other
// programs too. Files that name it already stay as they are. An Error for an eos_token_id that is
// neither a number nor a list.
void add_end_token(const std::string& folder, int32_t id);

// Puts the end tokens where others look for them: a generation_config.json that names none gets
// those of config.json (transformers 5 goes on for ever with it otherwise), and where no file names
// any, `otherwise` is named (< 0: none).
void settle_end_tokens(const std::string& folder, int32_t otherwise);

}  // namespace afina
