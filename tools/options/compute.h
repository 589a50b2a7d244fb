// How a command computes: in which precision, on which device.
#pragma once
#include "engine/bf16_sums.h"
#include "engine/blocks.h"
#include "engine/device.h"
#include "engine/dtype.h"
#include "engine/packed.h"
#include "model/scope.h"
#include "tools/options/words.h"

namespace afina {

// --dtype. The two of bf16 differ in the order in which products are summed.
enum class Precision : uint8_t { f32, bf16, bf16_tiles };
template <>
struct WordList<Precision> {
  static constexpr std::pair<const char*, Precision> all[] = {
      {"f32", Precision::f32}, {"bf16", Precision::bf16}, {"bf16-tiles", Precision::bf16_tiles}};
};
// Of matrices and activations.
inline Dtype matrix_dtype(Precision p) { return p == Precision::f32 ? Dtype::f32 : Dtype::bf16; }
inline Bf16Sums sums_of(Precision p) {
  return p == Precision::bf16_tiles ? Bf16Sums::tiles : Bf16Sums::pairs;
}
// The precision of computing in `dtype` under the order of sums in force in the calling thread.
Precision precision_in_force(Dtype dtype);

// A dtype that is stored in: --store, and --dtype of merge.
template <>
struct WordList<Dtype> {
  static constexpr std::pair<const char*, Dtype> all[] = {{"f32", Dtype::f32},
                                                          {"bf16", Dtype::bf16}};
};

// --base
template <>
struct WordList<BaseForm> {
  static constexpr std::pair<const char*, BaseForm> all[] = {
      {"plain", BaseForm::plain}, {"file", BaseForm::file},
      {"nf4", BaseForm::nf4},     {"nf4-double", BaseForm::nf4_double},
      {"fp4", BaseForm::fp4},     {"fp4-double", BaseForm::fp4_double},
      {"int8", BaseForm::int8},   {"q4_0", BaseForm::q4_0},
      {"q4_1", BaseForm::q4_1},   {"q5_0", BaseForm::q5_0},
      {"q5_1", BaseForm::q5_1},   {"q8_0", BaseForm::q8_0},
      {"q4_k", BaseForm::q4_k},   {"q5_k", BaseForm::q5_k},
      {"q6_k", BaseForm::q6_k}};
};
inline constexpr const char* base_help =
    "how frozen matrices are held: plain (in --dtype); file (as the model's file holds them, "
    "mapped "
    "into memory, where that takes fewer bits); or in blocks of 4 to 8 bits made of them: nf4, "
    "nf4-double (its scales in 8 bits), fp4, fp4-double, int8, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, "
    "q5_k or q6_k. They are unpacked within the matrix product";
inline constexpr const char* base_ends_help =
    "on: --base holds for embedding and head as well; off";
// --base and --base-ends. A UsageError where only embedding and head would have a form.
BaseStorage base_storage(BaseForm base, OnOff ends);

// --device
enum class DeviceChoice : uint8_t { automatic, cpu, cuda, emulated };
template <>
struct WordList<DeviceChoice> {
  static constexpr std::pair<const char*, DeviceChoice> all[] = {
      {"auto", DeviceChoice::automatic},
      {"cpu", DeviceChoice::cpu},
      {"cuda", DeviceChoice::cuda},
      {"emulated", DeviceChoice::emulated}};
};
inline constexpr const char* device_help =
    "auto (cuda where there is a GPU, else cpu), cpu, cuda, or emulated (a GPU's kernels, slowly, "
    "on the CPU)";

// auto: cuda where this build and this machine have it, else the CPU. A UsageError for a device
// that was named and cannot be used.
Device usable_device(DeviceChoice choice);
// The same for a device that is only predicted for: a GPU of this build need not be there.
Device predicted_device(DeviceChoice choice);
// A UsageError for a precision that the device does not have: bf16-tiles is the CPU's.
void require_precision(Precision precision, Device device);

// While alive, the calling thread computes as these options say. Held by whoever runs a session: a
// command, a run, a prediction. Scopes nest.
class ComputeScope {
 public:
  explicit ComputeScope(Precision precision, OnOff pack = OnOff::off)
      : sums_(sums_of(precision)), pack_(pack == OnOff::on) {}

 private:
  SumsScope sums_;
  PackScope pack_;
};

}  // namespace afina
