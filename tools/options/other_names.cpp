// Names that other tools have: transformers, TRL, PEFT, LLaMA-Factory, Axolotl, torchtune, MLX,
// llama.cpp.
#include "tools/options/other_names.h"

#include <algorithm>

namespace afina {

namespace {

struct OtherName {
  const char* ours;
  std::initializer_list<const char*> theirs;
  const char* how = "";  // what follows "--ours"
};

// Written with hyphens; a name with underscores is the same.
const OtherName other_names[] = {
    {"epochs", {"num-train-epochs", "num-epochs", "n-epochs", "nb-epochs", "max-epochs", "epoch"}},
    {"lr", {"learning-rate", "peak-lr", "max-lr"}},
    {"batch",
     {"batch-size", "per-device-train-batch-size", "per-device-batch-size", "micro-batch-size",
      "train-batch-size", "device-batch-size", "per-device-eval-batch-size", "bs", "mbs"}},
    {"accumulate",
     {"gradient-accumulation-steps", "gradient-accumulation", "grad-accum", "grad-accumulation",
      "grad-accumulation-steps", "accumulation-steps", "accumulate-grad-batches"}},
    {"steps",
     {"max-steps", "num-steps", "iters", "num-iters", "max-iters", "iterations", "train-iters",
      "max-steps-per-epoch", "num-train-steps"}},
    {"out", {"output-dir", "output", "out-dir", "save-path", "save-dir", "output-path"}},
    {"warmup", {"warmup-steps", "num-warmup-steps", "lr-warmup-steps"}},
    {"warmup",
     {"warmup-ratio", "warmup-proportion", "warmup-frac"},
     ", a number of steps (the share times --steps)"},
    {"schedule", {"lr-scheduler-type", "lr-scheduler", "lr-schedule", "scheduler"}},
    {"length",
     {"max-seq-length", "max-seq-len", "max-length", "cutoff-len", "model-max-length", "block-size",
      "sequence-len", "seq-len", "seq-length", "ctx-size", "max-tokens-per-row"}},
    {"model",
     {"model-name-or-path", "model-name", "base-model", "pretrained-model-name-or-path",
      "model-path", "pretrained"}},
    {"data",
     {"dataset", "dataset-name", "datasets", "train-file", "train-data", "data-path",
      "dataset-path", "data-file", "train-path", "training-data"}},
    {"eval",
     {"eval-dataset", "validation-file", "eval-file", "eval-data", "validation-data", "val-file",
      "val-data", "valid-file"}},
    {"held-out",
     {"val-set-size", "val-size", "test-size", "validation-split", "validation-size", "eval-split"},
     ", a number of records"},
    {"method",
     {"lora-r", "lora-rank", "rank", "r", "lora-dim"},
     " lora:rank=8 (options of a method follow its name)"},
    {"method",
     {"lora-alpha", "alpha", "lora-scale"},
     " lora:rank=8,alpha=16 (options of a method follow its name)"},
    {"method", {"lora-dropout"}, " lora:rank=8,dropout=0.05 (options of a method follow its name)"},
    {"method",
     {"target-modules", "lora-target-modules", "lora-target", "lora-modules", "lora-target-linear"},
     " lora:rank=8,targets=q_proj+v_proj (options of a method follow its name)"},
    {"method", {"use-dora", "dora"}, " dora:rank=8"},
    {"method", {"use-rslora", "rslora"}, ": 'afina methods' lists what each takes"},
    {"method", {"peft-type", "fine-tune-type", "finetuning-type", "adapter-type", "use-peft"}},
    {"adapter",
     {"adapter-name-or-path", "adapter-path", "lora-path", "peft-model", "lora", "lora-model-dir",
      "peft-path"}},
    {"clip", {"max-grad-norm", "grad-clip", "gradient-clipping", "clip-grad", "grad-norm"}},
    {"beta1", {"adam-beta1"}},
    {"beta2", {"adam-beta2"}},
    {"eps", {"adam-epsilon", "epsilon", "adam-eps"}},
    {"weight-decay", {"wd", "decay"}},
    {"optimizer", {"optim", "optimiser"}},
    {"save-every", {"save-steps", "checkpoint-every", "save-interval", "steps-per-save"}},
    {"eval-every", {"eval-steps", "eval-interval", "steps-per-eval", "evaluation-steps"}},
    {"dtype", {"bf16", "torch-dtype", "precision", "mixed-precision"}, " bf16"},
    {"dtype", {"fp16", "half"}, " bf16 (there is no fp16)"},
    {"checkpoint",
     {"gradient-checkpointing", "grad-checkpoint", "activation-checkpointing"},
     " block"},
    {"tensorboard", {"report-to", "logging-dir", "log-dir", "tensorboard-dir"}},
    {"pack", {"packing", "sample-packing"}},
    {"resume", {"resume-from-checkpoint", "resume-from", "resume-training"}},
    {"seed", {"random-seed", "data-seed", "random-state"}},
    {"limit", {"max-samples", "max-train-samples", "num-samples", "max-examples"}},
    {"template", {"chat-template", "prompt-template"}},
    {"threads", {"num-threads", "n-threads"}},
    {"train-on", {"train-on-inputs", "mask-prompt", "train-on-prompt", "assistant-only-loss"}},
    {"max-tokens", {"max-new-tokens", "n-predict", "num-predict", "max-gen-toks"}},
    {"fields", {"field", "prompt-column", "text-field", "dataset-text-field", "columns"}},
};

}  // namespace

std::string our_name_for(const std::string& name, const std::vector<std::string>& known) {
  std::string word = name;
  for (char& c : word) c = char(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  auto is_known = [&](const std::string& option) {
    return std::find(known.begin(), known.end(), option) != known.end();
  };
  if (word != name && is_known(word)) return "here it is --" + word;
  for (const OtherName& one : other_names)
    for (const char* theirs : one.theirs)
      if (word == theirs && is_known(one.ours))
        return "here it is --" + std::string(one.ours) + one.how;
  return "";
}

}  // namespace afina
