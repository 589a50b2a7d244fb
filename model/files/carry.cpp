// The small files beside a model's weights, copied.
#include "model/files/carry.h"

#include <filesystem>

#include "engine/files/atomic_file.h"
#include "engine/files/folder_file.h"

namespace afina {

namespace {

constexpr const char* names[] = {"generation_config.json",
                                 "special_tokens_map.json",
                                 "added_tokens.json",
                                 "vocab.json",
                                 "merges.txt",
                                 "vocab.txt",
                                 "tokenizer.model",
                                 "spiece.model",
                                 "sentencepiece.bpe.model",
                                 "LICENSE",
                                 "LICENSE.txt",
                                 "LICENSE.md",
                                 "NOTICE",
                                 "NOTICE.txt",
                                 "USE_POLICY.md"};

}  // namespace

void carry_small_files(const std::string& from, const std::string& to) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(from, ignored)) return;
  // Read and written, not copied with its rights: what is read-only there need not be so here.
  for (const char* name : names)
    if (in_folder(from, name) && !in_folder(to, name))
      write_text_file(to + "/" + name, read_text_file(file_of_folder(from, name)));
}

}  // namespace afina
