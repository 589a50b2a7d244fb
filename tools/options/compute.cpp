// Precisions and devices that can be used here.
#include "tools/options/compute.h"

namespace afina {

Precision precision_in_force(Dtype dtype) {
  if (dtype == Dtype::f32) return Precision::f32;
  return bf16_sums() == Bf16Sums::tiles ? Precision::bf16_tiles : Precision::bf16;
}

BaseStorage base_storage(BaseForm base, OnOff ends) {
  if (base == BaseForm::plain && ends == OnOff::on)
    throw UsageError("--base-ends on needs --base: the form in which embedding and head are held");
  return {base, ends == OnOff::on, nullptr};
}

namespace {

// The device that was named; Device::cpu for auto.
Device named(DeviceChoice choice) {
  switch (choice) {
    case DeviceChoice::cuda: return Device::cuda;
    case DeviceChoice::emulated: return Device::emulated;
    case DeviceChoice::automatic:
    case DeviceChoice::cpu: break;
  }
  return Device::cpu;
}

}  // namespace

Device usable_device(DeviceChoice choice) {
  if (choice == DeviceChoice::automatic) return present(Device::cuda) ? Device::cuda : Device::cpu;
  if (const char* why = why_absent(named(choice)))
    throw UsageError(std::string("--device ") + word_of(choice) + ": " + why);
  return named(choice);
}

Device predicted_device(DeviceChoice choice) {
  return choice != DeviceChoice::automatic && built_for(named(choice)) ? named(choice)
                                                                       : usable_device(choice);
}

void require_precision(Precision precision, Device device) {
  if (precision == Precision::bf16_tiles && device != Device::cpu)
    throw UsageError(
        "--dtype bf16-tiles is an order of sums of the CPU; a GPU has its own: --dtype bf16");
}

}  // namespace afina
