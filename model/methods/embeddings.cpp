// Embeddings alone: the table of tokens is trained, and a head of its own with it; all blocks are
// frozen. What it takes to give new words a meaning.
#include "model/scope.h"

namespace afina {

namespace {

struct Embeddings : Method {
  explicit Embeddings(MethodOptions&) {}
  bool trains(const std::string& name) const override {
    for (const char* table : {"embed_tokens.", ".wte.", "embed_in.", "lm_head.", "embed_out."})
      if (name.find(table) != name.npos) return true;
    return false;
  }
  Stored stored() const override { return Stored::changed; }
};

const MethodCard card{.name = "embeddings",
                      .label = "embeddings",
                      .paper =
                          "On the Cross-lingual Transferability of Monolingual Representations "
                          "(Artetxe et al., 2020)",
                      .formula = "x = E[token], logits = H h",
                      .trains = "E (vocabulary, width), and H where it is not E itself",
                      .options = "",
                      .rate = 1e-3,
                      .rate_because = "a row learns only when its token occurs",
                      .tries = {"embeddings"}};

}  // namespace

REGISTER_METHOD(card, make_new<Embeddings>);

}  // namespace afina
