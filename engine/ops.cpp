// The primitive operations and their gradients.
#include "engine/ops.h"

#include "engine/kept.h"

namespace afina {

namespace {

Tensor map(const char* operation, const Tensor& x, Scalar f) {
  Tensor y = like(x);
  kernel::map(y, x, f);
  y = remade_by(y, [x = Kept(x), f] {
    Tensor of_x = x.get(), again = like(of_x);
    kernel::map(again, of_x, f);
    return again;
  });
  return Tape::record(operation, y, {x},
                      [dx = x.grad(), x = Kept(x), y = Kept(y), f](const Tensor& dy) {
                        Tensor of_x = x.get(), part = like(of_x);
                        kernel::map_backward(part, dy, of_x, y.get(), f);
                        dx += part;
                      });
}

// The gradient of a spread operand is the sum over what it was spread over.
Tensor shrink(const Tensor& g, const Shape& to) {
  if (to.size() == g.size()) return g.viewed(to);
  Tensor y = Tensor::zeros(to, g.dtype(), g.device());
  if (to.size() == 1) {
    Tensor column({g.rows(), 1}, g.dtype(), g.device());
    kernel::sum_columns(column, g);
    kernel::sum_rows(y, column);
  } else if (to.columns() == 1) {
    kernel::sum_columns(y, g);
  } else {
    kernel::sum_rows(y, g);
  }
  return y;
}
Tensor zip(const Tensor& a, const Tensor& b, Binary f) {
  bool fits = b.size() == a.size() || b.size() == 1 || (b.columns() == 1 && b.rows() == a.rows()) ||
              b.size() == a.columns();
  require(fits && a.dtype() == b.dtype(), "shapes ", a.shape().text(), " ", name(a.dtype()),
          " and ", b.shape().text(), " ", name(b.dtype()), " do not go together");
  Tensor c = like(a);
  kernel::zip(c, a, b, f);
  return c;
}
Tensor affine(const Tensor& x, double scale, double offset) {
  Tensor y = like(x);
  kernel::affine(y, x, scale, offset);
  return Tape::record("affine", y, {x}, [dx = x.grad(), scale](const Tensor& dy) {
    Tensor part = like(dy);
    kernel::affine(part, dy, scale, 0.);
    dx += part;
  });
}
Tensor product(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  int64_t k = ta ? a.rows() : a.columns(), kb = tb ? b.columns() : b.rows();
  require(k == kb, "matmul of ", a.shape().text(), ta ? "ᵀ" : "", " and ", b.shape().text(),
          tb ? "ᵀ" : "", ": ", k, " is not ", kb);
  Tensor c({ta ? a.columns() : a.rows(), tb ? b.rows() : b.columns()}, a.dtype(), a.device());
  product_into(c, a, b, ta, tb, false, Tensor());
  return c;
}
// The matrix with ones where row i meets column from + i.
Tensor choice(const Tensor& x, int64_t count, int64_t of, int64_t from) {
  std::vector<float> one(size_t(count * of), 0.f);
  for (int64_t i = 0; i < count; ++i) one[size_t(i * of + from + i)] = 1.f;
  return Tensor::from(one, {count, of}, x.dtype(), x.device());
}

}  // namespace

#define ENTRY(name, f, df) \
  Tensor name(const Tensor& x) { return map(#name, x, Scalar::name); }
SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY

Tensor operator+(const Tensor& a, const Tensor& b) { return added(zip(a, b, Binary::add), a, b); }
Tensor added(Tensor c, const Tensor& a, const Tensor& b) {
  return Tape::record("add", std::move(c), {a, b},
                      [da = a.grad(), db = b.grad(), to = b.shape()](const Tensor& dc) {
                        if (da) da += dc;
                        if (db) db += shrink(dc, to);
                      });
}
Tensor operator-(const Tensor& a, const Tensor& b) {
  return Tape::record("sub", zip(a, b, Binary::sub), {a, b},
                      [da = a.grad(), db = b.grad(), to = b.shape()](const Tensor& dc) {
                        if (da) da += dc;
                        if (!db) return;
                        Tensor part = shrink(dc, to), negative = like(part);
                        kernel::affine(negative, part, -1., 0.);
                        db += negative;
                      });
}
Tensor operator*(const Tensor& a, const Tensor& b) {
  return Tape::record(
      "mul", zip(a, b, Binary::mul), {a, b},
      [da = a.grad(), db = b.grad(), a = a.detached(), b = b.detached()](const Tensor& dc) {
        if (da) da += zip(dc, b, Binary::mul);
        if (db) db += shrink(zip(dc, a, Binary::mul), b.shape());
      });
}
Tensor operator/(const Tensor& a, const Tensor& b) {
  Tensor c = zip(a, b, Binary::div);
  return Tape::record("div", c, {a, b},
                      [da = a.grad(), db = b.grad(), b = b.detached(), c](const Tensor& dc) {
                        Tensor part = zip(dc, b, Binary::div);
                        if (db) {
                          Tensor of_b = zip(part, c, Binary::mul), negative = like(of_b);
                          kernel::affine(negative, of_b, -1., 0.);
                          db += shrink(negative, b.shape());
                        }
                        if (da) da += part;
                      });
}
Tensor operator*(const Tensor& a, double s) { return affine(a, s, 0.); }
Tensor operator+(const Tensor& a, double s) { return affine(a, 1., s); }

Tensor sum_columns(const Tensor& x) {
  Tensor y({x.rows(), 1}, x.dtype(), x.device());
  kernel::sum_columns(y, x);
  return Tape::record("sum_columns", y, {x}, [dx = x.grad(), shape = x.shape()](const Tensor& dy) {
    dx += zip(Tensor::zeros(shape, dy.dtype(), dy.device()), dy, Binary::add);
  });
}
Tensor sum(const Tensor& x) {
  Tensor y = shrink(x, {1});
  return Tape::record("sum", y, {x}, [dx = x.grad(), shape = x.shape()](const Tensor& dy) {
    dx += zip(Tensor::zeros(shape, dy.dtype(), dy.device()), dy, Binary::add);
  });
}
Tensor matmul(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  return Tape::record(
      "matmul", product(a, b, ta, tb), {a, b},
      [da = a.grad(), db = b.grad(), ta, tb, a = a.detached(), b = b.detached()](const Tensor& dc) {
        if (da) da += ta ? product(b, dc, tb, true) : product(dc, b, false, !tb);
        if (db) db += tb ? product(dc, a, true, ta) : product(a, dc, !ta, false);
      });
}
void product_into(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
                  const Tensor& bias) {
  count_flops(2 * c.size() * (ta ? a.rows() : a.columns()));
  kernel::matmul(c, a, b, ta, tb, accumulate, bias);
}
void product2_into(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                   bool tb, const Tensor& bias) {
  count_flops(2 * c.size() * (a.columns() + a2.columns()));
  kernel::matmul2(c, a, b, a2, b2, tb, bias);
}
Tensor reshape(const Tensor& x, Shape shape) {
  return Tape::record(
      "reshape", x.viewed(shape), {x},
      [dx = x.grad(), back = x.shape()](const Tensor& dy) { dx += dy.viewed(back); });
}
Tensor columns(const Tensor& x, int64_t from, int64_t count) {
  require(from >= 0 && count >= 0 && from + count <= x.columns(), "columns ", from, " to ",
          from + count, " of ", x.shape().text());
  std::vector<int64_t> extents;
  for (int i = 0; i < x.shape().rank(); ++i)
    extents.push_back(i + 1 < x.shape().rank() ? x.shape()[i] : count);
  Tensor y(Shape(extents), x.dtype(), x.device());
  kernel::columns(y, x, from);
  return Tape::record("columns", y, {x}, [dx = x.grad(), from](const Tensor& dy) {
    Tensor sum = dx.sum();
    kernel::add_columns(sum, dy, from);
  });
}
Tensor choose_rows(const Tensor& x, int64_t from, int64_t count) {
  return matmul(choice(x, count, x.rows(), from), x);
}
Tensor choose_columns(const Tensor& x, int64_t from, int64_t count) {
  return matmul(x, choice(x, count, x.columns(), from), false, true);
}

}  // namespace afina
