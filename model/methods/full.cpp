// Full fine-tuning: every weight of the pretrained model is trained, nothing is added.
#include "model/method.h"

namespace afina {

namespace {

struct Full : Method {
  explicit Full(MethodOptions&) {}
  bool trains(const std::string&) const override { return true; }
  Stored stored() const override { return Stored::model; }
};

const MethodCard card{.name = "full",
                      .label = "full",
                      .paper = "",
                      .formula = "y = W x + b",
                      .trains = "every weight of the model",
                      .options = "",
                      .rate = 2e-5,
                      .rate_because = "every weight moves, so small steps change the model much",
                      .tries = {"full"}};

}  // namespace

REGISTER_METHOD(card, make_new<Full>);

}  // namespace afina
