// The identity of a run and its replay hold every option, and say when they cannot be compared.
#include "tools/runs/identity.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/options/options.h"
#include "tools/runs/replay.h"

using namespace afina;

namespace {

struct Declared {
  std::string group, name;
  Bits bits;
};
struct Collect {
  std::vector<Declared>& all;
  std::string group;
  template <class T>
  void operator()(const char* name, T&, Bits bits, const char*, Default = {}) {
    all.push_back({group, long_name(name), bits});
  }
};
template <class Group>
void collect(std::vector<Declared>& all, const std::string& name) {
  Group group;
  Collect visitor{all, name};
  Group::each(group, visitor);
}
// Every option of a training run, with the name of its group in a replay.
std::vector<Declared> options_of_a_run() {
  std::vector<Declared> all;
  collect<ModelOptions>(all, "model");
  collect<DataOptions>(all, "data");
  collect<RunOptions>(all, "run");
  return all;
}

// Changes the value of one option.
struct Change {
  std::string wanted;
  bool changed = false;
  template <class T>
  void operator()(const char* name, T& field, Bits, const char*, Default = {}) {
    if (long_name(name) != wanted) return;
    changed = true;
    if constexpr (Worded<T>) {
      for (auto& [word, value] : WordList<T>::all)
        if (value != field) {
          field = value;
          return;
        }
    } else if constexpr (std::is_same_v<T, bool>) field = !field;
    else if constexpr (std::is_arithmetic_v<T>) field += T(1);
    else if constexpr (std::is_same_v<T, std::string>) field += "x";
    else if constexpr (std::is_same_v<T, std::vector<std::string>>) field.push_back("x");
    else field = typename T::value_type{};
  }
};
void change(Workbench& bench, const std::string& option) {
  Change visitor{option};
  ModelOptions::each(bench.model, visitor);
  DataOptions::each(bench.data, visitor);
  RunOptions::each(bench.run, visitor);
  BOOST_TEST(visitor.changed, option);
}

Workbench bench() {
  ModelOptions model;
  model.path = source + "/data/pocket";
  model.init = true;
  DataOptions data;
  data.data = {source + "/data/samples/support.jsonl"};
  data.limit = 40;
  data.held_out = 6;
  data.length = 64;
  data.on_too_long = OnTooLong::cut;
  data.on_problem = OnProblem::skip;
  return open_workbench(model, data, {});
}
RunPlan plan() {
  RunPlan p;
  p.method = parse_method("lora:rank=4");
  p.lr = 1e-3;
  return p;
}

auto says(std::initializer_list<const char*> words) {
  return [words](const std::exception& e) {
    bool all = true;
    for (const char* word : words) all = all && holds(e.what(), word);
    BOOST_TEST(all, e.what());
    return all;
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(identities)

BOOST_AUTO_TEST_CASE(every_option_of_a_run_is_in_its_replay_and_its_identity) {
  const Workbench untouched = bench();
  const Json identity = identity_of(plan(), untouched), replay = replay_of(plan(), untouched);
  for (const Declared& option : options_of_a_run()) {
    BOOST_TEST(replay.at(option.group).contains(option.name), option.name << " is not replayed");
    Workbench changed = untouched;
    change(changed, option.name);
    const bool shows = identity_of(plan(), changed) != identity;
    switch (option.bits) {
      case Bits::follow: BOOST_TEST(shows, option.name << " does not show in the identity"); break;
      case Bits::special: {
        auto known = special_options().find(option.name);
        BOOST_REQUIRE_MESSAGE(known != special_options().end(), option.name);
        BOOST_TEST((known->second.empty() || identity.contains(known->second)), option.name);
        // The seed that shows is the run's own.
        BOOST_TEST(shows == (!known->second.empty() && option.name != "seed"), option.name);
        break;
      }
      case Bits::content:  // by the hash of what is read
      case Bits::keep: BOOST_TEST(!shows, option.name << " shows in the identity"); break;
    }
    Workbench again = untouched;
    Replay read = parse_replay(Json{{"replay", replay_of(plan(), changed)}}, "manifest.json");
    again.model = read.model;
    again.data = read.data;
    again.run = read.run;
    BOOST_TEST(replay_of(plan(), again) == replay_of(plan(), changed), option.name);
    BOOST_TEST(replay_of(plan(), changed) != replay, option.name);
  }
  for (const char* hash : {"model", "data", "held_out", "retain"})
    BOOST_TEST(identity.contains(hash), hash);
}

BOOST_AUTO_TEST_CASE(options_of_a_run_have_names_of_their_own) {
  std::set<std::string> names;
  std::vector<Declared> all = options_of_a_run();
  collect<ComparisonOptions>(all, "comparison");
  collect<GeneralOptions>(all, "general");
  for (const Declared& option : all) {
    BOOST_TEST(names.insert(option.name).second, option.name << " is declared twice");
    if (option.bits == Bits::special)
      BOOST_TEST(special_options().count(option.name) == 1u, option.name);
  }
  for (auto& [name, key] : special_options()) BOOST_TEST(names.count(name) == 1u, name);
}

// What a run is does not depend on how its step is split, nor on saying what would be so anyway.
BOOST_AUTO_TEST_CASE(special_options_show_as_what_they_come_to) {
  Workbench one = bench(), two = one;
  two.run.batch = 2;
  two.run.accumulate = 4;
  two.run.warmup = 5;  // a twentieth of 100
  BOOST_TEST(identity_of(plan(), one) == identity_of(plan(), two));
  two.run.accumulate = 3;
  BOOST_TEST(identity_of(plan(), one) != identity_of(plan(), two));
  RunPlan other = plan();
  other.seed = 2;
  BOOST_TEST(identity_of(plan(), one) != identity_of(other, one));
  other = plan();
  other.lr = 2e-3;
  BOOST_TEST(identity_of(plan(), one) != identity_of(other, one));
}

BOOST_AUTO_TEST_CASE(differences_are_named_options_first) {
  const Json now{{"clip", 1.}, {"data", std::string(64, 'a')}, {"steps", 3}};
  Json then = now;
  require_same_run(now, then, "here");
  then["data"] = std::string(64, 'b');
  BOOST_CHECK_EXCEPTION(require_same_run(now, then, "here"), Error, says({"here: data was"}));
  then["steps"] = 4;
  BOOST_CHECK_EXCEPTION(require_same_run(now, then, "here"), Error,
                        says({"here: steps was 4 when the run was stopped and is 3 now"}));
  BOOST_TEST(!is_same_run(now, then, "here"));
  then.erase("clip");
  then["betas"] = 1;
  BOOST_CHECK_EXCEPTION(is_same_run(now, then, "here"), Error,
                        says({"here: ", "another version of afina", "clip", "betas", "--out"}));
  BOOST_CHECK_EXCEPTION(is_same_run(now, Json(), "here"), Error, says({"another version"}));
}

BOOST_AUTO_TEST_CASE(what_another_version_wrote_is_refused_clearly) {
  ScratchFolder scratch;
  const Words all = words("train", scratch / "run", {"--method", "lora:rank=4,lr=1e-3"});
  Said said = run(all);
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const std::string file = scratch / "run/run.json", manifest = scratch / "run/manifest.json";
  Json json = parse_json_file(file);
  json["identity"].erase("weight-decay");
  json["identity"]["weight_decay"] = 0.01;
  write_text_file(file, json.dump());
  Words resumed = all;
  resumed.push_back("--resume");
  said = run(resumed);
  BOOST_TEST(said.status == 1);
  BOOST_TEST((holds(said.err, "run.json") && holds(said.err, "another version of afina")),
             said.err);
  json = parse_json_file(manifest);
  json["replay"]["data"].erase("train-on");
  write_text_file(manifest, json.dump());
  said = run({"verify", scratch / "run"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST((holds(said.err, "--train-on") && holds(said.err, "another version")), said.err);
}

BOOST_AUTO_TEST_CASE(another_version_of_pcre2_is_said) {
  ScratchFolder scratch;
  const std::string out = scratch / "run", manifest = out + "/manifest.json";
  Said said = run(words("train", out, {"--method", "lora:rank=4,lr=1e-3"}));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  Json json = parse_json_file(manifest);
  const std::string now = json.at("regular_expressions");
  BOOST_TEST((now.starts_with("PCRE2 10.") && now.find("(Unicode ") != now.npos), now);
  BOOST_TEST(other_regex_library(json) == "");
  BOOST_TEST(other_regex_library(Json::object()) == "");
  json["regular_expressions"] = "PCRE2 10.99 (Unicode 20.0.0)";
  write_text_file(manifest, json.dump());
  said = run({"verify", out, "--whole-only"});
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST((holds(said.out, "PCRE2 10.99 (Unicode 20.0.0) then") && holds(said.out, now)),
             said.out);
  // Where other tokens come of it, the reason is said with the error.
  json["run"]["data"] = std::string(64, '0');
  write_text_file(manifest, json.dump());
  said = run({"verify", out, "--whole-only"});
  BOOST_TEST((said.status == 1 && holds(said.err, "data was") && holds(said.err, "10.99")),
             said.err);
}

BOOST_AUTO_TEST_SUITE_END()
