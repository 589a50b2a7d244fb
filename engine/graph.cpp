// Captured steps, whatever the device.
#include "engine/graph.h"

namespace afina {

namespace {
Graphs all[device_count];
}

Graphs& graphs(Device device) { return all[int(device)]; }

const char* why_no_graphs(Device device) {
  const Graphs& g = graphs(device);
  if (!g.begin) return "the device has no graphs: it runs work as soon as it is submitted";
  return g.unable ? g.unable() : nullptr;
}

bool StepMemory::takes(Device device) {
  if (!on_ || device_ != device) return false;
  Purpose p = PurposeScope::current();
  return p == Purpose::activations || p == Purpose::gradients || p == Purpose::workspace;
}

void Graph::end() {
  graph_ = graphs(device_).end(&bytes_);
  try {
    meter(device_, Purpose::workspace, bytes_);
  } catch (...) {
    graphs(device_).drop(graph_);
    throw;
  }
}
Graph::~Graph() {
  if (!graph_) return;
  graphs(device_).drop(graph_);
  meter(device_, Purpose::workspace, -bytes_);
}

}  // namespace afina
