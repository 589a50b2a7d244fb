// Kinds of adapters that PEFT has and afina does not: why, and what their owner can do.
#pragma once
#include <string>
#include <vector>

namespace afina {

struct RefusedKind {
  std::string name;     // as adapter_config.json has it: a peft_type, or a key of type LORA
  std::string because;  // completes "...: afina does not read it: "
  std::string way_out;
};
// Every peft_type of PEFT 0.21.2 that no method of afina has.
const std::vector<RefusedKind>& refused_peft_types();
// Keys of a LoRA's config that make it another method.
const std::vector<RefusedKind>& refused_lora_keys();

}  // namespace afina
