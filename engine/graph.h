// Steps captured as graphs: work recorded once on a device and replayed with other numbers at the
// same device addresses.
#pragma once
#include <memory>

#include "engine/device.h"

namespace afina {

// A device's functions for asynchronous work. Work submitted between begin() and end() is captured
// instead of executed. It may use device memory only: copies from or to the host throw an Error.
struct Graphs {
  const char* (*unable)() = nullptr;  // why this machine or build cannot capture; nullptr if it can
  void (*begin)() = nullptr;          // null: the device cannot capture at all
  // Returns the graph and sets `bytes` to the device memory that it occupies.
  void* (*end)(int64_t* bytes) = nullptr;
  void (*abandon)() = nullptr;  // instead of end(), after an error
  void (*replay)(void* graph) = nullptr;
  void (*drop)(void* graph) = nullptr;
  // Pinned host memory, and copies from it that run while the host continues. Work submitted after
  // arrived() sees what was sent before.
  void* (*pin)(size_t bytes) = nullptr;
  void (*unpin)(void* data) = nullptr;
  void (*send)(void* to, const void* pinned, size_t bytes) = nullptr;
  void (*arrived)() = nullptr;
  // Bytes now allocated in the address range of steps (StepMemory).
  int64_t (*step_bytes)() = nullptr;
  // How often physical memory was mapped, in any range: after the first steps it must not grow.
  int64_t (*growths)() = nullptr;
};
Graphs& graphs(Device device);
// Why the device cannot capture steps; nullptr when it can.
const char* why_no_graphs(Device device);

// While alive, tensors that live no longer than a step (activations, gradients, workspace) are
// allocated from a separate address range. It is empty between steps, so a captured graph finds its
// addresses free at every replay, and all steps and graphs share the same memory. Weights, masters
// and optimizer state are not affected, nor are devices without graphs.
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
  // Does an allocation made now on the device belong to that range?
  static bool takes(Device device);

 private:
  Device outer_;
  bool was_;
  static inline thread_local Device device_ = Device::cpu;
  static inline thread_local bool on_ = false;
};

// A captured step; its memory counts as workspace.
class Graph {
 public:
  // Captures what `work` submits to the device. If it throws, the capture is abandoned.
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
