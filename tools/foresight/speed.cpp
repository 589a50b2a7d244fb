// Seconds of kernels: matrix products by what they multiply, read and write, all others by what was
// seen in short training steps.
#include "tools/foresight/speed.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/files/json_value.h"
#include "engine/kernel.h"

namespace afina {

namespace {

bool is_product(const KernelCall& call) {
  std::string name = call.slot.name();
  return call.flops > 0 && (name == "matmul" || name == "matmul2");
}
// How a (m, k) and b (k, n) lie in memory: N as written, T transposed.
std::string form_of(const KernelCall& call) {
  const Tensor &c = *call.arguments.begin()[0], &a = *call.arguments.begin()[1],
               &b = *call.arguments.begin()[2];
  if (a.rows() != c.rows()) return "TN";
  return b.rows() == c.columns() && b.columns() != c.columns() ? "NT" : "NN";
}

}  // namespace

// FLOPs, or bytes: of all arguments that are as long as the result; where rows are chosen by index,
// of what has a row for each.
double Speed::work(const KernelCall& call) {
  if (call.flops > 0) return double(call.flops);
  const Tensor* index = nullptr;
  for (const Tensor* t : call.arguments)
    if (t && *t && t->dtype() == Dtype::i32 && !index) index = t;
  double all = 0, fewest = 0, chosen = 0;
  for (const Tensor* t : call.arguments) {
    if (!t || !*t || t->dtype() == Dtype::i32 || !t->size()) continue;
    double rows = double(t->rows()), bytes = double(t->bytes());
    all += bytes;
    if (!index ||
        (t->rows() % std::max<int64_t>(1, index->size()) != 0 && t->rows() != index->rows()))
      continue;
    if (!chosen || rows < fewest) {
      fewest = rows;
      chosen = bytes;
    } else if (rows == fewest) chosen = std::max(chosen, bytes);
  }
  return chosen ? chosen : all;
}

double Speed::seconds(const KernelCall& call, Dtype dtype) const {
  std::string kind = name(dtype == Dtype::bf16 ? Dtype::bf16 : Dtype::f32);
  if (is_product(call)) {
    const Tensor& c = *call.arguments.begin()[0];
    auto found = products_.find(kind + " " + form_of(call));
    double m = double(c.rows()), n = double(c.columns());
    if (found != products_.end())
      return between_ + found->second.seconds(m, n, double(call.flops) / (2 * m * n));
  }
  auto found = slots_.find(std::string(call.slot.name()) + " " + kind);
  if (found == slots_.end()) found = slots_.find("other " + kind);
  if (found == slots_.end()) return between_;
  const std::vector<Point>& points = found->second;
  double amount = work(call), each = points[0].seconds_each;
  if (points.size() > 1 && points[1].work > points[0].work) {
    double share = std::clamp(
        std::log(amount / points[0].work) / std::log(points[1].work / points[0].work), 0., 1.);
    each = std::exp((1 - share) * std::log(points[0].seconds_each) +
                    share * std::log(points[1].seconds_each));
  }
  return between_ + amount * each;
}

// Least squares of relative errors by coordinate descent: the parts are few, and none may be
// negative.
Speed::ProductCost Speed::fit(const std::vector<Product>& measured) {
  double x[5] = {};
  auto parts = [](const Product& p, double out[5]) {
    const double all[5] = {1e-6, 2e-9 * p.m * p.n * p.k, 1e-9 * p.m * p.k, 1e-9 * p.k * p.n,
                           1e-9 * p.m * p.n};  // in like sizes
    for (int i = 0; i < 5; ++i) out[i] = all[i] / p.seconds;
  };
  for (int round = 0; round < 20000; ++round)
    for (int i = 0; i < 5; ++i) {
      double up = 0, down = 0, part[5];
      for (const Product& p : measured) {
        parts(p, part);
        double rest = 1;
        for (int j = 0; j < 5; ++j) rest -= j == i ? 0 : x[j] * part[j];
        up += rest * part[i];
        down += part[i] * part[i];
      }
      x[i] = down > 0 ? std::max(0., up / down) : 0.;
    }
  return {x[0] * 1e-6, x[1] * 1e-9, x[2] * 1e-9, x[3] * 1e-9, x[4] * 1e-9};
}

OrderedJson Speed::json() const {
  OrderedJson products, slots;
  for (auto& [name, p] : products_) products[name] = {p.call, p.flop, p.a, p.b, p.c};
  for (auto& [name, points] : slots_)
    for (const Point& p : points) slots[name].push_back({p.work, p.seconds_each});
  return {{"products", products},  {"slots", slots},        {"between", between_},
          {"new_byte", new_byte_}, {"measured", measured_}, {"load", load_}};
}

Speed Speed::from_json(const OrderedJson& json) {
  try {
    Speed s;
    for (auto& item : json.at("products").items()) {
      const auto& p = item.value();
      s.products_[item.key()] = {p.at(0).get<double>(), p.at(1).get<double>(),
                                 p.at(2).get<double>(), p.at(3).get<double>(),
                                 p.at(4).get<double>()};
    }
    for (auto& item : json.at("slots").items())
      for (const auto& p : item.value())
        s.slots_[item.key()].push_back({p.at(0).get<double>(), p.at(1).get<double>()});
    s.between_ = json.at("between").get<double>();
    s.new_byte_ = json.at("new_byte").get<double>();
    s.measured_ = json.at("measured").get<double>();
    s.load_ = json.at("load").get<double>();
    return s;
  } catch (const JsonError& e) { fail("the profile of this machine: ", e.what()); }
}

}  // namespace afina
