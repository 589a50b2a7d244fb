// The two big tables of a tokenizer.json, read without a value for each of their entries.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizer/bpe.h"
#include "data/tokenizer/token_table.h"

namespace afina {

// What stands in model.vocab and model.merges, and the file without it.
struct BpeTables {
  TokenTable vocabulary;           // in the order of the file
  std::vector<Bpe::Merge> merges;  // in order of rank
  std::string rest;                // the text with {} and [] in their place
};

// Reads the tables straight from the text of a tokenizer.json, which must outlive them. Nothing
// where they are not a plain object of texts and ids and a list of pairs of its tokens, or where
// anything in them is wrong: then the file is to be read in the usual way, which names what it is.
// What is in `rest` is not looked at.
std::optional<BpeTables> read_bpe_tables(const std::string& text);

}  // namespace afina
