// The identity of a run out of its options, and comparing two of them.
#include "tools/runs/identity.h"

#include "data/tokenizer/regex.h"
#include "tools/runs/option_json.h"

namespace afina {

namespace {

// Visits options and takes in those whose value the bits follow from.
struct Follow {
  Json& json;
  template <class T>
  void operator()(const char* name, const T& field, Bits bits, const char*, Default = {}) {
    if (bits == Bits::follow) json[long_name(name)] = json_of(field);
  }
};

// Names of options that show through a hash.
struct Content {
  std::vector<std::string> names;
  template <class T>
  void operator()(const char* name, const T&, Bits bits, const char*, Default = {}) {
    if (bits == Bits::content) names.push_back(long_name(name));
  }
};

std::string shown(const Json& value) {
  if (value.is_null() || value == "") return "not given";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add_difference(std::string& all, const std::string& name, const Json& then, const Json& now) {
  if (now == then) return;
  all += (all.empty() ? "" : ", ") + name + " was " + shown(then) + " and is " + shown(now);
}

// The options of a group that are no part of the identity themselves.
template <class Group>
void add_content(std::string& all, const char* group, const Json& now, const Json& then) {
  if (!now.is_object() || !then.is_object()) return;
  Content content;
  const Group fields;
  Group::each(fields, content);
  const Json ours = now.value(group, Json::object()), theirs = then.value(group, Json::object());
  for (const std::string& name : content.names)
    if (ours.contains(name) && theirs.contains(name))
      add_difference(all, name, theirs.at(name), ours.at(name));
}

bool is_hash(const Json& value) {
  return value.is_string() && value.get<std::string>().size() >= 64;
}

}  // namespace

const std::map<std::string, std::string>& special_options() {
  static const std::map<std::string, std::string> all = {
      // Only their product shows: a step's rows are summed in the same order however they are
      // split.
      {"batch", "rows-per-step"},
      {"accumulate", "rows-per-step"},
      // Left out, as it becomes steps when the data is read.
      {"epochs", ""},
      // As it is resolved: a twentieth of the steps, given or not, is the same schedule.
      {"warmup", "warmup"},
      // Those of the run: a comparison makes several runs of one --seed, --lr and --method.
      {"seed", "seed"},
      {"lr", "lr"},
      {"method", "method"},
      // Left out, as a run may go on elsewhere: CPUs give the same bits, and where another device
      // does not, the loss that is computed again on resuming shows it.
      {"device", ""},
      // Kept apart as choices (engine/choices.h), which resuming and replaying take up.
      {"kernel", ""},
      {"repeat", ""}};
  return all;
}

Json identity_of(const RunPlan& plan, const Workbench& bench) {
  Json json = Json::object(), method = Json::object();
  Follow follow{json};
  ModelOptions::each(bench.model, follow);
  DataOptions::each(bench.data, follow);  // its length as adjusted to the model's context
  RunOptions::each(bench.run, follow);
  for (auto& [key, value] : plan.method.options) method[key] = value;
  json["method"] = plan.method.name;
  json["method_options"] = method;
  json["lr"] = plan.lr;
  json["seed"] = plan.seed;
  json["rows-per-step"] = bench.run.rows_per_step();
  json["warmup"] = bench.run.warmup_steps();
  json["model"] = bench.described.hash;
  json["data"] = bench.train.sha256;
  json["held_out"] = bench.choice.sha256 + bench.final.sha256;
  json["retain"] = bench.retain.sha256;
  return json;
}

bool is_same_run(const Json& now, const Json& then, const std::string& where) {
  std::string missing;
  for (auto& [key, value] : now.items())
    if (!then.is_object() || !then.contains(key)) missing += " " + key;
  for (auto& [key, value] : then.items())
    if (then.is_object() && !now.contains(key)) missing += " " + key;
  require(missing.empty(), where,
          ": was written by another version of afina, which identifies a run by other options than "
          "this one (",
          missing.substr(missing.empty() ? 0 : 1),
          "); resume with that version, or choose another --out");
  return now == then;
}

std::string differences(const Json& now, const Json& then, const Json& replay_now,
                        const Json& replay_then) {
  std::string all, hashes;
  for (auto& [key, value] : now.items()) {
    const Json was = then.value(key, Json());
    if (!is_hash(value) && !is_hash(was)) add_difference(all, key, was, value);
    else if (was != value) hashes += (hashes.empty() ? "" : ", ") + key;
  }
  if (hashes.empty()) return all;
  add_content<ModelOptions>(all, "model", replay_now, replay_then);
  add_content<DataOptions>(all, "data", replay_now, replay_then);
  // A comparison splits all its records by one --seed, whichever runs it makes.
  if (replay_now.is_object() && replay_then.is_object() &&
      now.value("seed", Json()) == then.value("seed", Json()))
    add_difference(all, "seed", replay_then.at("run").value("seed", Json()),
                   replay_now.at("run").value("seed", Json()));
  return all.empty() ? "other contents than then (by their SHA-256): " + hashes : all;
}

void require_same_run(const Json& now, const Json& then, const std::string& where) {
  if (is_same_run(now, then, where)) return;
  // Options first: a hash that differs says less than the option it follows from.
  for (bool hashes : {false, true})
    for (auto& [key, value] : now.items())
      require(is_hash(value) != hashes || then.at(key) == value, where, ": ", key, " was ",
              then.at(key).dump(), " when the run was stopped and is ", value.dump(),
              " now; resume with the same options");
}

std::string other_regex_library(const Json& written) {
  const std::string now = regex_library();
  const std::string then = written.is_object() ? written.value("regular_expressions", now) : now;
  if (then == now) return "";
  return "the tokenizer's regular expressions were matched with " + then + " then, and are with " +
         now + " now, which may cut text elsewhere";
}

}  // namespace afina
