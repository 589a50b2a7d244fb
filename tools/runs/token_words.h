// Tokens that a method's options name by their text, with their numbers in place.
#pragma once
#include <string>

#include "data/tokenizer/tokenizer.h"
#include "model/method.h"

namespace afina {

// The spec with numbers for the tokens that the options `tokens` or `trainable_token_indices` name
// by their text: as the vocabulary has it, or as text that is one token. An Error for a text that
// is none. Other options, and specs without these, stay as they are.
MethodSpec with_token_numbers(MethodSpec spec, const Tokenizer& tokenizer);
// The same of "lora:rank=8,tokens=<slot>", text for text.
std::string with_token_numbers(const std::string& method, const Tokenizer& tokenizer);
// With the tokenizer of a model's folder or .gguf file, which is opened only if a text needs it:
// for commands that read no data.
MethodSpec with_token_numbers_of(const std::string& model, MethodSpec spec);

}  // namespace afina
