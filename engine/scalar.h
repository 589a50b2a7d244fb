// Scalar functions and their derivatives. Each line of the table makes a differentiable tensor
// function on every device.
#pragma once
#include "engine/math.h"

namespace afina {

// clang-format off
//  name       y = f(x)                       dx, given dy, x and y
#define SCALAR_FUNCTIONS(_)                                                        \
  _(neg,       -x,                            -dy)                                 \
  _(square,    x * x,                         V(2.f) * x * dy)                     \
  _(sqrt,      math::sqrt(x),                 V(0.5f) / y * dy)                    \
  _(rsqrt,     V(1.f) / math::sqrt(x),        V(-0.5f) * y * y * y * dy)           \
  _(exp,       math::exp(x),                  y * dy)                              \
  _(log,       math::log(x),                  dy / x)                              \
  _(tanh,      math::tanh(x),                 (V(1.f) - y * y) * dy)               \
  _(sin,       math::sin(x),                  math::cos(x) * dy)                   \
  _(cos,       math::cos(x),                  -math::sin(x) * dy)                  \
  _(sigmoid,   math::sigmoid(x),              y * (V(1.f) - y) * dy)               \
  _(silu,      x * math::sigmoid(x),          math::sigmoid(x) * (V(1.f) + x - y) * dy) \
  _(relu,      math::max(x, V(0.f)),          math::select_positive(x, dy))        \
  _(gelu,      math::gelu(x),                 math::gelu_slope(x) * dy)            \
  _(gelu_tanh, math::gelu_tanh(x),            math::gelu_tanh_slope(x) * dy)
// clang-format on

#define ENTRY(name, f, df) name,
enum class Scalar : uint8_t { SCALAR_FUNCTIONS(ENTRY) };
#undef ENTRY

namespace scalar {
#define ENTRY(name, f, df)                                                        \
  struct name {                                                                   \
    template <class V>                                                            \
    AFINA_ANYWHERE static V forward([[maybe_unused]] V x) {                       \
      return f;                                                                   \
    }                                                                             \
    template <class V>                                                            \
    AFINA_ANYWHERE static V backward([[maybe_unused]] V dy, [[maybe_unused]] V x, \
                                     [[maybe_unused]] V y) {                      \
      return df;                                                                  \
    }                                                                             \
  };
SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY
}  // namespace scalar

// Calls visit with the function as a type: the one switch over Scalar that all devices share.
template <class Visit>
AFINA_INLINE void with_scalar(Scalar function, Visit visit) {
  switch (function) {
#define ENTRY(name, f, df) \
  case Scalar::name: return visit(scalar::name{});
    SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY
  }
}

}  // namespace afina
