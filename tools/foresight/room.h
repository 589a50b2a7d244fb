// How much memory this process may hold, and refusing to begin, or to go on, with what does not
// fit: an error with a way out comes before the machine swaps or the kernel kills.
#pragma once
#include "tools/foresight/predict.h"

namespace afina {

struct MemoryRoom {
  int64_t bytes = 0;   // for the whole process; 0: no limit is known
  std::string set_by;  // "--memory-limit 8G", "the cgroup's limit (/sys/fs/cgroup/memory.max)",
                       // "free memory of this machine"
};
// The least of: what --memory-limit says ("": nothing; "none": then all limits are left aside), the
// limits of the process's cgroups (v2 and v1, parents included) less what others hold in them, and
// what the machine has free. root: stands in for "/", for tests. device cuda: what --memory-limit
// says and what the GPU has free.
MemoryRoom memory_room(const std::string& asked, const std::string& root = "",
                       Device device = Device::cpu);
// "8G", "512M", "1.5GiB", "4096": bytes, prefixes of 1024. `option` is for messages.
int64_t parse_bytes(const std::string& text, const std::string& option);

// From now on no tensor is made that would take the process beyond its room (engine/device.h,
// limit_memory), or the GPU's tensors.
void hold_memory_room(const MemoryRoom& room, Device device = Device::cpu);
// Holds the room. An Error, naming the largest purpose and what to change, when one of these runs
// would not fit.
void require_room(Predictions& predictions, const MemoryRoom& room,
                  const std::vector<std::pair<MethodSpec, uint64_t>>& runs);

}  // namespace afina
