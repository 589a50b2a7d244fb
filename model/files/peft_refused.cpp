// The table of what is refused by name.
#include "model/files/peft_refused.h"

namespace afina {

namespace {

const char* const merge_it =
    "merge it with PEFT (merge_and_unload, save_pretrained) and use the merged folder";
const char* const no_way =
    "nothing can be merged, so PEFT alone can run it; train one of afina's methods instead "
    "(afina methods)";

}  // namespace

// clang-format off
const std::vector<RefusedKind>& refused_peft_types() {
  static const std::vector<RefusedKind> all = {
    {"ADAMSS",
     "its clusters of rows come from another library's k-means and are not in the file",
     merge_it},
    {"ADAPTION_PROMPT", "its prompts join inside of attention behind a gate of their own", no_way},
    {"CARTRIDGE",
     "a part of its prefix is frozen, which afina's prefix tuning has not",
     "train a prefix (prefix) instead, or run it with PEFT"},
    {"CPT",
     "its prompt is projected in every pass, and prompt positions count in the loss",
     no_way},
    {"DEFT", "its change of a weight is another function of the weight", merge_it},
    {"FROD", "its factors of each weight come from a solve over all layers", merge_it},
    {"LILY",
     "a router over the whole batch mixes its matrices, so that a row depends on its "
     "neighbours",
     no_way},
    {"MULTITASK_PROMPT_TUNING",
     "it needs to know the task of every row",
     "run it with PEFT, or train a prompt for each task (prompt)"},
    {"PEANUT", "its change of a weight is a network applied to the weight", merge_it},
    {"POLY",
     "it needs to know the task of every row, and draws its gates at random in training",
     no_way},
    {"PSOFT",
     "its numbers are those of a basis of singular vectors that is not in the file, and whose "
     "signs follow from a linear algebra library",
     merge_it},
    {"PVERA", "it draws random numbers in training", merge_it},
    {"SHADOW", "a second model runs beside the first and changes its hidden states", no_way},
    {"SUPERTUNING",
     "it trains the largest weights, whose places are not chosen in afina",
     merge_it},
    {"XLORA",
     "a classifier mixes several adapters for every token, after a pass without them, and "
     "PEFT 0.21.2 does not write the classifier into the file",
     "use one of its experts, each of which is a plain LoRA"},
  };
  return all;
}
const std::vector<RefusedKind>& refused_lora_keys() {
  static const std::vector<RefusedKind> all = {
    {"alora_invocation_tokens",
     "the adapter (aLoRA) begins at certain tokens of the text, and is not there before "
     "them",
     no_way},
    {"arrow_config",
     "several adapters are mixed for every token (Arrow)",
     "use one of its experts, each of which is a plain LoRA"},
    {"kasa_config",
     "the base model's weights lose their smallest singular directions (KaSA)",
     merge_it},
    {"layer_replication", "the model has more layers than its own files", merge_it},
    {"target_parameters", "it adapts parameters that are no layers, such as experts", merge_it},
    {"use_bdlora", "its matrices are block diagonal (BD-LoRA)", merge_it},
  };
  return all;
}
// clang-format on

}  // namespace afina
