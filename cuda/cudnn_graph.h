// Graphs of cuDNN operations through its backend interface: tensors, operations on them, and the
// plan with which an engine runs them all.
#pragma once
#include <cudnn.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cuda/launch.cuh"
#include "cuda/library.h"

namespace afina::cuda {

struct Cudnn {
  Library library{"libcudnn.so.9", "libcudnn.so", "/usr/local/cuda/lib64/libcudnn.so.9"};
  decltype(&cudnnCreate) create;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnGetVersion) version;
  decltype(&cudnnBackendCreateDescriptor) make;
  decltype(&cudnnBackendDestroyDescriptor) drop;
  decltype(&cudnnBackendSetAttribute) set;
  decltype(&cudnnBackendGetAttribute) get;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
  cudnnHandle_t handle = nullptr;  // created for the first plan
  bool tried = false;
  Cudnn();
  static void held(cudnnStatus_t status, const char* what) {
    require(status == CUDNN_STATUS_SUCCESS, "cuDNN: ", what, " failed with status ", int(status));
  }
  cudnnHandle_t ready();  // set to our stream; nullptr if cuDNN does not start here
};
Cudnn& cudnn();

// A descriptor of the backend; shared by those that refer to it.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made;
    Cudnn::held(cudnn().make(type, &made), "making a descriptor");
    held_ = std::shared_ptr<void>(made, [](void* d) { cudnn().drop(d); });
  }
  cudnnBackendDescriptor_t get() const { return held_.get(); }
  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t what, cudnnBackendAttributeType_t type,
                  const T* values, int64_t count) {
    Cudnn::held(cudnn().set(get(), what, type, count, values), "setting an attribute");
    return *this;
  }
  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t what, cudnnBackendAttributeType_t type,
                  const T& value) {
    return set(what, type, &value, 1);
  }
  Descriptor& set(cudnnBackendAttributeName_t what, const Descriptor& other) {
    cudnnBackendDescriptor_t d = other.get();
    return set(what, CUDNN_TYPE_BACKEND_DESCRIPTOR, &d, 1);
  }
  cudnnStatus_t try_finalize() { return cudnn().finalize(get()); }
  Descriptor& finalize(const char* what) {
    Cudnn::held(try_finalize(), what);
    return *this;
  }

 private:
  std::shared_ptr<void> held_;
};

using Extents = std::array<int64_t, 4>;

// A tensor of a graph: in memory, a value between operations, or a number passed with the call.
struct Node {
  Descriptor tensor;
  int64_t id;
  Extents dims;
};

class Graph {
 public:
  // A tensor in memory, identified by an id when the graph runs.
  Node memory(Extents dims, Extents strides, cudnnDataType_t type) {
    return add(dims, strides, type, false, false);
  }
  Node number() { return add({1, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_FLOAT, false, true); }
  Node between(Extents dims, cudnnDataType_t type = CUDNN_DATA_FLOAT);

  // c = a b over the last two dimensions.
  void matmul(const Node& a, const Node& b, const Node& c);
  // y = f(x), f(x, b), or t ? x : b.
  void pointwise(cudnnPointwiseMode_t f, const Node& x, const Node* b, const Node* t, const Node& y,
                 cudnnDataType_t in = CUDNN_DATA_FLOAT);
  Node pointwise(cudnnPointwiseMode_t f, const Node& x, const Node& b) {
    Node y = between(x.dims);
    pointwise(f, x, &b, nullptr, y);
    return y;
  }
  Node pointwise(cudnnPointwiseMode_t f, const Node& x) {
    Node y = between(x.dims);
    pointwise(f, x, nullptr, nullptr, y);
    return y;
  }
  Node index(const Node& like, int64_t axis);  // i32: an element's index along the axis
  void reduce(cudnnReduceTensorOp_t f, const Node& x, const Node& y);
  // Transposes the last two dimensions. strides: of the result, if it is not contiguous.
  Node transposed(const Node& x, cudnnDataType_t type, const Extents* strides = nullptr);

  // Builds the plan of the best deterministic engine; false if there is none.
  bool plan();
  int64_t workspace() const { return workspace_; }
  struct Bound {
    int64_t id;
    void* at;  // on the device; for numbers, on the host
  };
  void run(std::vector<Bound> bound, void* workspace);

 private:
  Node add(Extents dims, Extents strides, cudnnDataType_t type, bool between, bool number);
  std::vector<Descriptor> operations_, kept_;  // kept_: what the operations refer to
  std::shared_ptr<Descriptor> plan_;
  int64_t ids_ = 0, workspace_ = 0;
};

}  // namespace afina::cuda
