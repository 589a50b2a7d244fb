// A tokenizer as the tokenizer.* keys of a GGUF file.
#pragma once
#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/gguf_writer.h"

namespace afina {

struct GgufTokenizerOptions {
  int64_t rows = 0;                // of the model's embedding: tokens [PADn] fill what is missing
  int32_t eos = -1;                // the token that ends a text; -1: the tokenizer's own
  int32_t end_of_turn = -1;        // the token that ends an answer; -1: none, or the same
  std::string chat_template = {};  // written as the default one; empty: the tokenizer's own
};

// Sets tokens, types, merges or scores, the ids of special tokens, what is put around a text, and
// chat templates, as llama.cpp's converter does. Returns what a reader of the file should know, a
// sentence each. Errors, with what to do instead: a tokenizer that is neither byte-level BPE nor
// BPE with scores, a pre-tokenizer that GGUF has no name for (gguf_pre.h), merges that scores
// cannot say, a post-processor that adds other tokens than the begin and the end of a text, more
// tokens than rows.
std::vector<std::string> put_tokenizer(const Tokenizer& tokenizer,
                                       const GgufTokenizerOptions& options, GgufPairs& out);

// The same from another GGUF file: its keys tokenizer.*, byte for byte, but what `options` name.
void copy_tokenizer(const Gguf& from, const GgufTokenizerOptions& options, GgufPairs& out);

}  // namespace afina
