// The face towards libFuzzer: the first word chooses the target, whose seeds are put into the
// corpus folder that follows it.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "test/fuzz/fuzz.h"

static const afina::FuzzTarget* chosen = nullptr;

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  std::string name = *count > 1 ? (*words)[1] : "";
  for (const afina::FuzzTarget* target : afina::FuzzTarget::all())
    if (target->name == name) chosen = target;
  if (!chosen || *count < 3) {
    std::fprintf(stderr, "usage: fuzz TARGET CORPUS-FOLDER [libFuzzer's options]; targets:\n");
    for (const afina::FuzzTarget* target : afina::FuzzTarget::all())
      std::fprintf(stderr, "  %s\n", target->name.c_str());
    std::exit(2);
  }
  std::string folder = (*words)[2];
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : chosen->seeds())
    std::ofstream(folder + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  for (int i = 1; i + 1 < *count; ++i) (*words)[i] = (*words)[i + 1];
  --*count;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  afina::run_once(*chosen, {reinterpret_cast<const char*>(data), size});
  return 0;
}
