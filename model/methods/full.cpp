// Full fine-tuning: every weight of the pretrained model moves, nothing is added.
#include "model/method.h"

namespace afina {

namespace {

struct Full : Method {
  bool trains(const std::string&) const override { return true; }
};

std::unique_ptr<Method> make(MethodOptions&) { return std::make_unique<Full>(); }

}  // namespace

REGISTER_METHOD("full", make, "full: train every weight of the model; no options");

}  // namespace afina
