// Element-wise primitives, casts and column copies.
#include "engine/primitives.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

template <class T, class F>
AFINA_INLINE void zip_with(Tensor& c, const Tensor& a, const Tensor& b, F f) {
  using V = vector_of<T>;
  T* out = c.data<T>();
  const T *left = a.data<T>(), *right = b.data<T>();
  int64_t n = a.columns();
  if (b.size() == a.size()) {
    each_element(a.size(), [=](int64_t i, int m) {
      put(out + i, f(take(left + i, m), take(right + i, m)), m);
    });
  } else if (b.size() == 1 || b.columns() == 1) {
    int64_t step = b.size() == 1 ? 0 : 1;
    each_row(a.rows(), n, [=](int64_t r) {
      V number = load_one(right + r * step);
      columns16(n, [=](int64_t i, int m) {
        put(out + r * n + i, f(take(left + r * n + i, m), number), m);
      });
    });
  } else {
    each_row(a.rows(), n, [=](int64_t r) {
      columns16(n, [=](int64_t i, int m) {
        put(out + r * n + i, f(take(left + r * n + i, m), take(right + i, m)), m);
      });
    });
  }
}

static void zip(Tensor& c, const Tensor& a, const Tensor& b, Binary f) {
  with_type(a.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    switch (f) {
      case Binary::add: return zip_with<T>(c, a, b, [](auto x, auto y) { return x + y; });
      case Binary::sub: return zip_with<T>(c, a, b, [](auto x, auto y) { return x - y; });
      case Binary::mul: return zip_with<T>(c, a, b, [](auto x, auto y) { return x * y; });
      case Binary::div: return zip_with<T>(c, a, b, [](auto x, auto y) { return x / y; });
    }
  });
}

static void affine(Tensor& y, const Tensor& x, double scale, double offset) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    V factor = scale, constant = offset;
    each_element(x.size(), [=](int64_t i, int n) {
      put(out + i, v_fma(take(in + i, n), factor, constant), n);
    });
  });
}

static void add_into(Tensor& sum, const Tensor& x) {
  with_types(sum.dtype(), x.dtype(), [&](auto* sum_type, auto* type) {
    auto* out = sum.data<AFINA_TYPE(sum_type)>();
    const auto* in = x.data<AFINA_TYPE(type)>();
    each_element(x.size(),
                 [=](int64_t i, int n) { put(out + i, take(out + i, n) + take(in + i, n), n); });
  });
}

template <class To, class From>
AFINA_INLINE void cast_elements(To* out, const From* in, int64_t count) {
  if constexpr (std::is_same_v<vector_of<To>, vector_of<From>>) {
    each_element(count, [=](int64_t i, int n) { put(out + i, take(in + i, n), n); });
  } else {
    parallel_for(count, piece, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) store_one(out + i, sum_of<To>(load_one(in + i)));
    });
  }
}
static void cast(Tensor& to, const Tensor& x) {
  with_type(to.dtype(), [&](auto* to_type) {
    auto from = [&](auto* type) {
      cast_elements(to.data<AFINA_TYPE(to_type)>(), x.data<AFINA_TYPE(type)>(), x.size());
    };
    with_type(x.dtype(), from, "cast");
  });
}

static void columns(Tensor& y, const Tensor& x, int64_t from) {
  int64_t n = x.columns(), count = y.columns(), width = int64_t(size_of(x.dtype()));
  char* out = y.data<char>();
  const char* in = x.data<char>();
  each_row(x.rows(), count, [=](int64_t r) {
    memcpy(out + r * count * width, in + (r * n + from) * width, size_t(count * width));
  });
}
static void add_columns(Tensor& y, const Tensor& part, int64_t from) {
  with_types(y.dtype(), part.dtype(), [&](auto* sum_type, auto* type) {
    auto* out = y.data<AFINA_TYPE(sum_type)>();
    const auto* in = part.data<AFINA_TYPE(type)>();
    int64_t n = y.columns(), count = part.columns();
    each_row(part.rows(), count, [=](int64_t r) {
      auto* to = out + r * n + from;
      columns16(count, [=](int64_t i, int m) {
        put(to + i, take(to + i, m) + take(in + r * count + i, m), m);
      });
    });
  });
}

REGISTER_CPU(zip, zip);
REGISTER_CPU(affine, affine);
REGISTER_CPU(add_into, add_into);
REGISTER_CPU(cast, cast);
REGISTER_CPU(columns, columns);
REGISTER_CPU(add_columns, add_columns);

}  // namespace afina::AFINA_ISA
