// A small result in the form that PEFT's method_comparison writes.
#pragma once
#include "engine/files/json.h"

namespace afina {

inline Json peft_result() {
  return parse_json(R"({
    "run_info": {"created_at": "2026-01-02T03:04:05+00:00", "total_time": 99.5,
      "experiment_name": "lora/small-rank4", "peft_branch": "main",
      "train_config": {"model_id": "example/small", "dtype": "bfloat16", "batch_size": 4, "seed": 0,
        "max_steps": 200, "eval_steps": 100, "optimizer_kwargs": {"lr": 0.0001}},
      "peft_config": {"peft_type": "LORA", "r": 4}, "error_msg": ""},
    "train_info": {"accelerator_memory_reserved_avg": 1500000, "accelerator_memory_max": 2000000,
      "accelerator_memory_reserved_99th": 1900000, "train_time": 44.5, "file_size": 4096,
      "num_trainable_params": 1000, "num_total_params": 90000, "status": "success", "metrics": [
        {"step": 100, "valid accuracy": 0.1, "train loss": 0.75, "train samples": 400,
         "train time": 10.0, "eval time": 3.0, "tokens / sec": 100.0, "elapsed time": 14.0},
        {"step": 200, "valid accuracy": 0.2, "train loss": 0.5, "train samples": 800,
         "train time": 20.0, "eval time": 3.0, "tokens / sec": 70.0, "elapsed time": 39.0},
        {"step": 200, "test accuracy": 0.25, "train loss": 0.5, "train samples": 800,
         "train total tokens": 2400, "forgetting": 0.125}]},
    "meta_info": {"model_info": {"sha": null, "created_at": null}, "dataset_info": {},
      "package_info": {"peft-version": "0.21.2", "torch-version": "2.15.0"},
      "system_info": {"system": "Linux", "accelerator": "Example GPU"}, "pytorch_info": ""}})",
                    "result");
}

}  // namespace afina
