// What was chosen by measuring while the program ran, such as the algorithms of a library: written into manifests, so that a run can be
// repeated to the bit on the same kind of device.
#pragma once
#include <map>
#include <string>

namespace afina {

// "cublas matmul 1024x576x1536 ..." -> how it is done.
void note_choice(const std::string& what, const std::string& chosen);
// What was noted or asked for before; empty when it is still to be chosen.
std::string choice_of(const std::string& what);
std::map<std::string, std::string> choices();

}  // namespace afina
