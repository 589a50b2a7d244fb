// Kernels by name, choices of an earlier run, libraries that are not there, and devices that are
// not there.
#include "tools/options/kernel_options.h"

#include <boost/test/unit_test.hpp>

#include "cuda/library.h"
#include "engine/choices.h"
#include "engine/kernel.h"
#include "tools/options/compute.h"

using namespace afina;

namespace {

bool says(const std::exception& e, std::initializer_list<const char*> words) {
  bool all = true;
  for (const char* word : words) all = all && std::string(e.what()).find(word) != std::string::npos;
  BOOST_TEST(all, e.what());
  return all;
}
auto with(std::initializer_list<const char*> words) {
  return [words](const std::exception& e) { return says(e, words); };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kernel_options)

BOOST_AUTO_TEST_CASE(an_unknown_kernel_or_variant_is_an_error_that_offers_names) {
  BOOST_CHECK_EXCEPTION(prefer_kernels({"atention=flash"}), Error,
                        with({"atention", "did you mean 'attention'", "inspect --kernels"}));
  BOOST_CHECK_EXCEPTION(prefer_kernels({"attention"}), Error, with({"expected slot=variant"}));
  if (!built_for(Device::emulated)) return;
  BOOST_CHECK_EXCEPTION(prefer_kernels({"attention=flush"}), Error,
                        with({"no variant 'flush'", "flash"}));
}

BOOST_AUTO_TEST_CASE(a_preferred_kernel_runs_in_the_slots_that_belong_together_and_is_noted) {
  if (!built_for(Device::emulated)) return;
  KernelSlot &matmul = *KernelSlot::find("matmul"), &matmul2 = *KernelSlot::find("matmul2");
  repeat_choices(Json{{"kernel matmul", "naive"}}, "here");
  BOOST_TEST(std::string(matmul.chosen(Device::emulated)) == "naive");
  BOOST_TEST(std::string(matmul2.chosen(Device::emulated)) == "naive");
  BOOST_TEST(choices().at("kernel matmul") == "naive");
  for (Device device : {Device::emulated, Device::cuda}) {
    matmul.prefer(device, nullptr);
    matmul2.prefer(device, nullptr);
  }
}

BOOST_AUTO_TEST_CASE(choices_of_another_run_are_taken_up) {
  note_choice("test product", "algorithm 1");
  int64_t before = choices_adopted();
  repeat_choices(Json{{"test product", "algorithm 2"}}, "here");
  BOOST_TEST(choice_of("test product") == "algorithm 2");
  BOOST_TEST(choices_adopted() == before + 1);  // what was chosen before is to be chosen again
  BOOST_CHECK_EXCEPTION(repeat_choices(Json{{"test product", 3}}, "manifest.json"), Error,
                        with({"manifest.json", "'test product'"}));
}

BOOST_AUTO_TEST_CASE(a_library_that_is_not_there_is_named) {
  Library none{"libafina_is_not_there.so.1", "libafina_is_not_there.so"};
  int (*function)() = nullptr;
  none.find("anything", function);
  BOOST_TEST(!none.usable());
  BOOST_TEST(!function);
  BOOST_TEST(none.missing().find("libafina_is_not_there.so.1") != std::string::npos,
             none.missing());
}

BOOST_AUTO_TEST_CASE(without_a_gpu_auto_is_the_cpu_and_cuda_an_error_that_says_why) {
  if (present(Device::cuda)) return;
  BOOST_TEST(bool(usable_device(DeviceChoice::automatic) == Device::cpu));
  BOOST_CHECK_EXCEPTION(usable_device(DeviceChoice::cuda), UsageError, with({"--device cuda"}));
}

BOOST_AUTO_TEST_SUITE_END()
