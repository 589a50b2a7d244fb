// Last layers: the last k blocks are trained as in full fine-tuning, with the norm behind them and,
// where it is a matrix of its own, the head.
#include <charconv>

#include "model/model.h"

namespace afina {

namespace {

// The number of the block in "model.layers.3.mlp.up_proj.weight"; -1 for what is outside of blocks.
int64_t block_of(const std::string& name) {
  for (size_t from = 0; from < name.size();) {
    const size_t to = std::min(name.find('.', from), name.size());
    int64_t number = -1;
    auto [end, error] = std::from_chars(name.data() + from, name.data() + to, number);
    if (error == std::errc() && end == name.data() + to) return number;
    from = to + 1;
  }
  return -1;
}

struct Last : Method {
  int64_t count, layers = 0;
  explicit Last(MethodOptions& o) : count(o.integer("k", 2, 1, 10000)) {}
  void begin(const ModelConfig& config) override {
    layers = config.layers;
    require(count <= layers, "method 'last': k=", count, " of a model that has ", layers,
            " blocks; name at most so many, or use full");
  }
  bool trains(const std::string& name) const override {
    const int64_t block = block_of(name);
    if (block >= 0) return block >= layers - count;
    const bool embeds = name.find("embed_tokens") != name.npos || name.find("wte") != name.npos ||
                        name.find("wpe") != name.npos || name.find("embed_in") != name.npos;
    return !embeds;
  }
  Stored stored() const override { return Stored::changed; }
};

const MethodCard card{
    .name = "last",
    .label = "last layers",
    .paper =
        "What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning (Lee et al., 2019)",
    .formula = "y = W x + b in the last k blocks, all else frozen",
    .trains = "the last k blocks, the norm behind them, and a head that is not the embedding",
    .options = "k=2: how many blocks",
    .rate = 1e-4,
    .rate_because = "as full fine-tuning, of which it is a part",
    .tries = {"last:k=1"}};

}  // namespace

REGISTER_METHOD(card, make_new<Last>);

}  // namespace afina
