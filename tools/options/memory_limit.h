// How much memory this process may use: --memory-limit, the limits of its cgroups, what the machine
// or the GPU has free.
#pragma once
#include <cstdint>
#include <string>

#include "engine/device.h"

namespace afina {

struct MemoryLimit {
  int64_t bytes = 0;   // for the whole process; 0: no limit is known
  std::string set_by;  // "--memory-limit 8G", "the cgroup's limit (/sys/fs/cgroup/memory.max)",
                       // "free memory of this machine"
};
// The least of: what --memory-limit says ("": nothing; "none": no limit at all), the limits of the
// process's cgroups (v2 and v1, parents included) minus what others use in them, and the free
// memory of the machine. root: stands in for "/", for tests. Device::cuda: the least of what
// --memory-limit says and the GPU's free memory. An Error for a text that parse_bytes refuses.
MemoryLimit find_memory_limit(const std::string& asked, const std::string& root = "",
                              Device device = Device::cpu);
// Bytes of "8G", "512M", "1.5GiB" or "4096"; prefixes are powers of 1024. Anything else is an Error
// that names `option`.
int64_t parse_bytes(const std::string& text, const std::string& option);

// From now on allocating a tensor that would take the process (Device::cuda: the GPU's tensors)
// beyond the limit is an Error (engine/device.h, limit_memory). An Error at once when
// --memory-limit names less than the program takes without a tensor.
void hold_memory_limit(const MemoryLimit& limit, Device device = Device::cpu);

// Bytes that this process holds beside tensors: program, tokenizer, data, and what kernels may use
// as scratch memory.
int64_t bytes_beside_tensors();

}  // namespace afina
