// Code that branches on dtypes knows all of them: names and sizes cover every enumerator, and a
// kernel that lacks a dtype says so instead of reading its bytes as another.
#include "engine/dtype.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "engine/kernel.h"
#include "engine/ops/adamw.h"
#include "engine/ops/attention.h"
#include "engine/ops/dropout.h"
#include "engine/ops/norm.h"
#include "engine/ops/rope.h"
#include "engine/ops/swiglu.h"

using namespace afina;

namespace {

// GCC and Clang print an enumerator by its name and any other value as a cast: "t = (Dtype)7".
template <Dtype t>
constexpr bool enumerator() {
  return std::string_view(__PRETTY_FUNCTION__).find("t = (") == std::string_view::npos;
}
// Is f(t) a constant, that is, does it end without the call that throws?
template <Dtype t>
constexpr bool has_size = requires {
  typename std::integral_constant<size_t, size_of(t)>;
};
template <Dtype t>
constexpr bool has_name = requires {
  typename std::integral_constant<char, *name(t)>;
};

template <Dtype t>
constexpr bool covered() {
  bool expected = int(t) < dtype_count;
  // The elements of blocks have no size of their own.
  return enumerator<t>() == expected && has_size<t> == (expected && t != Dtype::blocks) &&
         has_name<t> == expected;
}
template <size_t... i>
constexpr bool all_covered(std::index_sequence<i...>) {
  return (covered<Dtype(i)>() && ...);
}
static_assert(all_covered(std::make_index_sequence<32>()),
              "dtype_count, name() and size_of() must cover every Dtype and nothing else");

static_assert(statistic_dtype(Dtype::f32) == Dtype::f32);
static_assert(statistic_dtype(Dtype::bf16) == Dtype::f32);
static_assert(statistic_dtype(Dtype::f64) == Dtype::f64);

// Runs call and requires an Error that names the kernel and every dtype in `words`.
template <class Call>
void require_refused(const std::string& kernel, std::initializer_list<const char*> dtypes,
                     Call call) {
  BOOST_CHECK_EXCEPTION(call(), Error, [&](const Error& e) {
    std::string text = e.what();
    bool named = text.starts_with(kernel + ":");
    for (const char* dtype : dtypes)
      named = named && text.find(std::string(" ") + dtype) != std::string::npos;
    BOOST_TEST(named, kernel << " said: " << text);
    return named;
  });
}

void require_kernels_refuse(Device device) {
  BOOST_TEST_CONTEXT(name(device)) {
    const Shape shape{4, 8};
    Tensor i = Tensor::zeros(shape, Dtype::i32, device), j = like(i);
    Tensor f = Tensor::zeros(shape, Dtype::f32, device), b = like(f, Dtype::bf16);
    Tensor d = Tensor::zeros(shape, Dtype::f64, device);
    Tensor row({4}, Dtype::f32, device), gain = Tensor::zeros({8}, Dtype::f32, device);
    Tensor square({4, 4}, Dtype::i32, device), one({1}, Dtype::f64, device);
    require_refused("map", {"i32"}, [&] { kernel::map(j, i, Scalar::tanh); });
    require_refused("map_backward", {"i32"},
                    [&] { kernel::map_backward(j, i, i, i, Scalar::tanh); });
    require_refused("zip", {"i32"}, [&] { kernel::zip(j, i, i, Binary::add); });
    require_refused("affine", {"i32"}, [&] { kernel::affine(j, i, 2., 1.); });
    require_refused("add_into", {"i32"}, [&] { kernel::add_into(j, i); });
    require_refused("add_into", {"f64", "f32"}, [&] { kernel::add_into(d, f); });
    require_refused("add_into", {"f32", "f64"}, [&] { kernel::add_into(f, d); });
    require_refused("cast", {"i32"}, [&] { kernel::cast(j, f); });
    require_refused("cast", {"i32"}, [&] { kernel::cast(f, i); });
    require_refused("sum_columns", {"i32"}, [&] { kernel::sum_columns(row, i); });
    require_refused("sum_rows", {"f32", "i32"}, [&] { kernel::sum_rows(gain, i); });
    require_refused("squared_norm", {"i32"}, [&] { kernel::squared_norm(one, i); });
    require_refused("add_columns", {"f32", "i32"}, [&] { kernel::add_columns(f, i, 0); });
    require_refused("matmul", {"i32"},
                    [&] { kernel::matmul(square, i, i, false, true, false, Tensor()); });
    require_refused("matmul", {"f32", "f64"}, [&] {
      Tensor c({4, 4}, Dtype::f64, device);
      kernel::matmul(c, f, f, false, true, false, Tensor());
    });
    require_refused("swiglu", {"i32"}, [&] { kernel::swiglu(j, i, i); });
    require_refused("rmsnorm", {"i32"}, [&] { kernel::rmsnorm(j, row, i, gain, 1e-5); });
    AdamWStep step{};
    require_refused("adamw", {"f32", "f64"}, [&] { kernel::adamw(f, d, f, f, f, step); });
    require_refused("adamw", {"i32"}, [&] { kernel::adamw(i, j, i, i, i, step); });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dtypes)

BOOST_AUTO_TEST_CASE(a_value_that_is_no_dtype_is_an_error) {
  const Dtype unknown = Dtype(dtype_count);
  BOOST_CHECK_THROW(size_of(unknown), Error);
  BOOST_CHECK_THROW(name(unknown), Error);
  require_refused("statistic_dtype", {"i32"}, [] { statistic_dtype(Dtype::i32); });
}

BOOST_AUTO_TEST_CASE(kernels_name_the_dtype_that_they_lack) {
  const Isa used = isa();
  for (Isa one : usable_isas()) {
    set_isa(one);
    require_kernels_refuse(Device::cpu);
  }
  set_isa(used);
  if (present(Device::emulated)) require_kernels_refuse(Device::emulated);
}

BOOST_AUTO_TEST_CASE(a_parameter_of_integers_cannot_be_trained) {
  Tensor t = Tensor::zeros({2}, Dtype::i32);
  BOOST_CHECK_THROW(t.track(), Error);
}

BOOST_AUTO_TEST_SUITE_END()
