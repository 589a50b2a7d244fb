// Learning rates in the text of a method, and what the method is called without them.
#pragma once
#include <string>
#include <vector>

#include "model/method.h"

namespace afina {

// Takes the learning rate, which belongs to a run and not to its method, out of the options:
// lr=1e-4 is one, lr=1e-4/3e-4 are several to be searched. `otherwise` where the method names none;
// an Error when that is not positive either, or when a rate is no positive number or is there
// twice.
std::vector<double> take_rates(MethodSpec& spec, double otherwise);
// "lora:rank=16,alpha=32" as people read it: "LoRA r 16, alpha 32"; or the label of its own that
// name=... gave it.
std::string label_of(const MethodSpec& spec);
// Name and options in order, "lora alpha=32 rank=16": equal for equal methods, whatever they are
// called.
std::string key_of(const MethodSpec& spec);
// The same as the name of a folder: "lora-alpha32-rank16".
std::string folder_of(const MethodSpec& spec);

}  // namespace afina
