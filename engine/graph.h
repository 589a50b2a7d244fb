// Steps captured as graphs: what a device was given to do, kept to be done again with other numbers
// in the same places of its memory.
#pragma once
#include <memory>

#include "engine/device.h"

namespace afina {

// What a device offers to be given work without being waited for. Work given between begin and end
// is not done but kept. It may touch the device's memory alone: what the host reads or writes in
// between is an Error.
struct Graphs {
  const char* (*unable)() =
      nullptr;                // why not on this machine or in this build, nullptr when it can
  void (*begin)() = nullptr;  // none: the device captures nothing
  void* (*end)(int64_t* bytes) =
      nullptr;                  // the graph, and the device's memory that it takes for itself
  void (*abandon)() = nullptr;  // instead of end
  void (*replay)(void* graph) = nullptr;
  void (*drop)(void* graph) = nullptr;
  // Memory of the host that copies leave from while the host goes on. What was sent is there for
  // work given after arrived().
  void* (*pin)(size_t bytes) = nullptr;
  void (*unpin)(void* data) = nullptr;
  void (*send)(void* to, const void* pinned, size_t bytes) = nullptr;
  void (*arrived)() = nullptr;
  // Of the range of addresses that steps have for themselves (StepMemory): bytes taken now.
  int64_t (*step_bytes)() = nullptr;
  // How often memory was put behind addresses, of any range: after the first steps the count must
  // stand still.
  int64_t (*growths)() = nullptr;
};
Graphs& graphs(Device device);
// nullptr when the device captures.
const char* why_no_graphs(Device device);

// While alive, what tensors hold for no longer than a step (activations, gradients, workspace) lies
// in a range of addresses of its own. It is empty between steps, so a graph finds its addresses
// free whenever it is replayed, and all steps and graphs share the same memory. What lives longer
// (weights, masters, the optimizer's) lies elsewhere as ever. Devices without graphs take no
// notice.
class StepMemory {
 public:
  explicit StepMemory(Device device) : outer_(device_), was_(on_) {
    device_ = device;
    on_ = true;
  }
  ~StepMemory() {
    device_ = outer_;
    on_ = was_;
  }
  StepMemory(const StepMemory&) = delete;
  // Does what is allocated now on the device belong there?
  static bool takes(Device device);

 private:
  Device outer_;
  bool was_;
  static inline thread_local Device device_ = Device::cpu;
  static inline thread_local bool on_ = false;
};

// A captured step.
class Graph {
 public:
  // Captures what `work` gives the device. When it throws, nothing is kept.
  template <class Work>
  Graph(Device device, Work work) : device_(device) {
    graphs(device).begin();
    try {
      work();
    } catch (...) {
      graphs(device).abandon();
      throw;
    }
    end();
  }
  ~Graph();
  Graph(const Graph&) = delete;
  void replay() const { graphs(device_).replay(graph_); }

 private:
  void end();
  Device device_;
  void* graph_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace afina
