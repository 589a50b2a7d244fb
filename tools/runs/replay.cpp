// Options to JSON and back, by their declarations.
#include "tools/runs/replay.h"

#include "data/tokenizer/utf8.h"
#include "tools/runs/option_json.h"

namespace afina {

namespace {

// Visitors that write and read every option, those that no bits follow from included: a run that
// fitted into memory only with --checkpoint block is to be run so again.
struct Write {
  Json& json;
  template <class T>
  void operator()(const char* name, const T& field, Bits, const char*, Default = {}) {
    json[long_name(name)] = json_of(field);
  }
};
struct Read {
  const Json& json;
  const std::string& where;
  template <class T>
  void operator()(const char* name, T& field, Bits bits, const char*, Default = {}) {
    const std::string option = long_name(name);
    // No bits follow from it, and its default is what a version without it did.
    if (bits == Bits::keep && !json.contains(option)) return;
    require(json.contains(option), where, ": does not say --", option,
            "; it was written by another version of afina");
    read_json(field, json, option, where);
  }
};

struct RequireUtf8 {
  void operator()(const char* name, const std::string& text, Bits, const char*, Default = {}) {
    require(is_utf8(text), "--", long_name(name), " ", text,
            ": the name is not UTF-8, and the files that say what a run is (JSON) can hold no "
            "other; rename it, or give a link to it that has another name");
  }
  void operator()(const char* name, const std::vector<std::string>& texts, Bits bits,
                  const char* help, Default shown = {}) {
    for (const std::string& text : texts) (*this)(name, text, bits, help, shown);
  }
  template <class T>
  void operator()(const char*, const T&, Bits, const char*, Default = {}) {}
};

template <class Group>
Json written(const Group& group) {
  Json json = Json::object();
  Write write{json};
  Group::each(group, write);
  return json;
}
template <class Group>
void read(Group& group, const Json& json, const std::string& where) {
  Read reader{json, where};
  Group::each(group, reader);
}

}  // namespace

void require_replayable(const ModelOptions& model, const DataOptions& data, const RunOptions& run) {
  RequireUtf8 check;
  ModelOptions::each(model, check);
  DataOptions::each(data, check);
  RunOptions::each(run, check);
}

Json replay_of(const RunPlan& plan, const Workbench& bench) {
  Json method = Json::object();
  for (auto& [key, value] : plan.method.options) method[key] = value;
  return {{"model", written(bench.model)},
          {"data", written(bench.data)},
          {"run", written(bench.run)},
          {"method", plan.method.name},
          {"method_options", method},
          {"lr", plan.lr},
          {"seed", plan.seed}};
}

Replay parse_replay(const Json& manifest, const std::string& where) {
  require(manifest.is_object() && manifest.contains("replay"), where,
          ": does not say how to run the run again; it was written by an older version of afina");
  const Json& json = manifest.at("replay");
  const std::string at = where + ": replay";
  Replay replay;
  read(replay.model, member(json, "model", at), at);
  read(replay.data, member(json, "data", at), at);
  // Versions before wrote so that nothing was given.
  if (replay.data.held_out == 0) replay.data.held_out = -1;
  read(replay.run, member(json, "run", at), at);
  replay.method.name = replay.method.text = get<std::string>(json, "method", at);
  for (auto& [key, value] : member(json, "method_options", at).items()) {
    replay.method.options[key] = get<std::string>(member(json, "method_options", at), key, at);
    replay.method.text += (replay.method.text == replay.method.name ? ":" : ",") + key + "=" +
                          replay.method.options[key];
  }
  replay.lr = get<double>(json, "lr", at);
  replay.seed = get<uint64_t>(json, "seed", at);
  return replay;
}

}  // namespace afina
