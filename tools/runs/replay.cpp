// Options to JSON and back, each named once.
#include "tools/runs/replay.h"

namespace afina {

namespace {

// Visits every option with its name, in the same way for writing and for reading.
template <class O, class Visit>
void each_of_model(O& o, Visit visit) {
  visit("path", o.path);
  visit("dtype", o.dtype);
  visit("checkpoint", o.checkpoint);
  visit("init", o.init);
}
template <class O, class Visit>
void each_of_data(O& o, Visit visit) {
  visit("data", o.data);
  visit("eval", o.eval);
  visit("retain", o.retain);
  visit("format", o.format);
  visit("fields", o.fields);
  visit("template", o.chat_template);
  visit("train_on", o.train_on);
  visit("on_too_long", o.on_too_long);
  visit("on_problem", o.on_problem);
  visit("pack", o.packing);
  visit("length", o.length);
  visit("held_out", o.held_out);
  visit("limit", o.limit);
  visit("eval_rows", o.eval_rows);
  visit("retain_tokens", o.retain_tokens);
}
template <class O, class Visit>
void each_of_run(O& o, Visit visit) {
  visit("steps", o.steps);
  visit("batch", o.batch);
  visit("accumulate", o.accumulate);
  visit("warmup", o.warmup);
  visit("seed", o.seed);
  visit("schedule", o.schedule);
  visit("optimizer", o.optimizer);
  visit("weight_decay", o.weight_decay);
  visit("clip", o.clip);
  visit("beta1", o.beta1);
  visit("beta2", o.beta2);
  visit("eps", o.eps);
  visit("floor", o.floor);
}

auto writer(Json& to) {
  return [&to](const char* name, const auto& value) { to[name] = value; };
}
auto reader(const Json& from, const std::string& where) {
  return [&from, where](const char* name, auto& value) {
    value = get<std::decay_t<decltype(value)>>(from, name, where);
  };
}

}  // namespace

Json replay_of(const RunPlan& plan, const Workbench& bench) {
  Json model = Json::object(), data = Json::object(), run = Json::object(), method = Json::object();
  each_of_model(bench.model, writer(model));
  each_of_data(bench.data, writer(data));
  each_of_run(bench.run, writer(run));
  for (auto& [key, value] : plan.method.options) method[key] = value;
  return {
      {"model", model},           {"data", data},  {"run", run},       {"method", plan.method.name},
      {"method_options", method}, {"lr", plan.lr}, {"seed", plan.seed}};
}

Replay parse_replay(const Json& manifest, const std::string& where) {
  require(manifest.is_object() && manifest.contains("replay"), where,
          ": does not say how to run the run again; it was written by an older version of afina");
  const Json& json = manifest.at("replay");
  const std::string at = where + ": replay";
  Replay replay;
  each_of_model(replay.model, reader(member(json, "model", at), at));
  each_of_data(replay.data, reader(member(json, "data", at), at));
  each_of_run(replay.run, reader(member(json, "run", at), at));
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
