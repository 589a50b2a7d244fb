// What the general options set for the whole process.
#include "tools/options/general.h"

#include "engine/isa.h"
#include "engine/threads.h"
#include "tools/options/kernel_options.h"
#include "tools/options/memory_limit.h"

namespace afina {

void apply_to_process(const GeneralOptions& options) {
  require(options.threads >= 0 && options.threads <= 1024, "--threads ", options.threads,
          ": expected 1 to 1024, or 0 for all cores");
  if (options.threads > 0) set_thread_count(options.threads);
  hold_memory_limit(find_memory_limit(options.memory_limit));
  prefer_kernels(options.kernels);
  if (!options.repeat.empty()) repeat_choices(options.repeat);
  isa();  // reports a wrong AFINA_ISA before any work is done
  flush_denormals();
}

}  // namespace afina
