// Reading config.json: ranges, and keys that would be ignored.
#include "model/config_reader.h"

#include "engine/nearest.h"
#include "model/words.h"

namespace afina {

namespace {

// Keys of any config.json that say nothing about what a causal language model computes from given
// tokens: names, versions, ids of special tokens, initial values, caches, outputs, other tasks, and
// how text is generated, which is the command's business.
const std::set<std::string>& harmless() {
  static const std::set<std::string> keys = {
      // names and versions
      "architectures", "model_type", "transformers_version", "transformers.js_config", "auto_map",
      "name_or_path", "torch_dtype", "dtype", "is_llama_config", "unsloth_fixed", "unsloth_version",
      "model_name", "finetuning_task", "revision", "tokenizer_class", "custom_pipelines",
      // ids of special tokens, and how long texts may be for a tokenizer
      "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id",
      "cls_token_id", "mask_token_id", "decoder_start_token_id", "forced_bos_token_id",
      "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids",
      "model_max_length", "prefix", "pad_vocab_size_multiple",
      // initial values, memory and speed
      "initializer_range", "use_cache", "cache_implementation", "pretraining_tp", "torchscript",
      "gradient_checkpointing", "fused_mlp", "use_flash_attn", "use_bfloat16",
      "attention_softmax_in_fp32", "scale_attention_softmax_in_fp32", "reorder_and_upcast_attn",
      "chunk_size_feed_forward", "tf_legacy_loss", "low_cpu_mem_usage", "tensor_parallel_size",
      "mesh",
      // outputs and other tasks
      "output_attentions", "output_hidden_states", "return_dict", "return_dict_in_generate",
      "output_scores", "id2label", "label2id", "num_labels", "problem_type", "task_specific_params",
      "classifier_dropout", "classifier_dropout_prob", "summary_activation",
      "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
      "is_decoder", "pruned_heads", "tie_encoder_decoder", "cross_attention_hidden_size",
      // generation
      "max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams",
      "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
      "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
      "encoder_no_repeat_ngram_size", "num_return_sequences", "remove_invalid_values",
      "exponential_decay_length_penalty", "max_tokens"};
  return keys;
}

bool says_nothing(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_boolean()) return !value.get<bool>();
  return (value.is_string() || value.is_array() || value.is_object()) && value.empty();
}

}  // namespace

const Json* ConfigReader::find(const std::string& key) {
  understood_.insert(key);
  return find_member(*json_, key, where_);
}

int64_t ConfigReader::size(const std::string& key, int64_t most) {
  understood_.insert(key);
  int64_t value = get<int64_t>(*json_, key, where_);
  require(value >= 1 && value <= most, where_, ": '", key, "' is ", value, " where 1 to ", most,
          " is expected");
  return value;
}
int64_t ConfigReader::size_or(const std::string& key, int64_t otherwise, int64_t most) {
  return find(key) ? size(key, most) : otherwise;
}
double ConfigReader::number(const std::string& key, double otherwise, double least, double most) {
  if (!find(key)) return otherwise;
  double value = get<double>(*json_, key, where_);
  require(value >= least && value <= most, where_, ": '", key, "' is ", number_text(value),
          " where ", number_text(least), " to ", number_text(most), " is expected");
  return value;
}
bool ConfigReader::flag(const std::string& key, bool otherwise) {
  return find(key) ? get<bool>(*json_, key, where_) : otherwise;
}
std::string ConfigReader::text(const std::string& key, const std::string& otherwise) {
  return find(key) ? get<std::string>(*json_, key, where_) : otherwise;
}
std::vector<std::string> ConfigReader::texts(const std::string& key) {
  return find(key) ? get<std::vector<std::string>>(*json_, key, where_)
                   : std::vector<std::string>();
}
std::vector<int64_t> ConfigReader::integers(const std::string& key) {
  return find(key) ? get<std::vector<int64_t>>(*json_, key, where_) : std::vector<int64_t>();
}

void ConfigReader::only(const std::string& key, const Json& expected) {
  const Json* found = find(key);
  require(!found || *found == expected, where_, ": ", key, " is ", found ? found->dump() : "",
          " where only ", expected.dump(), " is supported for this model_type; if the model was ",
          "trained without it, as where transformers does not read the key, remove it");
}

void ConfigReader::dropout(const std::string& key) {
  double p = number(key, 0., 0., 1.);
  if (p > 0.) dropouts_.push_back(key + " " + number_text(p));
}

std::vector<std::string> ConfigReader::notes() const {
  if (dropouts_.empty()) return {};
  return {where_ + " asks for dropout while training (" + joined(dropouts_) +
          "), which is not applied: only a method's own dropout is"};
}

void ConfigReader::ignore(std::initializer_list<const char*> keys) {
  for (const char* key : keys) understood_.insert(key);
}

void ConfigReader::finish() const {
  require(json_->is_object(), where_, ": a config should be an object, not ", describe(*json_));
  for (auto& [key, value] : json_->items()) {
    if (understood_.count(key) || harmless().count(key) || key.starts_with("_") ||
        says_nothing(value))
      continue;
    std::vector<std::string> known(understood_.begin(), understood_.end());
    std::string model = get_or<std::string>(*json_, "model_type", where_, "model");
    fail(where_, ": ", key, " = ", value.dump(), " is not known for a ", model,
         did_you_mean(key, known),
         ", and what it would change is not computed; if it changes nothing, remove the key");
  }
}

}  // namespace afina
