// graph: the operations of a forward pass as a picture.
#include <iostream>

#include "model/files/save.h"
#include "tools/look/graph.h"
#include "tools/look/own_file.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/token_words.h"
#include "tools/runs/workbench.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Draws the operations of a forward pass as they were recorded, with shapes, FLOPs and
weights, coloured by what the method does: trained, an adapter's, frozen. Layers that
are alike are drawn once. The pass runs on tensors without bytes: a folder with only a
config.json is enough, of any size. Dashed lines: no gradient comes back there.

  afina graph --model data/pocket --method lora:rank=8 --out lora.svg
  afina graph --model data/pocket --method full --block 1 --out block.svg
  afina graph --model data/configs/llama-3-8b --method dora:rank=16 --out llama.dot

An .svg opens in a browser; a .dot is for Graphviz.)";

constexpr const char* mark = "afina graph";

struct GraphOptions {
  std::string model, method = "full", out = "graph.svg";
  int64_t block = -1, batch = 8, length = 256;
  bool unfolded = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("model,m", o.model, Bits::keep, "Hugging Face folder (its config.json) or .gguf file",
      required.naming(Names::files));
    v("method", o.method, Bits::keep, "a method with its options, as full or lora:rank=8",
      naming(Names::methods));
    v("block", o.block, Bits::keep, "draw one layer alone, by its number from 0",
      shown("the whole model"));
    v("unfolded", o.unfolded, Bits::keep, "draw every layer, also where they are alike");
    v("batch", o.batch, Bits::keep, "rows, for the shapes");
    v("length", o.length, Bits::keep, "tokens of a row, for the shapes");
    v("out,o", o.out, Bits::keep,
      "the file to write, .svg or .dot; one that this command wrote is written over, anything else "
      "is not",
      naming(Names::files));
  }
};

int graph(const std::vector<std::string>& words) {
  GraphOptions asked;
  Options options("graph", intro);
  options.add("Graph", asked);
  if (!begin(options, words)) return 0;
  const bool dot = asked.out.ends_with(".dot");
  if (!dot && !asked.out.ends_with(".svg"))
    throw UsageError("afina graph: --out " + asked.out +
                     ": expected a name that ends in .svg or .dot");
  require(asked.batch >= 1 && asked.batch <= 4096, "--batch ", asked.batch,
          ": expected 1 to 4096 rows");
  require_own_file(asked.out, mark);
  const ModelConfig config = open_config(asked.model).config;
  MethodSpec spec = with_token_numbers_of(asked.model, parse_method(asked.method));
  spec.options.erase("lr");
  const int64_t length =
      options.given("length") ? asked.length : std::min(asked.length, config.context);
  require(length >= 1 && length <= config.context, "--length ", length, ": expected 1 to ",
          config.context, ", the model's context");
  RandomWeights weights(1);
  BuildOptions build;
  build.device = Device::shapes;
  auto model = build_model(config, weights, make_method(spec), build);
  OperationGraph all = graph_of(*model, asked.batch, length, 1);
  all.title = asked.model + ", " + asked.method + ": forward pass of " +
              std::to_string(asked.batch) + " x " + std::to_string(length) + " tokens";
  const OperationGraph shown = asked.block >= 0 ? block_of(all, asked.block)
                               : asked.unfolded ? all
                                                : folded(all);
  write_own_file(asked.out, dot ? graph_dot(shown) : graph_svg(shown), mark);
  std::cout << all.nodes.size() << " operations";
  if (shown.nodes.size() != all.nodes.size()) std::cout << ", " << shown.nodes.size() << " drawn";
  std::cout << "; written to " << asked.out << "\n";
  return 0;
}

REGISTER_COMMAND("graph", "draw the operations of a forward pass", graph);

}  // namespace

}  // namespace afina
