// `make gpu-check`: on a machine without a GPU it explains itself; its whole path up to the device
// runs on the emulated one.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>

#include "engine/device.h"
#include "engine/files/atomic_file.h"
#include "test/scratch.h"

using namespace afina;

namespace {

struct Ran {
  std::string out;
  int status = 0;
};
Ran gpu_check(const std::string& environment) {
  std::string bin = std::filesystem::path(AFINA_PROGRAM).parent_path();
  FILE* pipe = popen(
      (environment + " '" AFINA_SOURCE_DIR "/test/gpu_check.sh' '" + bin + "' 2>&1").c_str(), "r");
  BOOST_REQUIRE(pipe);
  Ran ran;
  char part[4096];
  while (size_t got = fread(part, 1, sizeof part, pipe)) ran.out.append(part, got);
  ran.status = pclose(pipe);
  return ran;
}
bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gpu_check_script)

BOOST_AUTO_TEST_CASE(explains_itself_without_a_gpu) {
  if (present(Device::cuda)) return;
  Ran ran = gpu_check("DEVICE=cuda OUT=/nonexistent");
  BOOST_TEST(ran.status == 0, ran.out);
  for (const char* what : {"no GPU can be used here", "compute-sanitizer", "peers", "gpu-package"})
    BOOST_TEST(has(ran.out, what), ran.out);
}

BOOST_AUTO_TEST_CASE(goes_its_whole_way_on_the_emulated_device) {
  ScratchFolder scratch;
  Ran ran = gpu_check("DEVICE=emulated OUT='" + (scratch / "out") + "' PYTHON=/nonexistent");
  BOOST_TEST(ran.status == 0, ran.out);
  std::string report = read_text_file(scratch / "out/gpu.md");
  for (const char* what :
       {"## Tests", "## The same run twice", "| bf16 | full | (the loss) |", "rmsnorm_backward",
        "attention_backward bf16 1x20, 2/1 heads of 32 | flash", "| GPT-2 124M | lora:rank=16",
        "over nf4 |", "| unpack nf4 to bf16 | eight_per_thread", "| matmul q4_k bf16",
        "over nf4-double", "PyTorch was not measured"})
    BOOST_TEST(has(report, what), what << " is not in " << report);
  BOOST_TEST(!has(report, "failed"), report);
}

BOOST_AUTO_TEST_SUITE_END()
