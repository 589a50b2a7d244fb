// A graph as an SVG picture and as a file for Graphviz.
#include <cstdio>

#include "tools/look/graph_layout.h"

namespace afina {

namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 32) out += c;
  }
  return out;
}
// In a quoted text of DOT.
std::string quoted(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 32) out += c;
  }
  return out;
}

std::string px(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  return text;
}

const char* class_of(GraphColour colour) {
  static constexpr const char* names[] = {"none", "frozen", "trained", "adapter"};
  return names[int(colour)];
}

constexpr const char* style = R"(<style>
  svg { background: #faf9f6;
    font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
  text { fill: #1d1c1a } .head { font-weight: bold } .soft { fill: #6b675f }
  rect.box { fill: #fff; stroke: #b5b0a5 }
  rect.frame { fill: none; stroke: #b5b0a5; stroke-dasharray: 5 4 }
  rect.frozen { fill: #e7ebf2; stroke: #8593ad } rect.trained { fill: #d8efe7; stroke: #2f9b7d }
  rect.adapter { fill: #fbe3cd; stroke: #d2691e }
  path { fill: none; stroke: #77736b; stroke-width: 1.2 } path.still { stroke-dasharray: 3 3 }
  #tip path { fill: #77736b; stroke: none }
  @media (prefers-color-scheme: dark) {
    svg { background: #131518 } text { fill: #ecebe7 } .soft { fill: #aeaba3 }
    rect.box { fill: #1b1e23; stroke: #5a5f68 } rect.frame { stroke: #5a5f68 }
    rect.frozen { fill: #232a37; stroke: #7d92bb } rect.trained { fill: #16352b; stroke: #55cf9b }
    rect.adapter { fill: #3f2a16; stroke: #ff9d57 }
    path { stroke: #aeaba3 } #tip path { fill: #aeaba3 }
  }
</style>
)";

// Lines between boxes bend where they leave and arrive; beside boxes they are straight.
std::string path_of(const GraphLine& line) {
  std::string d = "M" + px(line.points[0].x) + " " + px(line.points[0].y);
  for (size_t k = 1; k < line.points.size(); ++k) {
    const GraphPoint &a = line.points[k - 1], &b = line.points[k];
    const double middle = (a.y + b.y) / 2;
    if (k % 2 == 0) d += "L" + px(b.x) + " " + px(b.y);
    else
      d += "C" + px(a.x) + " " + px(middle) + " " + px(b.x) + " " + px(middle) + " " + px(b.x) +
           " " + px(b.y);
  }
  return d;
}

std::string legend(double x, double y) {
  static constexpr std::pair<const char*, const char*> entries[] = {{"trained", "trained weights"},
                                                                    {"adapter", "an adapter's"},
                                                                    {"frozen", "frozen weights"},
                                                                    {"none", "no weights"}};
  std::string out;
  for (auto& [kind, text] : entries) {
    out += "<rect class=\"box " + std::string(kind) + "\" x=\"" + px(x) + "\" y=\"" + px(y) +
           "\" width=\"14\" height=\"14\" rx=\"3\"/><text class=\"soft\" x=\"" + px(x + 20) +
           "\" y=\"" + px(y + 11) + "\">" + text + "</text>\n";
    x += 150;
  }
  return out;
}

}  // namespace

std::string graph_svg(const OperationGraph& graph) {
  const GraphLayout layout = layout_of(graph);
  constexpr double top = 56;
  const double width = std::max(layout.width, 640.), height = layout.height + top,
               left = (width - layout.width) / 2;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + px(width) + " " +
                    px(height) + "\" width=\"" + px(width) + "\" height=\"" + px(height) +
                    "\">\n<!-- afina graph -->\n" + style +
                    "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                    "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 "
                    "8z\"/></marker></defs>\n<text class=\"head\" x=\"24\" y=\"26\">" +
                    escaped(graph.title) + "</text>\n" + legend(24, 38) +
                    "<g transform=\"translate(" + px(left) + " " + px(top) + ")\">\n";
  for (size_t g = 0; g < layout.groups.size(); ++g) {
    const GraphBox& box = layout.groups[g];
    if (box.width <= 0) continue;
    out += "<rect class=\"frame\" x=\"" + px(box.x) + "\" y=\"" + px(box.y) + "\" width=\"" +
           px(box.width) + "\" height=\"" + px(box.height) +
           "\" rx=\"10\"/><text class=\"soft\" x=\"" + px(box.x + 10) + "\" y=\"" + px(box.y + 15) +
           "\">" + escaped(title_of(graph.groups[g])) + "</text>\n";
  }
  for (const GraphLine& line : layout.lines)
    out += "<path " + std::string(graph.nodes[line.from].recorded ? "" : "class=\"still\" ") +
           "marker-end=\"url(#tip)\" d=\"" + path_of(line) + "\"/>\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphBox& box = layout.nodes[i];
    out += "<g><title>" + escaped(graph.nodes[i].place) + "</title><rect class=\"box " +
           class_of(colour_of(graph.nodes[i])) + "\" x=\"" + px(box.x) + "\" y=\"" + px(box.y) +
           "\" width=\"" + px(box.width) + "\" height=\"" + px(box.height) + "\" rx=\"6\"/>";
    double y = box.y + 17;
    bool first = true;
    for (const std::string& line : lines_of(graph.nodes[i])) {
      out += "<text class=\"" + std::string(first ? "head" : "soft") + "\" x=\"" + px(box.x + 10) +
             "\" y=\"" + px(y) + "\">" + escaped(line) + "</text>";
      y += 16;
      first = false;
    }
    out += "</g>\n";
  }
  return out + "</g>\n</svg>\n";
}

std::string graph_dot(const OperationGraph& graph) {
  static constexpr const char* fills[] = {"#ffffff", "#e7ebf2", "#d8efe7", "#fbe3cd"};
  std::string out = "// afina graph\ndigraph afina {\n  label=\"" + quoted(graph.title) +
                    "\"; labelloc=t; rankdir=TB; fontname=\"monospace\";\n"
                    "  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\", "
                    "fontsize=10];\n  edge [fontname=\"monospace\", fontsize=8];\n";
  for (size_t g = 0; g < graph.groups.size(); ++g) {
    const bool frame = graph.groups[g].layer >= 0;
    if (frame)
      out += "  subgraph cluster_" + std::to_string(g) + " {\n    style=dashed; label=\"" +
             quoted(title_of(graph.groups[g])) + "\";\n";
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].group != g) continue;
      std::string label;
      for (const std::string& line : lines_of(graph.nodes[i])) label += quoted(line) + "\\l";
      out += std::string(frame ? "  " : "") + "  n" + std::to_string(i) + " [label=\"" + label +
             "\", fillcolor=\"" + fills[int(colour_of(graph.nodes[i]))] + "\"];\n";
    }
    if (frame) out += "  }\n";
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const GraphEdge& e : graph.nodes[i].inputs)
      out += "  n" + std::to_string(e.from) + " -> n" + std::to_string(i) + " [label=\"" +
             quoted(e.shape) + "\"" + (graph.nodes[e.from].recorded ? "" : ", style=dashed") +
             "];\n";
  return out + "}\n";
}

}  // namespace afina
