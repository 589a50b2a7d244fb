// A case: an operation and the shapes to try it on. One case serves the check of its gradients, of
// its definition, of every instruction set, of every number of threads and of every device.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace afina {

struct OpInput {
  Shape shape;
  bool statistic =
      false;  // kept in f32 where the others are bf16, as weights of norms and biases are
  double centre = 0., deviation = 0.5;  // of its random values
  OpInput(std::initializer_list<int64_t> extents) : shape(extents) {}
  OpInput(Shape s, bool in_f32) : shape(s), statistic(in_f32) {}
  OpInput(Shape s, double around, double by) : shape(s), centre(around), deviation(by) {}
};

struct OpCase {
  using Run = std::function<Tensor(const std::vector<Tensor>&)>;
  std::string name;
  std::vector<OpInput> inputs;
  Run run;
  Run definition = nullptr;       // what a fused operation means, by primitives
  double slope_tolerance = 1e-8;  // of the f64 gradient against the finite difference, relative
  double tolerance = 1e-5;        // of f32 against f64, relative to the greatest value
  bool large = false;  // large enough for several threads: compared between threads and instruction
                       // sets only
  double equal_tolerance = 1e-12;   // of f64 against the definition in f64
  double rounded_tolerance = 3e-2;  // of bf16 against f64
};

// Adds cases; called by static initialisers of test/engine/ops/cases/*.cpp.
bool add_op_cases(std::vector<OpCase> cases);
const std::vector<OpCase>& op_cases();

// The device that cases make their tensors on: the CPU, but while a CaseDevice is alive.
Device case_device();
class CaseDevice {
 public:
  explicit CaseDevice(Device device);
  ~CaseDevice();
  CaseDevice(const CaseDevice&) = delete;

 private:
  Device outer_;
};
// Normal values, the same on every machine.
Tensor random_tensor(const Shape& shape, Dtype dtype, uint64_t number, double centre = 0.,
                     double deviation = 0.5, Device device = case_device());
Tensor integers(const std::vector<int32_t>& values, Shape shape, Device device = case_device());

// The bits of a tensor, so that -0 and NaN are told apart.
std::vector<uint8_t> bits_of(const Tensor& t);

}  // namespace afina
