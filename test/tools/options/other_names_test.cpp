// Options under the names that other tools have, and INI files as people write them.
#include "tools/options/other_names.h"

#include <boost/test/unit_test.hpp>

#include "test/scratch.h"
#include "test/tools/options/training.h"

using namespace afina;

namespace {

std::string refusal(const std::vector<std::string>& words) {
  Training training;
  try {
    training.options.parse(words);
  } catch (const UsageError& error) { return error.what(); }
  return "nothing was refused";
}
bool holds(const std::string& text, const std::string& part) {
  BOOST_TEST_INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(other_names)

BOOST_AUTO_TEST_CASE(names_of_other_tools_are_answered_with_ours) {
  for (auto [theirs, ours] : std::initializer_list<std::pair<const char*, const char*>>{
           {"--learning-rate", "here it is --lr"},
           {"--learning_rate", "here it is --lr"},
           {"--batch-size", "here it is --batch"},
           {"--per_device_train_batch_size", "here it is --batch"},
           {"--num_train_epochs", "here it is --epochs"},
           {"--max-steps", "here it is --steps"},
           {"--gradient-accumulation-steps", "here it is --accumulate"},
           {"--output-dir", "here it is --out"},
           {"--report_to", "here it is --tensorboard"},
           {"--weight_decay", "here it is --weight-decay"},
           {"--warmup_ratio", "here it is --warmup, a number of steps"},
           {"--lora_r", "here it is --method lora:rank=8"},
           {"--target_modules", "targets=q_proj+v_proj"},
           {"--model_name_or_path", "here it is --model"},
           {"--max_seq_length", "here it is --length"},
           {"--adapter_name_or_path", "here it is --adapter"},
           {"--stepz", "did you mean '--steps'"}})
    BOOST_TEST(holds(refusal({theirs, "1"}), ours), theirs);
  BOOST_TEST(holds(refusal({"--warmup", "0.1"}), "expected a whole number of steps"));
  // Only what the command has is named.
  BOOST_TEST(our_name_for("learning_rate", {"model", "data"}) == "");
  BOOST_TEST(our_name_for("unheard-of", {"model"}) == "");
  Training t;
  BOOST_TEST(t.options.parse({"--model", "m", "--data", "d", "--epochs", "2.5", "--steps", "3"}));
  BOOST_TEST(t.run.epochs == 2.5);
  BOOST_CHECK_THROW(t.options.not_both("steps", "epochs"), UsageError);
  t.options.not_both("steps", "batch");
}

BOOST_AUTO_TEST_CASE(ini_files_as_people_write_them) {
  Training t;
  t.options.parse_ini(
      "\xEF\xBB\xBF; a comment\n# another\n[train]\r\n  model = \"data/po cket\"\n"
      "data='x.csv'\n\nsteps = 7 # said\ntitle = a ; b\n",
      "run.ini");
  BOOST_TEST(t.model.path == "data/po cket");
  BOOST_TEST(t.data.data.at(0) == "x.csv");
  BOOST_TEST(t.run.steps == 7);
  BOOST_TEST(t.comparison.title == "a ; b");
  auto refused = [](const std::string& text, const std::string& words) {
    Training other;
    try {
      other.options.parse_ini(text, "run.ini");
    } catch (const UsageError& error) { return holds(error.what(), words); }
    return false;
  };
  BOOST_TEST(refused("\n[model]\n", "run.ini, line 2: the section '[model]': expected none, or"));
  BOOST_TEST(refused("steps 7\n", "run.ini, line 1: expected name = value, found 'steps 7'"));
  BOOST_TEST(refused("learning_rate = 1\n", "here it is --lr"));
  BOOST_TEST(refused("steps = 7\nsteps = 8\n", "steps"));
}

BOOST_AUTO_TEST_SUITE_END()
