// Results of PEFT's method_comparison: what is read, what is missing, what is refused.
#include "tools/results/foreign.h"

#include "test/scratch.h"
#include "test/tools/results/peft_result.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(foreign)

BOOST_AUTO_TEST_CASE(a_result_of_peft) {
  const Json json = peft_result();
  BOOST_TEST(is_peft_result(json));
  BOOST_TEST(!is_peft_result(Json{{"schema", "afina comparison"}}));
  const ForeignResult r = foreign_from_peft(json, "lora.json");
  BOOST_TEST(r.name == "lora/small-rank4");
  BOOST_TEST(r.program == "PEFT 0.21.2, method_comparison");
  BOOST_TEST(r.model == "example/small");
  BOOST_TEST(r.method == "LORA");
  BOOST_TEST(r.machine == "Example GPU");
  BOOST_TEST(*r.learning_rate == 1e-4);
  BOOST_TEST(*r.trained_parameters == 1000);
  BOOST_TEST(*r.memory_peak == 2000000);
  BOOST_TEST(*r.memory_mean == 1500000);
  BOOST_TEST(*r.storage_bytes == 4096);
  // The time of the steps, not train_time; the rate is over that time.
  BOOST_TEST(*r.training_seconds == 30.0);
  BOOST_TEST(*r.tokens_per_second == (10 * 100 + 20 * 70) / 30.0,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(*r.steps == 200);
  BOOST_TEST(*r.tokens == 2400);
  BOOST_TEST(*r.train_loss == 0.5);
  BOOST_TEST(*r.accuracy == 0.25);
  BOOST_TEST(*r.forgetting == 0.125);
}

BOOST_AUTO_TEST_CASE(full_fine_tuning_and_older_keys) {
  Json json = peft_result();
  json["run_info"]["peft_config"] = Json();
  Json& train = json["train_info"];
  for (const char* key : {"memory_max", "memory_reserved_avg"}) {
    train[std::string("cuda_") + key] = train[std::string("accelerator_") + key];
    train.erase(std::string("accelerator_") + key);
  }
  train["metrics"][2].erase("forgetting");
  train["file_size"] = 99999999;  // what PEFT writes when it could not store the file
  json["meta_info"]["system_info"] = Json{{"gpu", "Older GPU"}};
  const ForeignResult r = foreign_from_peft(json, "full.json");
  BOOST_TEST(r.method == "full fine-tuning");
  BOOST_TEST(*r.memory_peak == 2000000);
  BOOST_TEST(r.machine == "Older GPU");
  BOOST_TEST(!r.forgetting);
  BOOST_TEST(!r.storage_bytes);
  // Steps after the last evaluation were timed by nobody.
  train["metrics"][2]["step"] = 250;
  BOOST_TEST(!foreign_from_peft(json, "full.json").training_seconds);
  BOOST_TEST(foreign_from_peft(json, "full.json").tokens_per_second.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_refused) {
  auto refused = [](auto change, std::initializer_list<std::string> words) {
    Json json = peft_result();
    change(json);
    check_error([&] { foreign_from_peft(json, "one.json"); }, words);
  };
  refused([](Json& j) { j["train_info"]["status"] = "canceled"; }, {"one.json", "canceled"});
  refused([](Json& j) { j["train_info"].erase("num_trainable_params"); },
          {"one.json, train_info", "num_trainable_params"});
  refused([](Json& j) { j["train_info"]["file_size"] = "4 kB"; }, {"file_size", "4 kB"});
  refused([](Json& j) { j["train_info"]["metrics"] = 3; }, {"train_info.metrics", "list"});
  refused([](Json& j) { j["train_info"]["metrics"][1]["step"] = "last"; }, {"metrics[1]", "step"});
  refused([](Json& j) { j["run_info"].erase("train_config"); }, {"run_info", "train_config"});
}

BOOST_AUTO_TEST_SUITE_END()
