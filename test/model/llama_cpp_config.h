// The tiny models as llama.cpp can know them.
#pragma once
#include "test/model/tiny.h"

namespace afina {

// The config of a tiny model, changed where llama.cpp takes something else for granted.
inline Json config_for_llama_cpp(const std::string& name) {
  Json config = parse_json_file(tiny_path(name) + "/config.json");
  if (name != "olmo3")
    for (const char* key : {"layer_types", "no_rope_layers"}) config.erase(key);
  else config["rope_parameters"]["sliding_attention"]["rope_theta"] = 10000.;
  if (name == "starcoder2") config["sliding_window"] = nullptr;
  if (name == "qwen3_moe") {
    config["mlp_only_layers"] = Json::array();
    config["output_router_logits"] = false;
  }
  if (name == "smollm3") config["use_sliding_window"] = false;
  if (config.contains("query_pre_attn_scalar")) config["query_pre_attn_scalar"] = 16;
  if (name == "gemma3") config.erase("rope_parameters");
  return config;
}

}  // namespace afina
