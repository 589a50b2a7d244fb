// Limits of memory: an option, cgroups, the machine.
#include "tools/options/memory_limit.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "engine/error.h"
#include "engine/gpu_room.h"
#include "engine/scratch.h"
#include "tools/text/format.h"

namespace afina {

namespace {

// Scratch memory of kernels (engine/scratch.h), which the meter does not count: what a few threads
// were seen to use, in bytes.
constexpr int64_t kernel_scratch = 16 << 20;

// The number in a file of one line; -1 where there is none ("max", no file).
int64_t number_in(const std::string& path) {
  std::ifstream file(path);
  int64_t number = -1;
  return file >> number ? number : -1;
}
// "key 123" in a file of such lines.
int64_t number_of(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t number = 0;
    if (words >> name >> number && name == key) return number;
  }
  return 0;
}

// The files of one version of cgroups.
struct CgroupFiles {
  const char *limit, *usage, *cache;
};
constexpr CgroupFiles v1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"},
    v2{"memory.max", "memory.current", "inactive_file"};

void consider(MemoryLimit& least, int64_t bytes, const std::string& set_by) {
  if (bytes > 0 && (!least.bytes || bytes < least.bytes)) least = {bytes, set_by};
}

// The group and those it lies in. Cached pages of files are given up when memory is short, so they
// are not counted as taken.
void consider_groups(MemoryLimit& least, const std::string& mount, std::string path,
                     const CgroupFiles& files) {
  for (;; path.resize(path.rfind('/'))) {
    if (path == "/") path.clear();
    std::string folder = mount + path;
    int64_t limit = number_in(folder + "/" + files.limit),
            usage = number_in(folder + "/" + files.usage);
    if (limit > 0 && limit < int64_t(1) << 60) {
      int64_t others =
          usage < 0 ? 0
                    : std::max<int64_t>(0, usage - number_of(folder + "/memory.stat", files.cache) -
                                               resident_bytes());
      consider(least, std::max<int64_t>(1, limit - others),
               "the cgroup's limit of " + format_bytes(double(limit)) + " in " + folder + "/" +
                   files.limit);
    }
    if (path.empty() || path.find('/') == path.npos) return;
  }
}

void consider_cgroups(MemoryLimit& least, const std::string& root) {
  std::ifstream list(root + "/proc/self/cgroup");
  for (std::string line;
       std::getline(list, line);) {  // "4:memory:/a/b", or "0::/a/b" for version 2
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    std::string kinds = "," + line.substr(first + 1, second - first - 1) + ",",
                path = line.substr(second + 1);
    if (kinds == ",,")
      for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
        consider_groups(least, root + mount, path, v2);
    else if (kinds.find(",memory,") != kinds.npos)
      consider_groups(least, root + "/sys/fs/cgroup/memory", path, v1);
  }
}

}  // namespace

int64_t parse_bytes(const std::string& text, const std::string& option) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  for (const char* ending : {"iB", "B"})
    if (unit.ends_with(ending)) unit.resize(unit.size() - std::string(ending).size());
  size_t power = unit.empty() ? 0 : std::string("KMGTkmgt").find(unit) % 4 + 1;
  bool known =
      unit.empty() || (unit.size() == 1 && std::string("KMGTkmgt").find(unit) != std::string::npos);
  double bytes = known ? number * double(int64_t(1) << (10 * power)) : 0;
  require(error == std::errc() && bytes >= 1 && bytes < 1e18, "--", option, " '", text,
          "': expected bytes, as in 8G or 512M (powers of 1024)");
  return int64_t(bytes);
}

MemoryLimit find_memory_limit(const std::string& asked, const std::string& root, Device device) {
  MemoryLimit least;
  if (asked == "none") return least;
  if (!asked.empty())
    consider(least, parse_bytes(asked, "memory-limit"), "--memory-limit " + asked);
  if (device == Device::cuda) {
    if (free_gpu_bytes)
      consider(least, free_gpu_bytes() + memory_use(device).total, "free memory of the GPU");
    return least;
  }
  consider_cgroups(least, root);
  int64_t available = number_of(root + "/proc/meminfo", "MemAvailable:") * 1024;
  if (available > 0) consider(least, available + resident_bytes(), "free memory of this machine");
  return least;
}

void hold_memory_limit(const MemoryLimit& limit, Device device) {
  if (device == Device::cuda) return limit_memory(device, limit.bytes, limit.set_by);
  const int64_t beside = bytes_beside_tensors();
  require(!limit.bytes || limit.bytes > beside || !limit.set_by.starts_with("--memory-limit"),
          limit.set_by, ": the program takes ", format_bytes(double(beside)),
          " before it holds a tensor; expected more than that, or none");
  limit_memory(Device::cpu, limit.bytes ? std::max<int64_t>(1, limit.bytes - beside) : 0,
               limit.set_by + ", of which the program takes " + format_bytes(double(beside)) +
                   " beside its tensors");
}

int64_t bytes_beside_tensors() {
  int64_t kernels = std::max<int64_t>(0, kernel_scratch - int64_t(scratch_bytes()));
  return std::max<int64_t>(8 << 20, resident_bytes() - pool_bytes()) + kernels;
}

}  // namespace afina
