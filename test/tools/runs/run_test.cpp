// Whole runs as a user starts them: alone or compared, killed and resumed, split and spread, and
// the guards of a run.
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/bf16_sums.h"
#include "engine/device.h"
#include "engine/files/safetensors.h"
#include "engine/files/sha256.h"
#include "engine/train/checkpoint.h"
#include "test/scratch.h"
#include "test/tools/runs/faulty_methods.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

// Starts the program, kills it after `milliseconds`, and says whether it had ended by itself
// before.
bool killed_run(const Words& all, int milliseconds) {
  pid_t child = start_program(all);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  kill(child, SIGKILL);
  return WIFEXITED(wait_for(child));
}

// A method that says it starts as the pretrained model and does not; and one that writes into a
// frozen weight.
struct Shifted : Adapter {
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return layer.plain(x) * 5.;
  }
  void merge(Tensor&, Tensor&) const override {}
};
struct Careless : Adapter {
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    if (inputs.training && holds_bytes(x.device())) layer.weight.value.data<float>()[0] += 1e-3f;
    return layer.plain(x);
  }
  void merge(Tensor&, Tensor&) const override {}
};
// One that is interrupted once, in step 2: as by Ctrl-C.
struct Interrupting : Adapter {
  static inline bool again = true;
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    if (x.device() == Device::cpu && inputs.training && inputs.step == 1 &&
        std::exchange(again, false))
      raise(SIGINT);
    return layer.plain(x);
  }
  void merge(Tensor&, Tensor&) const override {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(runs)

BOOST_AUTO_TEST_CASE(a_comparison_writes_everything_and_equals_runs_alone) {
  ScratchFolder scratch;
  std::string out = scratch / "compare";
  Said said =
      run(words("compare", out,
                {"--retain", source + "/data/samples/general.jsonl", "--retain-tokens", "600",
                 "--method", "full:lr=1e-3", "--method", "lora:rank=4,dropout=0.1,lr=1e-3/3e-3"}));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  for (const char* file : {"results.json", "summary.md", "report.html"})
    BOOST_TEST(fs::exists(out + "/" + file), file);
  Json results = parse_json_file(out + "/results.json");
  BOOST_TEST(results.at("methods").size() == 2u);
  std::string full = out + "/runs/full/lr-0.001/seed-1",
              lora = out + "/runs/lora-dropout0.1-rank4/lr-0.003/seed-1";
  BOOST_TEST(fs::exists(full + "/model/model.safetensors"));
  BOOST_TEST(fs::exists(lora + "/adapter/adapter_config.json"));
  BOOST_TEST(digest_of_run(scratch / "full", {"--method", "full:lr=1e-3"}) == digest(full));
  BOOST_TEST(digest_of_run(scratch / "lora", {"--method", "lora:rank=4,dropout=0.1,lr=3e-3"}) ==
             digest(lora));
  std::ifstream log(lora + "/log.jsonl");
  int lines = 0;
  for (std::string line; std::getline(log, line); ++lines) parse_json(line, "log.jsonl");
  BOOST_TEST(lines == 4);
  BOOST_TEST(run(words("compare", out, {"--method", "full:lr=1e-3"})).status ==
             1);  // what is there is not overwritten
}

BOOST_AUTO_TEST_CASE(a_watched_run_says_what_changed) {
  ScratchFolder scratch;
  const Words lora = {"--method", "lora:rank=2,lr=1e-2", "--eval-every", "2"};
  auto figures = [&](const std::string& out) {
    return parse_json_file(out + "/run.json").at("run");
  };
  Words watched = lora;
  watched.insert(watched.end(), {"--watch", "on"});
  const Said said = run(words("train", scratch / "on", watched));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.err, "step 0: weights changed by 0 %"), said.err);
  BOOST_TEST(holds(said.err, "step 4: weights changed by"), said.err);
  const Json on = figures(scratch / "on");
  BOOST_TEST(on.at("changes").size() == 42u);
  for (const Json& one : on.at("changes")) {
    BOOST_TEST(one.at("norm").get<double>() > 0.);
    BOOST_TEST((one.at("spectrum").size() >= 1u && one.at("spectrum").size() <= 2u));
  }
  BOOST_TEST(on.at("evaluations").at("change").size() == 3u);
  BOOST_TEST(on.at("evaluations").at("effective_rank")[2].get<double>() > 1.);
  // Looking changes no bit.
  BOOST_TEST(run(words("train", scratch / "off", lora)).status == 0);
  const Json off = figures(scratch / "off");
  BOOST_TEST(off.at("changes").empty());
  BOOST_TEST(off.at("digest") == on.at("digest"));
}

// One step of a rate that moves no weight: the loss on the retention text is what it was to the
// bit, and so says every table.
BOOST_AUTO_TEST_CASE(what_trains_nothing_forgets_nothing) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  const Said said =
      run(words("compare", out,
                {"--retain", source + "/data/samples/general.jsonl", "--retain-tokens", "300",
                 "--steps", "1", "--method", "full:lr=1e-30", "--method", "lora:rank=2,lr=1e-30"}));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Json results = parse_json_file(out + "/results.json");
  for (const Json& method : results.at("methods")) {
    const Json& one = method.at("runs")[0];
    for (const char* loss : {"heldout", "retain"})
      BOOST_TEST(
          one.at("after").at(loss).get<double>() - one.at("before").at(loss).get<double>() == 0.,
          method.at("label") << " " << loss);
  }
  const std::string summary = read_text_file(out + "/summary.md");
  BOOST_TEST(holds(summary, "| 0 \u00b1 0 |"), summary);  // forgotten, of both
  BOOST_TEST(holds(summary, "the loss on the retention text stayed exactly as it was"), summary);
  for (const char* zero : {"-0.0", "\u22120.0", "+0.0000"})
    BOOST_TEST(!holds(summary, zero), zero << " is in " << summary);
  BOOST_REQUIRE(run({"report", out, "--latex", scratch / "table.tex"}).status == 0);
  BOOST_TEST(holds(read_text_file(scratch / "table.tex"), "$0 \\pm 0.0000$"));
}

BOOST_AUTO_TEST_CASE(the_split_into_micro_batches_threads_and_checkpointing_do_not_show) {
  ScratchFolder scratch;
  for (const char* dtype : {"f32", "bf16", "bf16-tiles"}) {
    Words base = {"--dtype",    dtype, "--method", "lora:rank=4,dropout=0.1,lr=3e-3",
                  "--steps",    "2",   "--watch",  "off",
                  "--held-out", "2"};
    auto with = [&](Words more) {
      more.insert(more.begin(), base.begin(), base.end());
      return digest_of_run(scratch / "run", more);
    };
    std::string expected = with({"--batch", "4"});
    BOOST_TEST(with({"--batch", "2", "--accumulate", "2"}) == expected);
    BOOST_TEST(with({"--batch", "1", "--accumulate", "4"}) == expected);
    BOOST_TEST(with({"--batch", "4", "--threads", "1"}) == expected);
    for (const char* kind : {"mlp", "block"})
      BOOST_TEST(with({"--batch", "4", "--checkpoint", kind}) == expected, kind);
    use_tiles(false);
    BOOST_TEST(with({"--batch", "4"}) == expected, "without AMX");
    use_tiles(true);
    BOOST_TEST(parse_json_file(scratch / "run/manifest.json")
                   .dump()
                   .find("\"" + std::string(dtype) + "\"") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(weights_can_be_moved_as_their_gradients_come) {
  ScratchFolder scratch;
  Words more = {"--method", "full:lr=1e-3", "--clip", "0"};
  std::string expected = digest_of_run(scratch / "run", more);
  more.push_back("--apply-as-you-go");
  BOOST_TEST(digest_of_run(scratch / "run", more) == expected);
  BOOST_TEST(parse_json_file(scratch / "run/manifest.json").at("apply_as_you_go").get<bool>());
  auto fails = [&](Words with, const std::string& part) {
    with.insert(with.begin(), {"--method", "full:lr=1e-3"});
    Said said = run(words("train", scratch / "wrong", with));
    BOOST_TEST(said.status != 0, part);
    BOOST_TEST(holds(said.err, part), said.err);
  };
  fails({"--apply-as-you-go"}, "--clip 0");
  fails({"--apply-as-you-go", "--clip", "0", "--accumulate", "2"}, "--accumulate 1");
  for (const char* word : {"on", "true", "blocks"})
    fails({"--checkpoint", word}, "none, mlp, block");
}

BOOST_AUTO_TEST_CASE(killed_and_resumed_gives_the_same_bits) {
  ScratchFolder scratch;
  Words more = {"--method", "lora:rank=4,lr=3e-3", "--save-every", "1", "--steps", "6"};
  std::string expected = digest_of_run(scratch / "whole", more);
  std::string out = scratch / "killed";
  more.push_back("--resume");
  bool ended = false;
  for (int wait = 350; !ended && wait < 20000; wait = wait * 5 / 4)
    ended = killed_run(words("train", out, more), wait);
  BOOST_REQUIRE(ended);
  BOOST_TEST(digest(out) == expected);
}

BOOST_AUTO_TEST_CASE(resuming_with_other_options_is_refused) {
  ScratchFolder scratch;
  std::string out = scratch / "run";
  Words long_run = {"--method", "lora:rank=4,lr=3e-3", "--save-every", "1", "--steps", "4000"};
  auto saved = [&] { return !checkpoint_steps(out + "/checkpoints").empty(); };
  for (int wait = 600; !saved() && wait < 160000; wait *= 2)
    killed_run(words("train", out, long_run), wait);
  BOOST_REQUIRE(saved());  // else what follows would be a whole run
  Said said = run(words("train", out,
                        {"--method", "lora:rank=4,lr=3e-3", "--save-every", "1", "--steps", "4000",
                         "--seed", "2", "--resume"}));
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "seed"), said.err);
  said = run(words("train", out, {"--method", "full:lr=3e-3", "--steps", "4000", "--resume"}));
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "method was lora and is full"), said.err);
}

// Writes a checkpoint again with one value changed and a checksum that fits: what a checksum cannot
// see.
void change_a_value(const std::string& path) {
  Safetensors file(path + ".safetensors");
  SafetensorsWriter out(path + ".safetensors", file.metadata());
  for (const StoredTensor& t : file.tensors()) out.declare(t.name, t.type, t.shape);
  for (const StoredTensor& t : file.tensors()) {
    std::vector<float> values(size_t(t.count()));
    std::memcpy(values.data(), t.data, t.bytes);
    if (&t == &*file.tensors().begin()) values[0] += 0.125f;
    out.write(t.name, values.data(), t.bytes);
  }
  out.commit();
  Json json = parse_json_file(path + ".json");
  json["sha256"] = sha256_file(path + ".safetensors");
  write_text_file(path + ".json", json.dump());
}

BOOST_AUTO_TEST_CASE(guard_the_loss_after_resuming_is_another) {
  ScratchFolder scratch;
  With<Interrupting> method("interrupting");
  const std::string inside = "/runs/interrupting/lr-0.001/seed-1";
  auto compare = [&](const std::string& out, Words more) {
    more.insert(more.end(), {"--method", "interrupting:lr=1e-3", "--keep-models", "false"});
    return run(words("compare", out, more));
  };
  Interrupting::again = false;
  Said said = compare(scratch / "whole", {});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  for (bool damaged : {false, true}) {
    std::string out = scratch / (damaged ? "damaged" : "fine");
    Interrupting::again = true;
    said = compare(out, {});
    BOOST_TEST(said.status != 0);
    BOOST_TEST(holds(said.err, "--resume"), said.err);
    if (damaged) change_a_value(out + inside + "/checkpoints/step-00000002");
    said = compare(out, {"--resume"});
    BOOST_TEST((said.status == 0) == !damaged, said.err);
    if (damaged) BOOST_TEST(holds(said.err, "the loss after resuming is"), said.err);
    else BOOST_TEST(digest(out + inside) == digest(scratch / "whole" + inside));
  }
}

BOOST_AUTO_TEST_CASE(a_method_that_begins_as_another_model_says_by_how_much) {
  ScratchFolder scratch;
  const Said said =
      run(words("train", scratch / "run",
                {"--method", "lora:start=kaiming,rank=8,alpha=8000,lr=1e-3", "--steps", "1"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out + said.err,
                   "begins as another model than the pretrained one: the "
                   "held-out loss is "),
             said.out);
}

BOOST_AUTO_TEST_CASE(guards_of_a_run) {
  ScratchFolder scratch;
  auto error = [&](const Words& more, const std::string& part) {
    fs::remove_all(scratch / "run");  // the first of them is written before it is refused
    Said said = run(words("train", scratch / "run", more));
    BOOST_TEST(said.status != 0);
    BOOST_TEST(holds(said.err, part), said.err << " lacks '" << part << "'");
  };
  error({"--method", "full:lr=1e-30"}, "exactly as they began");
  error({"--method", "lora:rank=4,targets=no_such_proj,lr=1e-3"}, "no_such_proj");
  error({"--method", "lora:rnak=4,lr=1e-3"}, "rank");
  error({"--method", "lora:rank=4"}, "learning rate");
  error({"--method", "full:lr=1e-3", "--stepz", "3"}, "steps");
  error({"--method", "full:lr=1e-3", "--dtype", "f16"}, "bf16");
  error({"--method", "full:lr=1e-3", "--dtype", "bf16-tiles", "--length", "72"}, "use --length 64");
  if (built_for(Device::emulated))
    error({"--method", "full:lr=1e-3", "--dtype", "bf16-tiles", "--device", "emulated"},
          "--dtype bf16");
  error({"--method", "full:lr=1e-3", "--eval", source + "/data/samples/support.jsonl"},
        "training");  // held-out rows that are trained on
  {
    With<Shifted> method("shifted");
    error({"--method", "shifted:lr=1e-3"}, "before the first step");
  }
  With<Careless> method("careless");
  error({"--method", "careless:lr=1e-3"}, "frozen weight changed");
}

// Which rows are packed is chance: one document a row in these steps must not hide the refusal.
BOOST_AUTO_TEST_CASE(packed_rows_and_virtual_tokens_are_refused_before_the_first_step) {
  ScratchFolder scratch;
  for (const char* method : {"prefix:tokens=3,lr=1e-3", "prompt:tokens=3,lr=1e-3"}) {
    // Rows this short: every one holds one document.
    Words more = {"--method", method, "--length", "64", "--steps", "2"};
    Said packed = run(words("train", scratch / "packed", more));
    BOOST_TEST(packed.status == 1);
    BOOST_TEST(holds(packed.err, "add --pack off"), packed.err);
    BOOST_TEST(!fs::exists(scratch / "packed/log.jsonl"));
    more.insert(more.end(), {"--pack", "off"});
    BOOST_TEST(run(words("train", scratch / "single", more)).status == 0, method);
    fs::remove_all(scratch / "single");
  }
}

BOOST_AUTO_TEST_CASE(options_come_from_an_ini_file_too) {
  ScratchFolder scratch;
  std::string config = scratch / "run.ini";
  std::ofstream(config) << "method = lora:rank=4,lr=3e-3\nseed = 3\n";
  std::string expected =
      digest_of_run(scratch / "words", {"--method", "lora:rank=4,lr=3e-3", "--seed", "3"});
  BOOST_TEST(digest_of_run(scratch / "file", {"--config", config}) == expected);
  std::ofstream(config) << "methud = full\n";
  Said said = run(words("train", scratch / "wrong", {"--config", config}));
  BOOST_TEST(said.status == 2);
  BOOST_TEST(
      (holds(said.err, "methud") && holds(said.err, "'method'") && holds(said.err, "run.ini")),
      said.err);
}

BOOST_AUTO_TEST_SUITE_END()
