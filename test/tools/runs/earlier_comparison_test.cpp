// A comparison's folder: what may be added, what is kept, what is refused.
#include "tools/runs/earlier_comparison.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}
Said compare(const std::string& out, const Words& more) { return run(words("compare", out, more)); }

void refused(const std::string& out, const Words& more, std::initializer_list<const char*> parts) {
  const Said said = compare(out, more);
  BOOST_TEST(said.status == 1, said.out);
  for (const char* part : parts) BOOST_TEST(holds(said.err, part), said.err << " lacks " << part);
}

std::string labels(const std::string& out) {
  std::string all;
  for (const MethodResult& m : read_comparison(out).methods)
    all += m.label + " " + std::to_string(m.runs.size()) + " of " +
           std::to_string(m.search.size()) + "; ";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(earlier_comparisons)

BOOST_AUTO_TEST_CASE(methods_rates_and_seeds_are_added_and_none_disappears) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare", lora = "lora:rank=2,lr=1e-3/3e-3";
  Said said = compare(out, {"--method", lora, "--seeds", "2"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const std::string log = out + "/runs/lora-rank2/lr-0.001/seed-1/log.jsonl",
                    before = read_text_file(log);
  refused(out, {"--method", lora},
          {"finished comparison of LoRA r 2", "--resume adds methods", "--out"});
  refused(out, {"--method", "full:lr=1e-3", "--steps", "6"}, {"steps was 4 and is 6"});
  for (const char* resume : {"--resume"}) {
    refused(out, {"--method", "full:lr=1e-3", "--steps", "6", resume},
            {"steps was 4 and is 6", "--schedule cosine", "--out"});
    refused(out, {"--method", "full:lr=1e-3", "--clip", "3", resume}, {"clip was 1.0 and is 3.0"});
    refused(out, {"--method", "full:lr=1e-3", "--seed", "9", resume}, {"seed was 1 and is 9"});
    refused(out, {"--method", "full:lr=1e-3", "--held-out", "8", resume},
            {"held-out was 6 and is 8"});
  }
  BOOST_TEST(labels(out) == "LoRA r 2 2 of 2; ");
  // A method, which the command names alone; then a rate and a seed.
  said = compare(out, {"--method", "full:lr=1e-3", "--resume"});
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(labels(out) == "LoRA r 2 2 of 2; full 1 of 0; ");
  said = compare(out, {"--method", "full:lr=1e-4", "--method", "lora:rank=2,lr=1e-3", "--seeds",
                       "3", "--resume"});
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(labels(out) == "LoRA r 2 3 of 2; full 3 of 2; ");
  BOOST_TEST(read_text_file(log) == before);
  // As if all had been asked for at once.
  const std::string whole = scratch / "whole";
  said = compare(whole, {"--method", lora, "--method", "full:lr=1e-3/1e-4", "--seeds", "3"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Comparison a = read_comparison(out), b = read_comparison(whole);
  for (size_t m = 0; m < 2; ++m)
    for (size_t r = 0; r < 3; ++r)
      BOOST_TEST(a.methods[m].runs[r].digest == b.methods[m].runs[r].digest);
  // Without the runs on disk the results still say under which conditions they were made.
  fs::remove_all(out + "/runs");
  refused(out, {"--method", "full:lr=1e-3", "--held-out", "8", "--resume"}, {"other records"});
}

BOOST_AUTO_TEST_CASE(more_steps_for_all_methods_at_a_constant_rate) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  const Words options = {"--schedule", "constant", "--save-every",
                         "4",          "--method", "lora:rank=2,lr=1e-3"};
  BOOST_REQUIRE(compare(out, joined(options, {"--method", "full:lr=1e-3"})).status == 0);
  refused(out, joined(options, {"--steps", "8", "--resume"}), {"name every method", "'full'"});
  const Words eight = joined(options, {"--method", "full:lr=1e-3", "--steps", "8"});
  Said said = compare(out, joined(eight, {"--resume"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "goes on to 8"), said.out);
  BOOST_REQUIRE(compare(scratch / "whole", eight).status == 0);
  const Comparison a = read_comparison(out), b = read_comparison(scratch / "whole");
  for (size_t m = 0; m < 2; ++m)
    BOOST_TEST(a.methods[m].runs[0].digest == b.methods[m].runs[0].digest);
}

BOOST_AUTO_TEST_CASE(a_stopped_comparison_says_that_there_is_something_to_resume) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  const Words all = {"--method", "lora:rank=2,lr=1e-3", "--method", "full:lr=1e-3", "--steps",
                     "3000",     "--save-every",        "1"};
  const pid_t child = start_program(words("compare", out, all));
  const std::string saved = out + "/runs/lora-rank2/lr-0.001/seed-1/checkpoints";
  for (int i = 0; i < 6000 && !fs::exists(saved + "/step-00000002.json"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(child, SIGKILL);
  wait_for(child);
  refused(out, all,
          {"comparison that was stopped, with 0 finished runs and one that was stopped after step",
           "--resume"});
  refused(out, joined(all, {"--resume", "--floor", "0.2"}), {"floor was 0.1 and is 0.2"});
  BOOST_TEST(fs::exists(saved));
}

// Results of a comparison that was stopped are those of its runs: none is left out without a word.
BOOST_AUTO_TEST_CASE(methods_of_a_stopped_comparison_must_be_named) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  const Words lora = {"--method", "lora:rank=2,lr=1e-3", "--steps", "2"};
  BOOST_TEST(run(words("compare", out, lora)).status == 0);
  const std::string whole = read_text_file(out + "/results.json");
  write_text_file(out + "/results.json", whole.substr(0, whole.size() / 2));
  refused(out, joined(lora, {"--resume"}), {"results.json, line", "from a copy", "remove it"});
  fs::remove(out + "/results.json");  // as if it was stopped
  refused(out, {"--method", "full:lr=1e-3", "--steps", "2", "--resume"},
          {"'LoRA r 2'", "name this method too"});
  BOOST_TEST(run(words("compare", out, joined(lora, {"--resume"}))).status == 0);
}

BOOST_AUTO_TEST_CASE(two_of_the_same_method_are_refused) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  for (const char* second : {"lora:rank=8,lr=1e-3", "lora:lr=3e-3", "lora:rank=8,alpha=16,lr=3e-3"})
    refused(out, {"--method", "lora:rank=8,lr=1e-3", "--method", second},
            {"same method", second, "once"});
  refused(out, {"--method", "lora:lr=1e-3/1e-3"}, {"1e-3 is there twice"});
  refused(out, {"--method", "lora:lr=1e-3/1.0000001e-3"}, {"two rates are 0.001"});
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_are_refused_before_anything_is_read) {
  ScratchFolder scratch;
  for (auto [option, value] : {std::pair{"--clip", "-1"},

                               {"--warmup", "-2"},
                               {"--save-every", "-1"},
                               {"--eval-every", "-3"},
                               {"--floor", "2"},
                               {"--weight-decay", "-0.1"},
                               {"--beta1", "1"},
                               {"--eps", "0"},
                               {"--held-out", "0"},
                               {"--held-out", "1"},
                               {"--memory-limit", "10K"}})
    refused(scratch / "out", {"--method", "lora:lr=1e-3", option, value}, {option, "expected"});
}

BOOST_AUTO_TEST_SUITE_END()
