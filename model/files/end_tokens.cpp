// The tokens at which other programs stop, in a model's folder.
#include "model/files/end_tokens.h"

#include <algorithm>

#include "engine/files/atomic_file.h"
#include "engine/files/folder_file.h"
#include "engine/files/json.h"

namespace afina {

namespace {

constexpr const char *config = "config.json", *generation = "generation_config.json";

std::vector<int32_t> named_in(const Json& json, const std::string& path) {
  const Json* eos = find_member(json, "eos_token_id", path);
  if (!eos) return {};
  if (eos->is_array()) return get<std::vector<int32_t>>(json, "eos_token_id", path);
  return {get<int32_t>(json, "eos_token_id", path)};
}

bool has(const std::vector<int32_t>& all, int32_t id) {
  return std::find(all.begin(), all.end(), id) != all.end();
}

void name_ends(Json& json, const std::vector<int32_t>& ends, const std::string& path) {
  json["eos_token_id"] = ends.size() == 1 ? Json(ends[0]) : Json(ends);
  write_text_file(path, to_text(json) + "\n");
}

}  // namespace

std::vector<int32_t> end_tokens(const std::string& folder) {
  std::vector<int32_t> all;
  for (const char* name : {generation, config}) {
    if (!in_folder(folder, name)) continue;
    const std::string path = file_of_folder(folder, name);
    for (int32_t id : named_in(parse_json_file(path), path))
      if (!has(all, id)) all.push_back(id);
    if (!all.empty()) return all;
  }
  return all;
}

std::vector<std::string> generation_not_applied(const std::string& folder) {
  // Values with which a key changes nothing, null aside.
  const std::pair<const char*, Json> keys[] = {{"repetition_penalty", 1.},
                                               {"encoder_repetition_penalty", 1.},
                                               {"no_repeat_ngram_size", 0},
                                               {"encoder_no_repeat_ngram_size", 0},
                                               {"length_penalty", 1.},
                                               {"num_beams", 1},
                                               {"num_beam_groups", 1},
                                               {"diversity_penalty", 0.},
                                               {"penalty_alpha", nullptr},
                                               {"guidance_scale", 1.},
                                               {"min_length", 0},
                                               {"min_new_tokens", nullptr},
                                               {"suppress_tokens", Json::array()},
                                               {"begin_suppress_tokens", Json::array()},
                                               {"bad_words_ids", Json::array()},
                                               {"force_words_ids", Json::array()},
                                               {"sequence_bias", nullptr},
                                               {"forced_bos_token_id", nullptr},
                                               {"forced_eos_token_id", nullptr},
                                               {"exponential_decay_length_penalty", nullptr},
                                               {"stop_strings", nullptr},
                                               {"dola_layers", nullptr},
                                               {"watermarking_config", nullptr}};
  std::vector<std::string> said;
  if (!in_folder(folder, generation)) return said;
  const std::string path = file_of_folder(folder, generation);
  const Json json = parse_json_file(path);
  for (const auto& [key, usual] : keys)
    if (const Json* value = find_member(json, key, path); value && *value != usual)
      said.push_back(std::string(key) + " " + value->dump());
  return said;
}

void add_end_token(const std::string& folder, int32_t id) {
  const std::vector<int32_t> in_force = end_tokens(folder);
  for (const char* name : {config, generation}) {
    if (!in_folder(folder, name)) continue;
    const std::string path = file_of_folder(folder, name);
    Json json = parse_json_file(path);
    std::vector<int32_t> ends = named_in(json, path);
    if (has(ends, id)) continue;
    if (ends.empty()) ends = in_force;
    if (!has(ends, id)) ends.push_back(id);
    name_ends(json, ends, path);
  }
}

void settle_end_tokens(const std::string& folder, int32_t otherwise) {
  const std::vector<int32_t> ends = end_tokens(folder);
  if (ends.empty()) {
    if (otherwise >= 0) add_end_token(folder, otherwise);
    return;
  }
  if (!in_folder(folder, generation)) return;
  const std::string path = file_of_folder(folder, generation);
  Json json = parse_json_file(path);
  if (named_in(json, path).empty()) name_ends(json, ends, path);
}

}  // namespace afina
