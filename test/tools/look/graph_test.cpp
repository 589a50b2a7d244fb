// Graphs of forward passes: from the operations that ran, folded, as SVG and DOT.
#include "tools/look/graph.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "test/model/tiny.h"
#include "tools/look/graph_layout.h"

using namespace afina;

namespace {

OperationGraph graph_of_tiny(const std::string& name, const std::string& method) {
  ModelFiles files = open_config(tiny_path(name));
  RandomWeights weights(1);
  BuildOptions build;
  build.device = Device::shapes;
  auto model = build_model(files.config, weights, make_method(parse_method(method)), build);
  return graph_of(*model, 2, 8, 1);
}
const GraphNode& find(const OperationGraph& g, const std::string& operation,
                      const std::string& place) {
  for (const GraphNode& n : g.nodes)
    if (n.operation == operation && n.place == place) return n;
  BOOST_FAIL("no " << operation << " at " << place);
  throw 0;
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }
size_t times(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(graphs)

BOOST_AUTO_TEST_CASE(it_is_what_ran) {
  const OperationGraph g = graph_of_tiny("llama", "lora:rank=4,targets=q_proj+v_proj");
  const GraphNode& q = find(g, "linear_lora", "model.layers.1.self_attn.q_proj");
  BOOST_TEST(int(colour_of(q)) == int(GraphColour::adapter));
  BOOST_TEST(q.recorded);
  const GraphNode& k = find(g, "linear", "model.layers.1.self_attn.k_proj");
  BOOST_TEST(int(colour_of(k)) == int(GraphColour::frozen));
  const GraphNode& attention = find(g, "attention", "model.layers.0.self_attn");
  BOOST_TEST(int(colour_of(attention)) == int(GraphColour::none));
  std::vector<std::string> from;
  for (const GraphEdge& e : attention.inputs) from.push_back(g.nodes[e.from].operation);
  const std::vector<std::string> expected = {"rope", "rope", "linear_lora"};  // views are left out
  BOOST_TEST(from == expected, boost::test_tools::per_element());
  BOOST_TEST(attention.flops > 0);
  const GraphNode& embedding = g.nodes[0];
  BOOST_TEST(embedding.operation == "embedding");
  BOOST_TEST(!embedding.recorded);
  BOOST_TEST(g.nodes.back().operation == "cross_entropy");
  for (size_t i = 0; i < g.nodes.size(); ++i)
    for (const GraphEdge& e : g.nodes[i].inputs) BOOST_TEST(e.from < i);
  const OperationGraph full = graph_of_tiny("llama", "full");
  BOOST_TEST(int(colour_of(find(full, "linear", "model.layers.1.self_attn.k_proj"))) ==
             int(GraphColour::trained));
}

// The first layer differs (nothing is added before its norm); of the others one is drawn.
BOOST_AUTO_TEST_CASE(equal_layers_are_drawn_once) {
  ModelFiles files = open_config(AFINA_SOURCE_DIR "/data/pocket");
  RandomWeights weights(1);
  BuildOptions build;
  build.device = Device::shapes;
  for (const char* method : {"full", "lora:rank=4", "dora:rank=4", "ia3", "prefix", "bottleneck"}) {
    auto model = build_model(files.config, weights, make_method(parse_method(method)), build);
    const OperationGraph all = graph_of(*model, 1, 8, 1), some = folded(all);
    BOOST_TEST(some.nodes.size() < all.nodes.size() / 2, method);
    int64_t layers = 0;
    for (const GraphGroup& g : some.groups) layers += g.layer >= 0 ? g.times : 0;
    BOOST_TEST(layers == files.config.layers, method);
    const std::string svg = graph_svg(some), dot = graph_dot(some);
    BOOST_TEST(has(svg, "layers 1 to 5, alike (×5)"), method);
    BOOST_TEST(times(svg, "class=\"frame\"") == 2, method);
    BOOST_TEST(times(dot, "subgraph cluster_") == 2, method);
    size_t edges = 0;
    for (const GraphNode& n : some.nodes) edges += n.inputs.size();
    BOOST_TEST(times(dot, " -> ") == edges, method);
    const OperationGraph block = block_of(all, 3);
    for (size_t i = 0; i < block.nodes.size(); ++i)
      for (const GraphEdge& e : block.nodes[i].inputs) BOOST_TEST(e.from < i, method);
    BOOST_CHECK_THROW(block_of(all, 6), Error);
  }
}

// The trunk goes straight down: the widest rank decides the picture's width, and no side is empty.
BOOST_AUTO_TEST_CASE(the_picture_is_compact) {
  for (const char* name : {"llama", "gpt2", "mixtral"}) {
    const OperationGraph g = graph_of_tiny(name, "lora:rank=4");  // six layers, each drawn
    const GraphLayout l = layout_of(g);
    double left = 1e30, widest = 0;
    std::map<double, std::pair<double, double>> rows;
    for (const GraphBox& box : l.nodes) {
      left = std::min(left, box.x);
      auto [row, first] = rows.try_emplace(box.y + box.height / 2, box.x, box.x + box.width);
      row->second.first = std::min(row->second.first, box.x);
      row->second.second = std::max(row->second.second, box.x + box.width);
      widest = std::max(widest, row->second.second - row->second.first);
    }
    BOOST_TEST(left < 60, name);
    BOOST_TEST(l.width < 2 * widest + 120, name << ": " << l.width << " and " << widest);
  }
}

// Boxes of one rank do not overlap, lines go down, everything lies within the picture.
BOOST_AUTO_TEST_CASE(boxes_do_not_overlap) {
  for (const char* name : {"llama", "gpt2", "stablelm_parallel", "mixtral"}) {
    const OperationGraph g = folded(graph_of_tiny(name, "lora:rank=4"));
    const GraphLayout l = layout_of(g);
    for (size_t i = 0; i < l.nodes.size(); ++i) {
      const GraphBox& a = l.nodes[i];
      BOOST_TEST((a.x >= 0 && a.y >= 0 && a.x + a.width <= l.width && a.y + a.height <= l.height));
      for (size_t j = 0; j < i; ++j) {
        const GraphBox& b = l.nodes[j];
        const bool apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y ||
                           b.y + b.height <= a.y;
        BOOST_TEST(apart, name << ": " << g.nodes[i].operation << " and " << g.nodes[j].operation);
      }
    }
    for (const GraphLine& line : l.lines)
      for (size_t k = 1; k < line.points.size(); ++k)
        BOOST_TEST(line.points[k].y >= line.points[k - 1].y - 1e-9, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
