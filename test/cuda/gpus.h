// The GPUs that tests run on.
#pragma once
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/device.h"

namespace afina {

// The emulated GPU, and a real one where there is one. AFINA_TEST_GPU=cuda (or emulated): that one
// alone; minutes of a real GPU are dear.
inline std::vector<Device> gpus() {
  std::vector<Device> all;
  const char* only = std::getenv("AFINA_TEST_GPU");
  for (Device device : {Device::emulated, Device::cuda})
    if ((!only || std::string(only) == name(device)) && present(device)) all.push_back(device);
  return all;
}

}  // namespace afina
