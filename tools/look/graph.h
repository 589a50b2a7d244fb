// The forward pass as a graph of the operations that ran, with layers that are alike drawn once.
#pragma once
#include <string>
#include <vector>

#include "model/model.h"
#include "tools/look/seen.h"

namespace afina {

// A weight that an operation reads.
struct GraphWeight {
  std::string name;   // "weight", "lora_A": what lies behind the operation's place
  std::string shape;  // "(128, 128)"
  bool trained = false, added = false;
};

struct GraphEdge {
  size_t from = 0;
  std::string shape;  // of what passes
};

struct GraphNode {
  std::string operation, place, shape;
  int64_t flops = 0;
  bool recorded = false;  // do gradients come back to it?
  std::vector<GraphWeight> weights;
  std::vector<GraphEdge> inputs;  // from nodes before it
  size_t group = 0;
};

// Nodes that follow each other, of one layer or outside of layers.
struct GraphGroup {
  int64_t layer = -1;  // the first of those it stands for; -1: outside of layers
  int64_t times = 1;   // that many layers in a row are alike
};

struct OperationGraph {
  std::string title;
  std::vector<GraphNode> nodes;  // in the order in which they ran
  std::vector<GraphGroup> groups;
};

// Runs the forward pass and its loss on the device without bytes, for rows x length tokens, and
// keeps the operations. Views (reshape) are left out: what reads them reads what they show.
OperationGraph graph_of(Model& model, int64_t rows, int64_t length, uint64_t seed);
// Equal layers in a row as one.
OperationGraph folded(const OperationGraph& graph);
// One layer alone, with what it reads from before as nodes without an operation. An Error for a
// layer that is not there.
OperationGraph block_of(const OperationGraph& graph, int64_t layer);

// What an operation's colour says: by the weights it reads.
enum class GraphColour : uint8_t { none, frozen, trained, adapter };
GraphColour colour_of(const GraphNode& node);
// "layer 0", "layers 1 to 5, alike (×5)"; empty outside of layers.
std::string title_of(const GraphGroup& group);
// The lines of a node's box: the operation, its module within the layer, weights, result and work.
std::vector<std::string> lines_of(const GraphNode& node);

std::string graph_svg(const OperationGraph& graph);
std::string graph_dot(const OperationGraph& graph);

}  // namespace afina
