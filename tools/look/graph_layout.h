// Places for the boxes and lines of a graph: ranks from top to bottom, each in an order with few
// crossings.
#pragma once
#include "tools/look/graph.h"

namespace afina {

struct GraphPoint {
  double x = 0, y = 0;
};
struct GraphBox {
  double x = 0, y = 0, width = 0, height = 0;  // x, y: of its upper left corner
};
struct GraphLine {
  size_t from, to;                 // nodes
  std::vector<GraphPoint> points;  // from the lower side of one to the upper side of the other
};
struct GraphLayout {
  double width = 0, height = 0;
  std::vector<GraphBox> nodes;
  std::vector<GraphBox> groups;  // around the nodes of each; empty (width 0) outside of layers
  std::vector<GraphLine> lines;
};

// Sizes in pixels, for text of 12 pixels.
GraphLayout layout_of(const OperationGraph& graph);

}  // namespace afina
