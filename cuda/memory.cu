// The device's memory: pools over one address range each, so that nothing is requested from the
// driver after the first step; and capture of the stream's work.
#include "cuda/launch.cuh"
#include "engine/gpu_room.h"
#include "engine/graph.h"
#include "engine/ranges.h"
#if defined(__CUDACC__)
#include <cuda.h>

#include <mutex>
#include <string>
#endif

namespace afina::AFINA_GPU {

#if defined(__CUDACC__)

namespace {

// The driver's functions for memory at addresses of our choice. Looked up at run time, because the
// program must start without a driver.
struct Driver {
  decltype(&cuMemAddressReserve) reserve;
  decltype(&cuMemCreate) create;
  decltype(&cuMemMap) map;
  decltype(&cuMemSetAccess) set_access;
  decltype(&cuMemRelease) release;
  decltype(&cuMemGetAllocationGranularity) granularity;

  Driver() {
    find("cuMemAddressReserve", reserve);
    find("cuMemCreate", create);
    find("cuMemMap", map);
    find("cuMemSetAccess", set_access);
    find("cuMemRelease", release);
    find("cuMemGetAllocationGranularity", granularity);
  }
  template <class F>
  static void find(const char* name, F& function) {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result;
    check(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result), name);
    require(found != nullptr, "the CUDA driver has no ", name,
            "; install a driver for CUDA 12 or later");
    function = reinterpret_cast<F>(found);
  }
};
void held(CUresult status, const char* what) {
  require(status == CUDA_SUCCESS, "CUDA: ", what, " failed with code ", int(status));
}

// Addresses are reserved once; memory is mapped as the highest address in use rises.
class Pool {
 public:
  void* allocate(size_t bytes) {
    std::lock_guard lock(mutex_);
    if (!base_) open();
    size_t at = ranges_.take(padded(bytes), size_);
    require(at != Ranges::none, "out of address space on the GPU for ", bytes, " bytes");
    if (ranges_.end() > mapped_) grow(ranges_.end(), bytes);
    return reinterpret_cast<void*>(base_ + at);
  }
  // Work submitted later on the stream may reuse the memory at once.
  void release(void* data, size_t bytes) {
    std::lock_guard lock(mutex_);
    ranges_.give_back(size_t(reinterpret_cast<CUdeviceptr>(data) - base_), padded(bytes));
  }
  bool holds(const void* data) const {
    auto at = reinterpret_cast<CUdeviceptr>(data);
    return base_ && at >= base_ && at < base_ + size_;
  }
  int64_t taken() const { return int64_t(ranges_.end()); }
  int64_t growths() const { return growths_; }

 private:
  static size_t padded(size_t bytes) { return (bytes + (bytes == 0) + 255) / 256 * 256; }
  void open() {
    int device = 0;
    size_t free_bytes, all;
    check(cudaGetDevice(&device), "the current device");
    check(cudaMemGetInfo(&free_bytes, &all), "the size of memory");
    kind_.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    kind_.location = {CU_MEM_LOCATION_TYPE_DEVICE, device};
    held(driver_.granularity(&piece_, &kind_, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED),
         "cuMemGetAllocationGranularity");
    size_ = (2 * all + piece_ - 1) / piece_ * piece_;  // free blocks may leave gaps
    held(driver_.reserve(&base_, size_, 0, 0, 0), "cuMemAddressReserve");
  }
  void grow(size_t to, size_t asked) {
    constexpr size_t least = size_t(64) << 20;
    size_t bytes = to - mapped_ < least ? least : to - mapped_;
    bytes = (bytes + piece_ - 1) / piece_ * piece_;
    CUmemGenericAllocationHandle memory;
    if (driver_.create(&memory, bytes, &kind_, 0) != CUDA_SUCCESS) {
      ranges_.give_back(to - padded(asked), padded(asked));
      fail("the GPU's memory is full: ", asked, " bytes on top of ", mapped_,
           " held; use a smaller --batch or --length, or --checkpoint block");
    }
    held(driver_.map(base_ + mapped_, bytes, 0, memory, 0), "cuMemMap");
    held(driver_.release(memory), "cuMemRelease");  // the memory stays until it is unmapped
    CUmemAccessDesc access{kind_.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    held(driver_.set_access(base_ + mapped_, bytes, &access, 1), "cuMemSetAccess");
    mapped_ += bytes;
    ++growths_;
  }
  Driver driver_;
  CUmemAllocationProp kind_{};
  CUdeviceptr base_ = 0;
  size_t size_ = 0, mapped_ = 0, piece_ = 0;
  int64_t growths_ = 0;
  Ranges ranges_;
  std::mutex mutex_;
};
// Never destroyed: static tensors may outlive main.
Pool& pool() {
  static Pool* all = new Pool;
  return *all;
}
// Memory of captured steps (engine/graph.h).
Pool& step_pool() {
  static Pool* all = new Pool;
  return *all;
}
void* allocate(size_t bytes) {
  return (StepMemory::takes(this_device) ? step_pool() : pool()).allocate(bytes);
}
void release(void* data, size_t bytes) {
  (step_pool().holds(data) ? step_pool() : pool()).release(data, bytes);
}

// Why no GPU can be used; empty if one can.
std::string missing() {
  int count = 0, driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || !driver)
    return "no NVIDIA driver is installed on this machine";
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) return std::string("CUDA finds no GPU: ") + cudaGetErrorString(status);
  if (!count) return "this machine has no NVIDIA GPU";
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, 0), "properties of the GPU");
  if (properties.major >= 8) return "";
  return std::string(properties.name) +
         " is too old: kernels are compiled for compute capability 8.0 and later";
}
const char* absent() {
  static const std::string why = missing();
  return why.empty() ? nullptr : why.c_str();
}

bool capturing() {
  cudaStreamCaptureStatus status;
  check(cudaStreamIsCapturing(stream(), &status), "state of the stream");
  return status != cudaStreamCaptureStatusNone;
}

bool is_ours(const void* data) { return pool().holds(data) || step_pool().holds(data); }

void copy(void* to, const void* from, size_t bytes) {
  bool inside = is_ours(to) && is_ours(from);
  require(inside || !capturing(), "a captured step copies ", bytes,
          is_ours(to) ? " bytes from" : " bytes to",
          " the host, which would not happen again when it is replayed");
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream()), "copy of memory");
  if (!inside) check(cudaStreamSynchronize(stream()), "copy of memory");
}

// Relaxed mode: the pools may map memory during capture.
void begin_capture() {
  check(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeRelaxed),
        "beginning to capture a step");
}
void* end_capture(int64_t* bytes) {
  cudaGraph_t graph;
  check(cudaStreamEndCapture(stream(), &graph), "capturing a step");
  size_t before, after, all;
  check(cudaMemGetInfo(&before, &all), "free memory");
  cudaGraphExec_t ready = nullptr;
  cudaError_t status = cudaGraphInstantiate(&ready, graph, 0);
  cudaGraphDestroy(graph);
  check(status, "making a graph of a step");
  check(cudaGraphUpload(ready, stream()), "sending a graph to the GPU");
  check(cudaStreamSynchronize(stream()), "sending a graph to the GPU");
  check(cudaMemGetInfo(&after, &all), "free memory");
  *bytes = before > after ? int64_t(before - after) : 0;
  return ready;
}
void abandon_capture() {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream(), &graph) == cudaSuccess && graph) cudaGraphDestroy(graph);
  cudaGetLastError();
}

// A separate stream for copies, so that they overlap with a step.
struct Copies {
  cudaStream_t stream = nullptr;
  cudaEvent_t done = nullptr;
  Copies() {
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    check(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), "making an event");
  }
};
Copies& copies() {
  static Copies* only = new Copies;
  return *only;
}
void* pin(size_t bytes) {
  void* data = nullptr;
  check(cudaHostAlloc(&data, bytes, cudaHostAllocDefault), "pinning memory");
  return data;
}
void send(void* to, const void* pinned, size_t bytes) {
  check(cudaMemcpyAsync(to, pinned, bytes, cudaMemcpyHostToDevice, copies().stream),
        "copy of memory");
  check(cudaEventRecord(copies().done, copies().stream), "marking a copy");
}
void arrived() { check(cudaStreamWaitEvent(stream(), copies().done, 0), "waiting for a copy"); }

}  // namespace

size_t most_shared() {
  static const size_t bytes = [] {
    int device, most;
    check(cudaGetDevice(&device), "the device in use");
    check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "shared memory of a block");
    return size_t(most);
  }();
  return bytes;
}

cudaStream_t stream() {
  static cudaStream_t only = [] {
    cudaStream_t made;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "making a stream");
    return made;
  }();
  return only;
}

[[maybe_unused]] static const bool registered = (
    graphs(this_device) = {
        nullptr, begin_capture, end_capture, abandon_capture,
        [](void* graph) {
          check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream()), "replaying a step");
        },
        [](void* graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }, pin,
        [](void* data) { cudaFreeHost(data); }, send, arrived, [] { return step_pool().taken(); },
        [] { return pool().growths() + step_pool().growths(); }},
    memory(this_device) = {allocate, release, copy,
                           [](void* data, size_t bytes) {
                             check(cudaMemsetAsync(data, 0, bytes, stream()), "clearing memory");
                           },
                           absent,
                           [] { check(cudaStreamSynchronize(stream()), "work given to the GPU"); }},
    free_gpu_bytes =
        [] {
          size_t free_bytes = 0, all = 0;
          return cudaMemGetInfo(&free_bytes, &all) == cudaSuccess ? int64_t(free_bytes)
                                                                  : int64_t(0);
        },
    true);

#else

[[maybe_unused]] static const bool registered =
    (graphs(this_device) = graph_functions(),
     memory(this_device) = {allocate, release, copy, zero, nullptr, nullptr}, true);

#endif

}  // namespace afina::AFINA_GPU
