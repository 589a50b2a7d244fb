// Options: every one reaches all that deals with options, values are typed where they are parsed,
// parsing sets nothing but fields, and help says what is true.
#include "tools/options/options.h"

#include <boost/test/unit_test.hpp>

#include "engine/isa.h"
#include "engine/threads.h"
#include "test/scratch.h"
#include "test/tools/options/training.h"
#include "tools/options/compute.h"
#include "tools/options/groups.h"
#include "tools/runs/load.h"

using namespace afina;

namespace {

auto says(std::initializer_list<const char*> words) {
  return [words](const std::exception& e) {
    bool all = true;
    for (const char* word : words)
      all = all && std::string(e.what()).find(word) != std::string::npos;
    BOOST_TEST(all, e.what());
    return all;
  };
}
void check_refused(const Given& words, std::initializer_list<const char*> said) {
  Training training;
  BOOST_CHECK_EXCEPTION(training.parse(words), UsageError, says(said));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(numbers_that_say_nothing_are_refused) {
  RunOptions run;
  run.steps = 10;
  run.warmup = 10;
  run.check();
  run.warmup = 11;
  BOOST_CHECK_EXCEPTION(run.check(), Error, says({"--warmup 11", "--steps 10", "at most 10"}));
  run.epochs = 2.;  // how many steps these are is not known yet
  run.check();
  DataOptions data;
  data.retain_tokens = 0;
  data.check();
  data.retain = "general.txt";
  BOOST_CHECK_EXCEPTION(data.check(), Error, says({"--retain-tokens 0", "at least 1", "--retain"}));
  data.retain_tokens = 1;
  data.eval_rows = 0;
  BOOST_CHECK_EXCEPTION(data.check(), Error, says({"--eval-rows 0", "at least 1"}));
  data.eval_rows = INT64_MAX;
  BOOST_CHECK_EXCEPTION(data.check(), Error, says({"--eval-rows 9223372036854775807", "at most"}));
}

BOOST_AUTO_TEST_CASE(words_become_typed_values) {
  Training t;
  BOOST_TEST(t.parse({"--dtype",
                      "bf16-tiles",
                      "--checkpoint",
                      "mlp",
                      "--device",
                      "cpu",
                      "--pack",
                      "off",
                      "--train-on",
                      "last",
                      "--on-too-long",
                      "cut",
                      "--on-problem",
                      "skip",
                      "--schedule",
                      "linear",
                      "--graph",
                      "off",
                      "--store",
                      "bf16",
                      "--init",
                      "--keep-models",
                      "no",
                      "--lr",
                      "1e-3",
                      "--steps",
                      "+7",
                      "--seed",
                      "18446744073709551615",
                      "--data",
                      "more"}));
  BOOST_TEST(bool(t.model.dtype == Precision::bf16_tiles));
  BOOST_TEST(bool(t.model.checkpoint == Checkpointing::mlp));
  BOOST_TEST(bool(t.model.device == DeviceChoice::cpu));
  BOOST_TEST(bool(t.data.packing == OnOff::off));
  BOOST_TEST(bool(t.data.train_on == TrainOn::last_answer));
  BOOST_TEST(bool(t.data.on_too_long == OnTooLong::cut));
  BOOST_TEST(bool(t.data.on_problem == OnProblem::skip));
  BOOST_TEST(bool(t.run.schedule == Decay::linear));
  BOOST_TEST(bool(t.run.graph == GraphUse::off));
  BOOST_TEST(bool(t.run.store == Dtype::bf16));
  BOOST_TEST(t.model.init);
  BOOST_TEST(!t.comparison.keep_models);
  BOOST_TEST(t.comparison.lr.value() == 1e-3);
  BOOST_TEST(t.run.steps == 7);
  BOOST_TEST(t.run.seed == ~uint64_t(0));
  BOOST_TEST(t.data.data == (Given{"d", "more"}));
  BOOST_TEST((t.options.given("dtype") && !t.options.given("batch")));
  auto in_force = t.options.in_force();
  BOOST_TEST(in_force.at("dtype") == "bf16-tiles");
  BOOST_TEST(in_force.at("data") == "d more");
  BOOST_TEST(in_force.at("clip") == "1");
  BOOST_TEST(in_force.at("resume") == "false");
  for (const char* absent : {"eval", "title", "help", "config"})
    BOOST_TEST(!in_force.count(absent), absent);
  // For readers no number stands for "not given".
  auto readable = t.options.readable();
  BOOST_TEST(readable.at("limit") == "all");
  BOOST_TEST(readable.at("threads") == "all cores");
  BOOST_TEST(readable.at("eval-every") == "a tenth of the steps");
  BOOST_TEST(readable.at("clip") == "1");
  BOOST_TEST(readable.at("steps") == "7");
  for (const char* absent : {"save-every", "epochs"}) BOOST_TEST(!readable.count(absent), absent);
  for (auto& [name, value] : readable) BOOST_TEST(value != "-1", name);
}

BOOST_AUTO_TEST_CASE(wrong_values_are_refused_with_what_was_expected) {
  check_refused({"--dtype", "bf61"}, {"--dtype 'bf61'", "f32, bf16, bf16-tiles", "'bf16'"});
  check_refused({"--checkpoint", "blocks"}, {"none, mlp, block", "did you mean 'block'"});
  check_refused({"--device", "gpu"}, {"auto, cpu, cuda, emulated"});
  check_refused({"--schedule", "cosin"}, {"cosine, linear, constant", "did you mean 'cosine'"});
  check_refused({"--train-on", "answer"}, {"answers, last, all"});
  check_refused({"--pack", "maybe"}, {"--pack 'maybe'", "on, off"});
  check_refused({"--keep-models", "perhaps"}, {"true or false"});
  for (const char* wrong : {"", "x", "1.5", "1e3", "9999999999999999999", " 1", "1 "})
    check_refused({"--steps", wrong}, {"--steps"});
  check_refused({"--seed", "-1"}, {"--seed '-1'", "not negative"});
  // A default below 0 stands for "not given", and nobody gives it.
  for (const char* option : {"--warmup", "--limit", "--held-out"})
    check_refused({option, "-1"}, {option, "-1: expected 0 or more"});
  for (const char* wrong : {"x", "nan", "inf", "1e999", "0x10", "1,5"})
    check_refused({"--clip", wrong}, {"--clip"});
  check_refused({"--stepz", "3"}, {"unknown option", "did you mean '--steps'"});
  check_refused({"stray"}, {"belongs to no option"});
  check_refused({"--steps", "3", "--steps", "4"}, {"steps"});
  Training t;
  BOOST_CHECK_EXCEPTION(t.options.parse({"--data", "d"}), UsageError,
                        says({"--model is missing", "afina train --help"}));
}

BOOST_AUTO_TEST_CASE(a_file_adds_what_the_words_do_not_say) {
  ScratchFolder folder;
  std::string config = folder.put("run.ini", "steps = 9\nbatch = 3\ninit = true\ndtype = bf16\n");
  Training t;
  BOOST_TEST(t.parse({"--config", config, "--steps", "5"}));
  BOOST_TEST(t.run.steps == 5);
  BOOST_TEST(t.run.batch == 3);
  BOOST_TEST(t.model.init);
  BOOST_TEST(bool(t.model.dtype == Precision::bf16));
  config = folder.put("wrong.ini", "dtype = f16\n");
  check_refused({"--config", config}, {"wrong.ini: --dtype 'f16'"});
}

// Two sessions in one process: reading the words of one changes nothing for the other.
BOOST_AUTO_TEST_CASE(parsing_sets_nothing_but_the_fields) {
  const int threads = thread_count();
  Training t;
  BOOST_TEST(t.parse({"--dtype", "bf16-tiles", "--pack-frozen", "on", "--threads", "7",
                      "--memory-limit", "1G", "--kernel", "no_such=kernel"}));
  t.model.check();
  t.model.build(1, Device::cpu);
  BOOST_TEST(thread_count() == threads);
  BOOST_TEST(bool(bf16_sums() == Bf16Sums::pairs));
  BOOST_TEST(!packing_constants());
  {
    const ComputeScope scope = t.model.scope();
    BOOST_TEST(bool(bf16_sums() == Bf16Sums::tiles));
    BOOST_TEST(packing_constants());
    BOOST_TEST(bool(precision_in_force(Dtype::bf16) == Precision::bf16_tiles));
    const ComputeScope other(Precision::bf16);
    BOOST_TEST(bool(precision_in_force(Dtype::bf16) == Precision::bf16));
  }
  BOOST_TEST(bool(bf16_sums() == Bf16Sums::pairs));
}

BOOST_AUTO_TEST_CASE(a_leading_value_may_come_last) {
  for (const Given& words : {Given{"a.jsonl", "--steps", "3"}, {"--steps", "3", "a.jsonl"}}) {
    Training t;
    t.options.may_lead("eval");
    t.parse(words);
    BOOST_TEST(t.data.eval == "a.jsonl");
    BOOST_TEST(t.run.steps == 3);
  }
}

BOOST_AUTO_TEST_CASE(an_option_is_declared_once_in_a_command) {
  Training t;
  LoadOptions load;
  BOOST_CHECK_EXCEPTION(t.options.add("Model", load), Error, says({"--model twice"}));
  BOOST_CHECK_EXCEPTION(t.options.at("no-such"), Error, says({"no option --no-such"}));
}

// The words of an option stand in its help, sentinels do not, and the general options come last.
BOOST_AUTO_TEST_CASE(help_says_what_there_is) {
  Training t;
  ReadOptions read;
  Options eval("eval", "");
  eval.add("Data", read);
  for (const Options* options : {&t.options, &eval})
    for (const Option& o : options->all()) {
      BOOST_TEST(o.help.size() > 4u, o.name);
      BOOST_TEST(o.shown != "-1", o.name);
      for (const std::string& word : o.words)
        BOOST_TEST(o.help.find(word) != std::string::npos, o.name << " does not mention " << word);
      if (o.name != "format") continue;
      for (const RecordFormat& format : record_formats())
        BOOST_TEST(o.help.find(format.name) != std::string::npos, format.name);
    }
  bool general = false;
  for (const Option& o : t.options.all()) {
    BOOST_TEST((!general || o.group == "General"), o.name);
    general = o.group == "General";
  }
  BOOST_TEST(t.options.all().back().name == "help");
}

BOOST_AUTO_TEST_CASE(a_precision_belongs_to_devices) {
  require_precision(Precision::bf16, Device::cuda);
  require_precision(Precision::bf16_tiles, Device::cpu);
  BOOST_CHECK_EXCEPTION(require_precision(Precision::bf16_tiles, Device::cuda), UsageError,
                        says({"--dtype bf16"}));
}

BOOST_AUTO_TEST_SUITE_END()
