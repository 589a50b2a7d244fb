// Pre-tokenizers by the names that GGUF files have for them (tokenizer.ggml.pre), both ways.
#pragma once
#include <string>

#include "engine/files/json_value.h"

namespace afina {

// The "pre_tokenizer" of a tokenizer.json for a name. An Error for one that is not known; `file`
// begins the message.
OrderedJson gguf_pre_tokenizer(const std::string& pre, const std::string& file);

// The name for the "pre_tokenizer" of a byte-level tokenizer.json: the one whose expressions cut
// text alike. An Error that shows the expressions where no name is right, as llama.cpp would then
// cut text otherwise than the model was trained on; `file` begins the message.
std::string gguf_pre_name(const Json& pre_tokenizer, const std::string& file);

}  // namespace afina
