// The memory of the device: a pool over one range of addresses, so that after the first step nothing is asked of the driver.
#include "cuda/launch.cuh"
#include "engine/ranges.h"
#if defined(__CUDACC__)
#include <cuda.h>

#include <mutex>
#include <string>
#else
#include "cuda/emulator/memory.h"
#endif

namespace afina::AFINA_GPU {

#if defined(__CUDACC__)

namespace {

// The driver's functions for memory behind addresses of our choice. Asked for at run time: the program must start where no driver is.
struct Driver {
  decltype(&cuMemAddressReserve) reserve;
  decltype(&cuMemCreate) create;
  decltype(&cuMemMap) map;
  decltype(&cuMemSetAccess) set_access;
  decltype(&cuMemRelease) release;
  decltype(&cuMemGetAllocationGranularity) granularity;

  Driver() {
    find("cuMemAddressReserve", reserve), find("cuMemCreate", create), find("cuMemMap", map), find("cuMemSetAccess", set_access);
    find("cuMemRelease", release), find("cuMemGetAllocationGranularity", granularity);
  }
  template <class F>
  static void find(const char* name, F& function) {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result;
    check(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result), name);
    require(found != nullptr, "the CUDA driver has no ", name, "; install a driver for CUDA 12 or later");
    function = reinterpret_cast<F>(found);
  }
};
void held(CUresult status, const char* what) { require(status == CUDA_SUCCESS, "CUDA: ", what, " failed with code ", int(status)); }

// Addresses are reserved once; memory is put behind them as the highest place in use rises.
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
  // What runs later on the stream may have the place at once.
  void release(void* data, size_t bytes) {
    std::lock_guard lock(mutex_);
    ranges_.give_back(size_t(reinterpret_cast<CUdeviceptr>(data) - base_), padded(bytes));
  }

 private:
  static size_t padded(size_t bytes) { return (bytes + (bytes == 0) + 255) / 256 * 256; }
  void open() {
    int device = 0;
    size_t free_bytes, all;
    check(cudaGetDevice(&device), "the current device");
    check(cudaMemGetInfo(&free_bytes, &all), "the size of memory");
    kind_.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    kind_.location = {CU_MEM_LOCATION_TYPE_DEVICE, device};
    held(driver_.granularity(&piece_, &kind_, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED), "cuMemGetAllocationGranularity");
    size_ = (2 * all + piece_ - 1) / piece_ * piece_;  // freed places may leave holes
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
    held(driver_.release(memory), "cuMemRelease");  // it stays while it is mapped
    CUmemAccessDesc access{kind_.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    held(driver_.set_access(base_ + mapped_, bytes, &access, 1), "cuMemSetAccess");
    mapped_ += bytes;
  }
  Driver driver_;
  CUmemAllocationProp kind_{};
  CUdeviceptr base_ = 0;
  size_t size_ = 0, mapped_ = 0, piece_ = 0;
  Ranges ranges_;
  std::mutex mutex_;
};
Pool& pool() {
  static Pool* all = new Pool;  // never destroyed: tensors of static life may outlive main
  return *all;
}

// Why there is no GPU to use; empty when there is one.
std::string missing() {
  int count = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) return std::string("CUDA finds no GPU: ") + cudaGetErrorString(status);
  if (!count) return "this machine has no NVIDIA GPU";
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, 0), "properties of the GPU");
  if (properties.major >= 8) return "";
  return std::string(properties.name) + " is too old: kernels are compiled for compute capability 8.0 and later";
}
const char* absent() {
  static const std::string why = missing();
  return why.empty() ? nullptr : why.c_str();
}

void copy(void* to, const void* from, size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream()), "copy of memory");
  cudaPointerAttributes of_to{}, of_from{};
  bool inside = cudaPointerGetAttributes(&of_to, to) == cudaSuccess && cudaPointerGetAttributes(&of_from, from) == cudaSuccess &&
                of_to.type == cudaMemoryTypeDevice && of_from.type == cudaMemoryTypeDevice;
  if (!inside) check(cudaStreamSynchronize(stream()), "copy of memory");
}

}  // namespace

cudaStream_t stream() {
  static cudaStream_t only = [] {
    cudaStream_t made;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "making a stream");
    return made;
  }();
  return only;
}

[[maybe_unused]] static const bool registered =
    (memory(this_device) = {[](size_t bytes) { return pool().allocate(bytes); },
                            [](void* data, size_t bytes) { pool().release(data, bytes); }, copy,
                            [](void* data, size_t bytes) { check(cudaMemsetAsync(data, 0, bytes, stream()), "clearing memory"); }, absent,
                            [] { check(cudaStreamSynchronize(stream()), "work given to the GPU"); }},
     true);

#else

[[maybe_unused]] static const bool registered =
    (memory(this_device) = {allocate_memory, release_memory, copy_memory, zero_memory, nullptr, nullptr}, true);

#endif

}  // namespace afina::AFINA_GPU
