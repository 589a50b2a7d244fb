// The primitive operations and their gradients.
#include "engine/ops.h"

#include "engine/saved.h"

namespace afina {

namespace {

Tensor map(const char* operation, const Tensor& x, Scalar f) {
  Tensor y = like(x);
  kernel::map(y, x, f);
  y = with_recipe(y, [saved_x = Saved(x), f] {
    Tensor x = saved_x.get(), y = like(x);
    kernel::map(y, x, f);
    return y;
  });
  return Tape::record(
      operation, y, {x},
      [x_grad = x.grad(), saved_x = Saved(x), saved_y = Saved(y), f](const Tensor& dy) {
        Tensor x = saved_x.get(), dx = like(x);
        kernel::map_backward(dx, dy, x, saved_y.get(), f);
        x_grad += dx;
      });
}

// The gradient of a broadcast operand of shape `to` is the sum over the elements that it was
// broadcast to.
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
  require(fits && a.dtype() == b.dtype(), "element-wise operation: shapes ", a.shape().text(), " ",
          name(a.dtype()), " and ", b.shape().text(), " ", name(b.dtype()), " do not go together");
  Tensor c = like(a);
  kernel::zip(c, a, b, f);
  return c;
}
Tensor affine(const Tensor& x, double scale, double offset) {
  Tensor y = like(x);
  kernel::affine(y, x, scale, offset);
  return Tape::record("affine", y, {x}, [x_grad = x.grad(), scale](const Tensor& dy) {
    Tensor dx = like(dy);
    kernel::affine(dx, dy, scale, 0.);
    x_grad += dx;
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
// The matrix (count, n) with ones at (i, from + i) and zeros elsewhere, of x's dtype and device.
Tensor choice(const Tensor& x, int64_t count, int64_t n, int64_t from) {
  std::vector<float> one(size_t(count * n), 0.f);
  for (int64_t i = 0; i < count; ++i) one[size_t(i * n + from + i)] = 1.f;
  return Tensor::from(one, {count, n}, x.dtype(), x.device());
}

}  // namespace

#define ENTRY(name, f, df) \
  Tensor name(const Tensor& x) { return map(#name, x, Scalar::name); }
SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY

Tensor operator+(const Tensor& a, const Tensor& b) { return added(zip(a, b, Binary::add), a, b); }
Tensor added(Tensor c, const Tensor& a, const Tensor& b) {
  return Tape::record(
      "add", std::move(c), {a, b},
      [a_grad = a.grad(), b_grad = b.grad(), b_shape = b.shape()](const Tensor& dc) {
        if (a_grad) a_grad += dc;
        if (b_grad) b_grad += shrink(dc, b_shape);
      });
}
Tensor operator-(const Tensor& a, const Tensor& b) {
  return Tape::record(
      "sub", zip(a, b, Binary::sub), {a, b},
      [a_grad = a.grad(), b_grad = b.grad(), b_shape = b.shape()](const Tensor& dc) {
        if (a_grad) a_grad += dc;
        if (!b_grad) return;
        Tensor minus_db = shrink(dc, b_shape), db = like(minus_db);
        kernel::affine(db, minus_db, -1., 0.);
        b_grad += db;
      });
}
Tensor operator*(const Tensor& a, const Tensor& b) {
  return Tape::record(
      "mul", zip(a, b, Binary::mul), {a, b},
      [a_grad = a.grad(), b_grad = b.grad(), a = a.detached(), b = b.detached()](const Tensor& dc) {
        if (a_grad) a_grad += zip(dc, b, Binary::mul);
        if (b_grad) b_grad += shrink(zip(dc, a, Binary::mul), b.shape());
      });
}
Tensor operator/(const Tensor& a, const Tensor& b) {
  Tensor c = zip(a, b, Binary::div);
  return Tape::record(
      "div", c, {a, b},
      [a_grad = a.grad(), b_grad = b.grad(), b = b.detached(), c](const Tensor& dc) {
        Tensor da = zip(dc, b, Binary::div);
        if (b_grad) {
          Tensor minus_db = zip(da, c, Binary::mul), db = like(minus_db);
          kernel::affine(db, minus_db, -1., 0.);
          b_grad += shrink(db, b.shape());
        }
        if (a_grad) a_grad += da;
      });
}
Tensor operator*(const Tensor& a, double s) { return affine(a, s, 0.); }
Tensor operator+(const Tensor& a, double s) { return affine(a, 1., s); }

Tensor sum_columns(const Tensor& x) {
  Tensor y({x.rows(), 1}, x.dtype(), x.device());
  kernel::sum_columns(y, x);
  return Tape::record(
      "sum_columns", y, {x}, [x_grad = x.grad(), shape = x.shape()](const Tensor& dy) {
        x_grad += zip(Tensor::zeros(shape, dy.dtype(), dy.device()), dy, Binary::add);
      });
}
Tensor sum(const Tensor& x) {
  Tensor y = shrink(x, {1});
  return Tape::record("sum", y, {x}, [x_grad = x.grad(), shape = x.shape()](const Tensor& dy) {
    x_grad += zip(Tensor::zeros(shape, dy.dtype(), dy.device()), dy, Binary::add);
  });
}
Tensor matmul(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  return Tape::record("matmul", product(a, b, ta, tb), {a, b},
                      [a_grad = a.grad(), b_grad = b.grad(), ta, tb, a = a.detached(),
                       b = b.detached()](const Tensor& dc) {
                        if (a_grad)
                          a_grad += ta ? product(b, dc, tb, true) : product(dc, b, false, !tb);
                        if (b_grad)
                          b_grad += tb ? product(dc, a, true, ta) : product(a, dc, !ta, false);
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
      [x_grad = x.grad(), x_shape = x.shape()](const Tensor& dy) { x_grad += dy.viewed(x_shape); });
}
Tensor columns(const Tensor& x, int64_t from, int64_t count) {
  require(from >= 0 && count >= 0 && from + count <= x.columns(), "columns ", from, " to ",
          from + count, " of ", x.shape().text());
  std::vector<int64_t> extents;
  for (int i = 0; i < x.shape().rank(); ++i)
    extents.push_back(i + 1 < x.shape().rank() ? x.shape()[i] : count);
  Tensor y(Shape(extents), x.dtype(), x.device());
  kernel::columns(y, x, from);
  return Tape::record("columns", y, {x}, [x_grad = x.grad(), from](const Tensor& dy) {
    Tensor dx = x_grad.sum();
    kernel::add_columns(dx, dy, from);
  });
}
Tensor side_by_side(const std::vector<Tensor>& parts) {
  require(!parts.empty(), "side by side: there are no parts");
  const Tensor& first = parts[0];
  int64_t all = 0;
  bool needed = false;
  for (const Tensor& part : parts) {
    require(part.rows() == first.rows() && part.dtype() == first.dtype(), "side by side: shapes ",
            first.shape().text(), " and ", part.shape().text(), " do not go together");
    all += part.columns();
    needed = needed || part.grad();
  }
  std::vector<int64_t> extents;
  for (int i = 0; i < first.shape().rank(); ++i)
    extents.push_back(i + 1 < first.shape().rank() ? first.shape()[i] : all);
  Tensor y = Tensor::zeros(Shape(extents), first.dtype(), first.device());
  struct Part {
    Gradient grad;
    Shape shape;
    int64_t from;
  };
  std::vector<Part> places;
  int64_t from = 0;
  for (const Tensor& part : parts) {
    kernel::add_columns(y, part, from);
    places.push_back({part.grad(), part.shape(), from});
    from += part.columns();
  }
  return Tape::record("side_by_side", y, needed, [places](const Tensor& dy) {
    for (const Part& part : places) {
      if (!part.grad) continue;
      Tensor dx(part.shape, dy.dtype(), dy.device());
      kernel::columns(dx, dy, part.from);
      part.grad += dx;
    }
  });
}
Tensor choose_rows(const Tensor& x, int64_t from, int64_t count) {
  return matmul(choice(x, count, x.rows(), from), x);
}
Tensor choose_columns(const Tensor& x, int64_t from, int64_t count) {
  return matmul(x, choice(x, count, x.columns(), from), false, true);
}

}  // namespace afina
