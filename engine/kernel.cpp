// The list of kernel slots.
#include "engine/kernel.h"

namespace afina {

constinit KernelSlot* KernelSlot::first_ = nullptr;

}  // namespace afina
