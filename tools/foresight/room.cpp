// Whether the runs of a bench fit into memory, and what to change where one does not.
#include "tools/foresight/room.h"

#include <algorithm>

#include "tools/foresight/budget.h"
#include "tools/text/format.h"

namespace afina {

namespace {

std::string largest_purpose(const MemoryBytes& memory) {
  auto most = std::max_element(memory.of.begin(), memory.of.end());
  return std::string(name(Purpose(most - memory.of.begin()))) + " with " +
         format_bytes(double(*most));
}

}  // namespace

void require_room(Predictions& predictions, const MemoryLimit& limit,
                  const std::vector<std::pair<MethodSpec, uint64_t>>& runs) {
  const Workbench& bench = predictions.bench();
  const Device device = bench.model.usable_device();
  hold_memory_limit(limit, device);
  if (!limit.bytes) return;
  for (auto& [spec, seed] : runs) {
    const MemoryBytes& needed = predictions.of(spec, seed).memory;
    if (needed.resident_peak <= limit.bytes) continue;
    fail("memory: ", spec.text, " needs ", format_bytes(double(needed.resident_peak)),
         " and there is room for ", format_bytes(double(limit.bytes)), " (", limit.set_by,
         "). The largest part is ", largest_purpose(needed), ".\n",
         ways_out(attempts(shape_of(bench), spec, seed, limit.bytes)),
         "--memory-limit none tries it all the same.");
  }
}

}  // namespace afina
