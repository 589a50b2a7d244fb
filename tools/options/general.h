// Options that every command has, and the one place where they reach the process.
#pragma once
#include "tools/options/fields.h"

namespace afina {

struct GeneralOptions {
  bool help = false;
  std::string config, memory_limit;
  int threads = 0;
  std::vector<std::string> kernels;
  std::string repeat;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("threads", o.threads, Bits::keep, "threads to compute with; the results do not depend on it",
      shown("all cores"));
    v("memory-limit", o.memory_limit, Bits::keep,
      "stop with an error rather than use more than this, as 8G or 512M; also without it, no more "
      "than the cgroup allows or the machine has free. none: no limit at all");
    v("kernel", o.kernels, Bits::special,
      "slot=variant: the kernel to use on a GPU where it takes the arguments, such as "
      "attention=flash or matmul=cublas; may be given more than once");
    v("repeat", o.repeat, Bits::special,
      "manifest.json of an earlier run: libraries use the algorithms that they chose then",
      naming(Names::files));
    v("config", o.config, Bits::keep,
      "INI file: each line option = value, as on the command line without the dashes",
      naming(Names::files));
    v("help,h", o.help, Bits::keep, "print this text");
  }
};

// Sets what belongs to the process as a whole, because the machine does: the number of threads, the
// limit of memory, preferred kernels and earlier choices of algorithms; denormals are flushed in
// the calling thread. Errors: a number of threads out of range, a limit that is no size, unknown
// kernels, a manifest that cannot be read, a wrong AFINA_ISA.
void apply_to_process(const GeneralOptions& options);

}  // namespace afina
