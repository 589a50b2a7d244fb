// The JSON of PEFT's method_comparison. An experiment is
//   run_info: created_at, experiment_name, train_config (model_id, dtype, batch_size, max_steps,
//     seed, optimizer_kwargs {lr}), peft_config (peft_type, ...; null for full fine-tuning)
//   train_info: accelerator_memory_max, accelerator_memory_reserved_avg, train_time, file_size,
//     num_trainable_params, num_total_params, status, metrics: a list with a member for each
//     evaluation ("step", "train time", "tokens / sec", "train loss", "valid accuracy") and a last
//     one for the test ("test accuracy", "train loss", "train samples", "train total tokens",
//     "forgetting")
//   meta_info: package_info {peft-version}, system_info {accelerator}
#include "tools/results/foreign.h"

namespace afina {
namespace {

// A value that may be missing or null.
template <class T>
std::optional<T> maybe(const Json& object, const std::string& key, const std::string& where) {
  const Json* found = find_member(object, key, where);
  if (!found) return {};
  return json_detail::convert<T>(*found, key, where);
}
// Of the first of these keys that is there.
std::optional<int64_t> first_of(const Json& object, std::initializer_list<const char*> keys,
                                const std::string& where) {
  for (const char* key : keys)
    if (auto value = maybe<int64_t>(object, key, where)) return value;
  return {};
}

void read_metrics(const Json& metrics, const std::string& where, ForeignResult& result) {
  require(metrics.is_array(), where, ": expected a list, found ", kind_of(metrics));
  double seconds = 0, tokens = 0;
  int64_t timed_to = 0;  // the last step whose time is known
  for (size_t i = 0; i < metrics.size(); i++) {
    const Json& metric = metrics[i];
    const std::string place = where + "[" + std::to_string(i) + "]";
    const int64_t step = get<int64_t>(metric, "step", place);
    result.steps = step;
    if (auto time = maybe<double>(metric, "train time", place)) {
      seconds += *time;
      tokens += *time * get<double>(metric, "tokens / sec", place);
      timed_to = step;
    }
    if (auto loss = maybe<double>(metric, "train loss", place)) result.train_loss = loss;
    if (auto samples = maybe<int64_t>(metric, "train samples", place)) result.samples = samples;
    if (auto all = maybe<int64_t>(metric, "train total tokens", place)) result.tokens = all;
    if (auto right = maybe<double>(metric, "test accuracy", place)) result.accuracy = right;
    if (auto lost = maybe<double>(metric, "forgetting", place)) result.forgetting = lost;
  }
  // Steps after the last evaluation are in no metric.
  if (seconds > 0 && timed_to == result.steps) result.training_seconds = seconds;
  if (seconds > 0) result.tokens_per_second = tokens / seconds;
}

}  // namespace

bool is_peft_result(const Json& json) {
  return json.is_object() && json.contains("run_info") && json.contains("train_info") &&
         json.contains("meta_info");
}

ForeignResult foreign_from_peft(const Json& json, const std::string& path) {
  const std::string of_run = path + ", run_info", of_train = path + ", train_info",
                    of_meta = path + ", meta_info", of_config = of_run + ".train_config";
  const Json &run = member(json, "run_info", path), &train = member(json, "train_info", path),
             &meta = member(json, "meta_info", path), &config = member(run, "train_config", of_run);
  const std::string status = get<std::string>(train, "status", of_train);
  require(status == "success", path, ": a run of status '", status,
          "', of which no figures count: ",
          get_or<std::string>(run, "error_msg", of_run, "no reason is given"));
  ForeignResult result;
  result.path = path;
  result.name = get<std::string>(run, "experiment_name", of_run);
  result.created = get_or<std::string>(run, "created_at", of_run, "");
  result.model = get<std::string>(config, "model_id", of_config);
  result.dtype = get_or<std::string>(config, "dtype", of_config, "");
  result.seed = maybe<int64_t>(config, "seed", of_config);
  result.batch = maybe<int64_t>(config, "batch_size", of_config);
  if (const Json* optimizer = find_member(config, "optimizer_kwargs", of_config))
    result.learning_rate = maybe<double>(*optimizer, "lr", of_config + ".optimizer_kwargs");
  const Json* peft = find_member(run, "peft_config", of_run);
  result.method = peft ? get<std::string>(*peft, "peft_type", of_run + ".peft_config")
                       : std::string("full fine-tuning");
  result.trained_parameters = get<int64_t>(train, "num_trainable_params", of_train);
  result.total_parameters = get<int64_t>(train, "num_total_params", of_train);
  result.storage_bytes = maybe<int64_t>(train, "file_size", of_train);
  // What PEFT writes when the file could not be stored.
  if (result.storage_bytes == 99999999) result.storage_bytes.reset();
  result.memory_peak = first_of(train, {"accelerator_memory_max", "cuda_memory_max"}, of_train);
  result.memory_mean =
      first_of(train, {"accelerator_memory_reserved_avg", "cuda_memory_reserved_avg"}, of_train);
  read_metrics(member(train, "metrics", of_train), of_train + ".metrics", result);
  std::string version;
  if (const Json* packages = find_member(meta, "package_info", of_meta))
    version = get_or<std::string>(*packages, "peft-version", of_meta + ".package_info", "");
  result.program = "PEFT" + (version.empty() ? "" : " " + version) + ", method_comparison";
  if (const Json* system = find_member(meta, "system_info", of_meta))
    for (const char* key : {"accelerator", "gpu"})
      if (result.machine.empty())
        result.machine = get_or<std::string>(*system, key, of_meta + ".system_info", "");
  return result;
}

}  // namespace afina
