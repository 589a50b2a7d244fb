// What this machine is.
#include "tools/results/machine.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#include <fstream>
#include <thread>

#include "engine/bf16_sums.h"
#include "engine/isa.h"
#include "engine/threads.h"

#ifndef AFINA_VERSION
#define AFINA_VERSION "0.2.0"
#endif
#ifndef AFINA_COMMIT
#define AFINA_COMMIT "unknown"
#endif

namespace afina {

Machine this_machine() {
  Machine m;
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) {
      m.cpu = line.substr(line.find(':') + 2);
      break;
    }
  if (m.cpu.empty()) m.cpu = "unknown";
  m.isa = name(isa());
  if (bf16_sums() == Bf16Sums::tiles && sums_by_amx()) m.isa += " with AMX";
  m.threads = thread_count();
  m.cores = int(std::thread::hardware_concurrency());
  struct sysinfo memory {};
  if (sysinfo(&memory) == 0) m.memory_bytes = int64_t(memory.totalram) * memory.mem_unit;
  struct utsname system {};
  if (uname(&system) == 0)
    m.system = std::string(system.sysname) + " " + system.release + " " + system.machine;
  return m;
}
std::string version() { return AFINA_VERSION; }
std::string commit() { return AFINA_COMMIT; }
std::string utc_now() {
  time_t now = time(nullptr);
  struct tm parts {};
  gmtime_r(&now, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

double load_average() {
  std::ifstream file("/proc/loadavg");
  double load = 0;
  file >> load;
  return load;
}

}  // namespace afina
