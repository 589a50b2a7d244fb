// The tests that every operation gets by having a case: gradient, definition, instruction sets,
// threads, bf16.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <iostream>

#include "engine/isa.h"
#include "engine/kernel.h"
#include "engine/ops.h"
#include "engine/random.h"
#include "engine/threads.h"
#include "test/cuda/gpus.h"
#include "test/engine/ops/op_case.h"

namespace ut = boost::unit_test;

namespace afina {

std::vector<void (*)()>& case_makers();

static std::vector<OpCase>& all_cases() {
  static std::vector<OpCase> all;
  return all;
}
bool add_op_cases(std::vector<OpCase> cases) {
  for (auto& c : cases) all_cases().push_back(std::move(c));
  return true;
}
const std::vector<OpCase>& op_cases() { return all_cases(); }

static Device device_in_use = Device::cpu;
Device case_device() { return device_in_use; }
CaseDevice::CaseDevice(Device device) : outer_(device_in_use) { device_in_use = device; }
CaseDevice::~CaseDevice() { device_in_use = outer_; }

Tensor random_tensor(const Shape& shape, Dtype dtype, uint64_t number, double centre,
                     double deviation, Device device) {
  Random random(7, "test", number);
  std::vector<double> values(size_t(shape.size()));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = centre + deviation * double(random.normal(i));
  return Tensor::from(values, shape, dtype, device);
}
Tensor integers(const std::vector<int32_t>& values, Shape shape, Device device) {
  return Tensor::from(values, shape, device);
}

std::vector<uint8_t> bits_of(const Tensor& t) {
  Tensor host = t.device() == Device::cpu ? t : t.to(Device::cpu);
  std::vector<uint8_t> bits(host.bytes());
  if (!bits.empty()) std::memcpy(bits.data(), host.data<void>(), bits.size());
  return bits;
}

namespace {

struct Outcome {
  Tensor value;
  std::vector<Tensor> gradients;
};

std::vector<Tensor> inputs_of(const OpCase& c, Dtype dtype) {
  std::vector<Tensor> all;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const OpInput& in = c.inputs[i];
    Tensor rounded = random_tensor(in.shape, Dtype::bf16, i + 1, in.centre,
                                   in.deviation);  // the same numbers in every dtype
    all.push_back(rounded.as(dtype == Dtype::bf16 && in.statistic ? Dtype::f32 : dtype));
  }
  return all;
}
Tensor slope_of_result(const Tensor& y) {
  return y.size() == 1 ? Tensor::from(std::vector<float>{1.f}, y.shape(), y.dtype(), y.device())
                       : random_tensor(y.shape(), Dtype::bf16, 99).as(y.dtype());
}

Outcome evaluate(const OpCase& c, Dtype dtype, const OpCase::Run& run) {
  auto x = inputs_of(c, dtype);
  for (Tensor& t : x) t.track();
  Tape tape;
  Tensor y = run(x);
  Outcome out;
  tape.backward(y, slope_of_result(y));
  out.value = y.detached();
  for (Tensor& t : x)
    out.gradients.push_back(t.grad().value() ? t.grad().value()
                                             : Tensor::zeros(t.shape(), t.dtype()));
  return out;
}

void near(const Tensor& a, const Tensor& b, double tolerance, const std::string& what) {
  auto left = a.values64(), right = b.values64();
  BOOST_REQUIRE_EQUAL(left.size(), right.size());
  double worst = 0, scale = 1e-3;
  for (size_t i = 0; i < left.size(); ++i) {
    worst = std::fmax(worst, std::fabs(left[i] - right[i]));
    scale = std::fmax(scale, std::fabs(right[i]));
  }
  bool all_numbers = std::isfinite(worst);
  for (double x : left) all_numbers = all_numbers && std::isfinite(x);
  BOOST_TEST((all_numbers && worst <= tolerance * scale),
             what << ": off by " << worst << " of " << scale);
}
void near(const Outcome& a, const Outcome& b, double tolerance, const std::string& what) {
  near(a.value, b.value, tolerance, what + ", value");
  for (size_t i = 0; i < a.gradients.size(); ++i)
    near(a.gradients[i], b.gradients[i], tolerance,
         what + ", gradient of input " + std::to_string(i));
}
void same_bits(const Outcome& a, const Outcome& b, const std::string& what) {
  BOOST_TEST(bool(bits_of(a.value) == bits_of(b.value)), what << ": the value differs");
  for (size_t i = 0; i < a.gradients.size(); ++i)
    BOOST_TEST(bool(bits_of(a.gradients[i]) == bits_of(b.gradients[i])),
               what << ": the gradient of input " << i << " differs");
}

// The gradient is the slope: along one random direction for each input, by a finite difference of
// four points.
void gradient_is_the_slope(const OpCase& c) {
  Outcome out = evaluate(c, Dtype::f64, c.run);
  auto weights = slope_of_result(out.value).values64();
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    auto x = inputs_of(c, Dtype::f64);
    auto direction = random_tensor(c.inputs[i].shape, Dtype::f64, 50 + i).values64(),
         at = x[i].values64(), gradient = out.gradients[i].values64();
    auto loss_at = [&](double h) {
      auto moved = at;
      for (size_t k = 0; k < at.size(); ++k) moved[k] += h * direction[k];
      auto inputs = x;
      inputs[i] = Tensor::from(moved, x[i].shape(), Dtype::f64);
      auto y = c.run(inputs).values64();
      double sum = 0;
      for (size_t k = 0; k < y.size(); ++k) sum += y[k] * weights[k];
      return sum;
    };
    double h = 1e-3,
           slope = (8 * (loss_at(h) - loss_at(-h)) - (loss_at(2 * h) - loss_at(-2 * h))) / (12 * h),
           along = 0, scale = 0;
    for (size_t k = 0; k < at.size(); ++k) {
      along += gradient[k] * direction[k];
      scale += std::fabs(gradient[k] * direction[k]);
    }
    BOOST_TEST((std::fabs(along - slope) <= c.slope_tolerance * std::fmax(scale, 1e-3)),
               "input " << i << ": gradient " << along << ", slope " << slope << " of " << scale);
  }
}
void is_its_definition(const OpCase& c) {
  Outcome exact = evaluate(c, Dtype::f64, c.definition ? c.definition : c.run);
  if (c.definition) near(evaluate(c, Dtype::f64, c.run), exact, c.equal_tolerance, "f64");
  near(evaluate(c, Dtype::f32, c.run), exact, c.tolerance, "f32");
  near(evaluate(c, Dtype::bf16, c.run), exact, c.rounded_tolerance, "bf16");
}
void has_the_same_bits_everywhere(const OpCase& c, Dtype dtype) {
  Isa used = isa();
  int threads = thread_count();
  set_isa(Isa::scalar);
  set_thread_count(1);
  Outcome plain = evaluate(c, dtype, c.run);
  for (Isa set : usable_isas()) {
    set_isa(set);
    if (set != Isa::scalar)
      same_bits(evaluate(c, dtype, c.run), plain, std::string("with ") + name(set));
  }
  for (int n : {2, 3}) {
    set_thread_count(n);
    same_bits(evaluate(c, dtype, c.run), plain, "with " + std::to_string(n) + " threads");
  }
  set_isa(used);
  set_thread_count(threads);
}

// The slots that have more than one variant on a device, so that others than the best can be tried.
struct OtherVariant {
  KernelSlot* slot;
  std::string name;
  bool some;  // takes some arguments alone, and f64 never
};
std::vector<OtherVariant> other_variants(Device device) {
  std::vector<OtherVariant> all;
  for (const KernelSlot* one = KernelSlot::all(); one; one = one->next()) {
    KernelSlot* slot = KernelSlot::find(one->name());
    slot->each(device, [&](const char* variant, int, bool some) {
      if (std::string(variant) != slot->chosen(device)) all.push_back({slot, variant, some});
    });
  }
  return all;
}
// What a GPU computes against the definition on the CPU: in f64 where rounding hides nothing, in
// f32 and in bf16. Then with every variant that the case comes by, in place of the best one.
void agrees_with_the_cpu(const OpCase& c, Device device) {
  Outcome exact = evaluate(c, Dtype::f64, c.definition ? c.definition : c.run);
  CaseDevice there(device);
  auto agrees = [&](const std::string& what, bool f64) {
    near(evaluate(c, Dtype::f32, c.run), exact, c.tolerance, what + "f32");
    if (c.large) return;
    if (f64) near(evaluate(c, Dtype::f64, c.run), exact, 10 * c.equal_tolerance, what + "f64");
    near(evaluate(c, Dtype::bf16, c.run), exact, c.rounded_tolerance, what + "bf16");
  };
  profile(true);  // to know the slots it comes by
  agrees("", true);
  auto used = profile_times();
  profile(false);
  for (auto& [slot, variant, some] : other_variants(device)) {
    if (!used.count(slot->name())) continue;
    slot->prefer(device, variant.c_str());
    agrees(std::string(slot->name()) + " as " + variant + ", ", !some);
    slot->prefer(device, nullptr);
  }
}

void add_cases() {
  auto* suite = BOOST_TEST_SUITE("operations");
  auto add = [&](const OpCase& c, const char* what, std::function<void()> run) {
    suite->add(ut::make_test_case(run, c.name + " - " + what, __FILE__, __LINE__));
  };
  for (const OpCase& c : op_cases()) {
    if (!c.large) {
      add(c, "gradient is the slope", [&c] { gradient_is_the_slope(c); });
      add(c, "equals its definition", [&c] { is_its_definition(c); });
    }
    add(c, "same bits everywhere, f32", [&c] { has_the_same_bits_everywhere(c, Dtype::f32); });
    add(c, "same bits everywhere, bf16", [&c] { has_the_same_bits_everywhere(c, Dtype::bf16); });
  }
  std::cout << "operation cases on cpu: " << op_cases().size() << " (";
  for (Isa set : usable_isas()) std::cout << (set == Isa::scalar ? "" : ", ") << name(set);
  std::cout << ")\n";
  for (Device device : {Device::emulated, Device::cuda}) {
    std::cout << "operation cases on " << name(device) << ": ";
    std::vector<Device> used = gpus();
    if (std::find(used.begin(), used.end(), device) != used.end()) {
      for (const OpCase& c : op_cases())
        add(c, name(device), [&c, device] { agrees_with_the_cpu(c, device); });
      std::cout << op_cases().size() << " (and " << other_variants(device).size()
                << " variants beside the best of each kernel)\n";
    } else {
      const char* why = why_absent(device);
      std::cout << "none; " << (why ? why : "AFINA_TEST_GPU leaves it out") << "\n";
    }
  }
  ut::framework::master_test_suite().add(suite);
}
[[maybe_unused]] const bool added = (case_makers().push_back(add_cases), true);

}  // namespace

}  // namespace afina
