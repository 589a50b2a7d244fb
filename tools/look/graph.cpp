// From the operations of a forward pass to a graph, and its equal layers folded.
#include "tools/look/graph.h"

#include <algorithm>

#include "model/inputs.h"
#include "tools/look/step_watcher.h"
#include "tools/text/format.h"

namespace afina {

namespace {

SeenStep forward_of(Model& model, int64_t rows, int64_t length, uint64_t seed) {
  std::vector<int32_t> tokens, targets, starts(size_t(rows * length), 0);
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < rows * length; ++i) {
    tokens.push_back(int32_t(i % model.config.vocabulary));
    targets.push_back(int32_t((i + 1) % model.config.vocabulary));
    samples.push_back(i / length);
  }
  Inputs inputs = make_inputs(rows, length, tokens, targets, starts, samples, Device::shapes);
  inputs.training = true;
  inputs.seed = seed;
  StepWatcher watcher(model, false);
  {
    const Watching watching(&watcher);
    const Tape tape;
    model.loss(inputs, 1. / double(rows * length));
  }
  return watcher.take();
}

std::string shape_alone(const std::string& shape) { return shape.substr(0, shape.find(')') + 1); }

GraphWeight weight_of(const SeenParameter& p, const std::string& place) {
  GraphWeight w;
  w.name = p.name;
  if (!place.empty() && p.name.starts_with(place + ".")) w.name = p.name.substr(place.size() + 1);
  w.shape = shape_alone(p.shape);
  w.trained = p.trained;
  w.added = p.added;
  return w;
}

// The operation whose result is seen through views.
int64_t behind_views(const SeenStep& seen, int64_t operation) {
  while (operation >= 0 && seen.operations[size_t(operation)].name == "reshape") {
    const auto& inputs = seen.operations[size_t(operation)].inputs;
    operation = inputs.empty() ? -1 : inputs[0].operation;
  }
  return operation;
}

// What must be equal for layers to be alike: all but their number, and from where outside they
// read.
std::string signature(const OperationGraph& graph, size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; ++i) {
    const GraphNode& n = graph.nodes[i];
    text += n.operation + "|" + without_layer(n.place) + "|" + n.shape + "|" +
            std::to_string(n.recorded);
    for (const GraphWeight& w : n.weights)
      text += "|" + without_layer(w.name) + w.shape + (w.trained ? "t" : "") + (w.added ? "a" : "");
    for (const GraphEdge& e : n.inputs)
      text += e.from < from ? ">" : ">" + std::to_string(e.from - from);
    text += "\n";
  }
  return text;
}

// Where each group's nodes begin, and the end.
std::vector<size_t> begins_of(const OperationGraph& graph) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].group == begins.size()) begins.push_back(i);
  begins.push_back(graph.nodes.size());
  return begins;
}

}  // namespace

OperationGraph graph_of(Model& model, int64_t rows, int64_t length, uint64_t seed) {
  require(model.parameters->device == Device::shapes,
          "a graph is made on the device without bytes");
  const SeenStep seen = forward_of(model, rows, length, seed);
  OperationGraph graph;
  std::vector<int64_t> node_of(seen.operations.size(), -1);
  int64_t layer = -1;
  for (size_t i = 0; i < seen.operations.size(); ++i) {
    const SeenOperation& op = seen.operations[i];
    if (op.name == "reshape") continue;
    if (!op.place.empty() || op.name == "cross_entropy") layer = layer_of(op.place);
    if (graph.groups.empty() || graph.groups.back().layer != layer)
      graph.groups.push_back({layer, 1});
    GraphNode node;
    node.operation = op.name;
    node.place = op.place;
    node.shape = op.shape.text();
    node.flops = op.flops;
    node.recorded = op.recorded;
    node.group = graph.groups.size() - 1;
    for (const SeenInput& in : op.inputs) {
      if (in.parameter >= 0)
        node.weights.push_back(weight_of(seen.parameters[size_t(in.parameter)], op.place));
      const int64_t from = behind_views(seen, in.operation);
      if (in.parameter < 0 && from >= 0)
        node.inputs.push_back({size_t(node_of[size_t(from)]), shape_alone(in.shape)});
    }
    node_of[i] = int64_t(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
  }
  return graph;
}

OperationGraph folded(const OperationGraph& graph) {
  const std::vector<size_t> begins = begins_of(graph);
  OperationGraph out;
  out.title = graph.title;
  std::vector<size_t> stands_for(graph.nodes.size());
  std::string last;
  for (size_t g = 0; g + 1 < begins.size(); ++g) {
    const size_t from = begins[g], to = begins[g + 1];
    const std::string own = signature(graph, from, to);
    const bool again = !out.groups.empty() && graph.groups[g].layer >= 0 && own == last;
    if (again) {
      ++out.groups.back().times;
      const size_t first = out.nodes.size() - (to - from);
      for (size_t i = from; i < to; ++i) stands_for[i] = first + (i - from);
      continue;
    }
    last = own;
    out.groups.push_back(graph.groups[g]);
    for (size_t i = from; i < to; ++i) {
      stands_for[i] = out.nodes.size();
      out.nodes.push_back(graph.nodes[i]);
      out.nodes.back().group = out.groups.size() - 1;
      for (GraphEdge& e : out.nodes.back().inputs) e.from = stands_for[e.from];
    }
  }
  return out;
}

OperationGraph block_of(const OperationGraph& graph, int64_t layer) {
  OperationGraph out;
  out.title = graph.title;
  out.groups = {{-1, 1}, {layer, 1}};
  std::vector<int64_t> node_of(graph.nodes.size(), -1);
  auto outside = [&](size_t from) {  // what comes from before, as a node of its own
    if (node_of[from] >= 0) return size_t(node_of[from]);
    GraphNode node = graph.nodes[from];
    node.operation = "from " + node.operation;
    node.weights.clear();
    node.inputs.clear();
    node.flops = 0;
    node.group = 0;
    node_of[from] = int64_t(out.nodes.size());
    out.nodes.push_back(std::move(node));
    return size_t(node_of[from]);
  };
  int64_t most = -1;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    most = std::max(most, graph.groups[graph.nodes[i].group].layer);
    if (graph.groups[graph.nodes[i].group].layer != layer) continue;
    GraphNode node = graph.nodes[i];
    node.group = 1;
    for (GraphEdge& e : node.inputs) e.from = outside(e.from);
    node_of[i] = int64_t(out.nodes.size());
    out.nodes.push_back(std::move(node));
  }
  require(!out.nodes.empty(), "--block ", layer, ": the model has layers 0 to ", most);
  return out;
}

GraphColour colour_of(const GraphNode& node) {
  GraphColour colour = GraphColour::none;
  for (const GraphWeight& w : node.weights)
    colour = std::max(colour, w.added     ? GraphColour::adapter
                              : w.trained ? GraphColour::trained
                                          : GraphColour::frozen);
  return colour;
}

std::string title_of(const GraphGroup& group) {
  if (group.layer < 0) return "";
  const std::string first = std::to_string(group.layer);
  if (group.times == 1) return "layer " + first;
  return "layers " + first + " to " + std::to_string(group.layer + group.times - 1) + ", alike (×" +
         std::to_string(group.times) + ")";
}

std::vector<std::string> lines_of(const GraphNode& node) {
  std::vector<std::string> lines{node.operation};
  std::string place = node.place;
  if (const int64_t layer = layer_of(place); layer >= 0) {
    const std::string number = "." + std::to_string(layer) + ".";
    if (size_t at = place.find(number); at != place.npos) place = place.substr(at + number.size());
  }
  if (!place.empty()) lines.push_back(place);
  for (const GraphWeight& w : node.weights) {
    const char* role = w.added     ? w.trained ? "adapter" : "adapter, held"
                       : w.trained ? "trained"
                                   : "frozen";
    lines.push_back(w.name + " " + w.shape + " " + role);
  }
  lines.push_back("→ " + node.shape + (node.flops ? ", " + format_flops(double(node.flops)) : ""));
  return lines;
}

}  // namespace afina
