// Limits of memory: sizes as they are typed, cgroups of both versions, the machine, a GPU.
#include "tools/options/memory_limit.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <utility>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/gpu_room.h"
#include "test/scratch.h"

using namespace afina;

static void check_has(const std::string& text, std::initializer_list<std::string> words) {
  for (auto& word : words)
    BOOST_CHECK_MESSAGE(text.find(word) != text.npos, "'" << word << "' is not in: " << text);
}

BOOST_AUTO_TEST_SUITE(memory_limits)

BOOST_AUTO_TEST_CASE(sizes_are_read) {
  BOOST_TEST(parse_bytes("8G", "x") == int64_t(8) << 30);
  BOOST_TEST(parse_bytes("1.5GiB", "x") == int64_t(3) << 29);
  BOOST_TEST(parse_bytes("512MB", "x") == int64_t(512) << 20);
  BOOST_TEST(parse_bytes("4096", "x") == 4096);
  for (const char* wrong : {"", "G", "-1G", "0", "8Q", "8GG", "8 G", "nan", "1e30"})
    BOOST_CHECK_THROW(parse_bytes(wrong, "x"), Error);
}

BOOST_AUTO_TEST_CASE(the_room_of_a_gpu_is_what_it_has_free) {
  auto real = std::exchange(free_gpu_bytes, [] { return int64_t(5) << 30; });
  BOOST_TEST(find_memory_limit("", "", Device::cuda).bytes == int64_t(5) << 30);
  BOOST_TEST(find_memory_limit("6G", "", Device::cuda).set_by == "free memory of the GPU");
  BOOST_TEST(find_memory_limit("4G", "", Device::cuda).set_by == "--memory-limit 4G");
  BOOST_TEST(find_memory_limit("none", "", Device::cuda).bytes == 0);
  free_gpu_bytes = nullptr;  // a build without CUDA
  BOOST_TEST(find_memory_limit("", "", Device::cuda).bytes == 0);
  free_gpu_bytes = real;
}

BOOST_AUTO_TEST_CASE(limits_of_cgroups_and_of_the_machine_are_found) {
  ScratchFolder root;
  auto put = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root / path).parent_path());
    write_text_file(root / path, text);
  };
  auto gibi = [](double n) { return std::to_string(int64_t(n * double(1 << 30))); };
  const double own = double(resident_bytes()) / double(1 << 30);
  auto room = [&](const std::string& asked = "") {
    MemoryLimit found = find_memory_limit(asked, root / "");
    return std::pair(double(found.bytes) / double(1 << 30), found.set_by);
  };
  BOOST_TEST(room().first == 0);  // nothing is known
  put("proc/meminfo", "MemTotal: 99 kB\nMemAvailable: 67108864 kB\n");
  BOOST_TEST(std::fabs(room().first - 64 - own) < 0.1);
  check_has(room().second, {"free memory"});
  // Version 2: a group without a limit in one that has 8 GiB, of which others hold 5, one of them
  // cached files.
  put("proc/self/cgroup", "0::/outer/inner\n");
  put("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  put("sys/fs/cgroup/outer/memory.max", gibi(8) + "\n");
  put("sys/fs/cgroup/outer/memory.current", gibi(5 + own) + "\n");
  put("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file " + gibi(1) + "\n");
  BOOST_TEST(std::fabs(room().first - 4) < 0.1);
  check_has(room().second, {"8.00 GiB", "sys/fs/cgroup/outer/memory.max"});
  // Version 1; and a container whose own group is all that is mounted.
  put("proc/self/cgroup", "7:cpu,cpuacct:/x\n4:memory:/not/mounted\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", gibi(2) + "\n");
  put("sys/fs/cgroup/memory/memory.usage_in_bytes", gibi(0.5 + own) + "\n");
  BOOST_TEST(std::fabs(room().first - 1.5) < 0.1);
  put("sys/fs/cgroup/memory/not/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/memory/not/mounted/memory.limit_in_bytes", gibi(1) + "\n");
  BOOST_TEST(std::fabs(room().first - 1) < 0.1);
  // An option may ask for less, not for more; none sets all aside.
  BOOST_TEST(std::fabs(room("512M").first - 0.5) < 0.01);
  check_has(room("512M").second, {"--memory-limit 512M"});
  BOOST_TEST(std::fabs(room("16G").first - 1) < 0.1);
  BOOST_TEST(room("none").first == 0);
}

BOOST_AUTO_TEST_SUITE_END()
