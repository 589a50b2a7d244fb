// The small files beside a model's weights that go with every model made from it.
#pragma once
#include <string>

namespace afina {

// Copies what stands beside the weights in the folder `from`, and what other programs read there,
// into the folder `to`: generation_config.json, special_tokens_map.json, the vocabulary in its
// other forms, the licence. A file that `to` has already stays. Nothing where `from` is no folder
// (a .gguf file). An Error for a file that leads out of the folder.
void carry_small_files(const std::string& from, const std::string& to);

}  // namespace afina
