// Parsing of command lines and INI files.
#include "tools/options/options.h"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <sstream>

#include "engine/bf16_sums.h"
#include "engine/files/atomic_file.h"
#include "engine/isa.h"
#include "engine/nearest.h"
#include "engine/packed.h"
#include "engine/threads.h"
#include "tools/foresight/room.h"
#include "tools/options/kernel_options.h"

namespace afina {

namespace po = boost::program_options;

Options::Options(std::string command, std::string intro)
    : command_(std::move(command)), intro_(std::move(intro)) {
  auto in_general = group("General").add_options();
  in_general("help,h", "print this text");
  in_general("config", po::value(&config_),
             "INI file: each line option = value, as here without the dashes");
  in_general("threads", po::value(&threads_)->default_value(0, "all cores"),
             "threads to compute with; the results do not depend on it");
  in_general("memory-limit", po::value(&memory_limit_),
             "stop with an error rather than hold more than this, as 8G or 512M; also without it, "
             "no more than the cgroup allows or "
             "the machine has free. none: no limit at all");
  in_general("kernel", po::value<std::vector<std::string>>(),
             "slot=variant: which kernel of a GPU runs where it can, such as attention=flash or "
             "matmul=cublas; may be given more than once");
  in_general(
      "repeat", po::value<std::string>(),
      "manifest.json of an earlier run: libraries use the algorithms again that they chose then");
}

OptionGroup& Options::group(const std::string& title) {
  groups_.push_back(std::make_unique<OptionGroup>(title, 100));
  return *groups_.back();
}

namespace {

[[noreturn]] void explain(const std::string& command, const std::string& what,
                          const std::string& where = "") {
  std::string text = where.empty() ? "afina " + command + ": " + what : where + ": " + what;
  throw UsageError(text + "; see 'afina " + command + " --help'");
}
[[noreturn]] void unknown(const std::string& command, const OptionGroup& known,
                          const std::string& name, const std::string& where = "") {
  std::vector<std::string> names;
  for (auto& option : known.options()) names.push_back(option->long_name());
  std::string bare = name.substr(std::min(name.size(), name.find_first_not_of('-'))),
              close = nearest_word(bare, names);
  explain(
      command,
      "unknown option '" + name + "'" + (close.empty() ? "" : "; did you mean '" + close + "'?"),
      where);
}

}  // namespace

namespace {

// What a po::error says. Boost puts a value into the place "%value%" of its message again and again
// for as long as there is one: for ever, where the value has these words in it. So values go
// without their percent signs meanwhile.
struct Named : po::error_with_option_name {
  static std::map<std::string, std::string>& words(po::error_with_option_name& e) {
    return e.*(&Named::m_substitutions);
  }
};
std::string said_by(po::error& e) {
  constexpr char stand_in = '\1';
  if (auto* named = dynamic_cast<po::error_with_option_name*>(&e))
    for (auto& [place, word] : Named::words(*named))
      std::replace(word.begin(), word.end(), '%', stand_in);
  std::string text = e.what();
  std::replace(text.begin(), text.end(), stand_in, '%');
  return text;
}

}  // namespace

void store_ini(po::variables_map& values, const OptionGroup& known, const std::string& text,
               const std::string& path, const std::string& command) {
  try {
    std::istringstream lines(text);
    po::store(po::parse_config_file(lines, known), values);
  } catch (const po::unknown_option& e) {
    unknown(command, known, e.get_option_name(), path);
  } catch (po::error& e) { explain(command, said_by(e), path); }
}

void Options::add_all_to(OptionGroup& all) const {
  for (auto& group : groups_) all.add(*group);
}

bool Options::parse(const std::vector<std::string>& words) {
  OptionGroup all;
  add_all_to(all);
  try {
    auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional({}).style(style).run(),
              values_);
    if (values_.count("help")) {
      std::cout << "Usage: afina " << command_ << " [options]\n\n"
                << intro_ << "\n\n"
                << all << "\n";
      return false;
    }
    if (values_.count("config")) {
      std::string path = values_["config"].as<std::string>();
      store_ini(values_, all, read_text_file(path, 1 << 20), path, command_);
    }
    po::notify(values_);
  } catch (const po::unknown_option& e) {
    unknown(command_, all, e.get_option_name());
  } catch (const po::too_many_positional_options_error&) {
    explain(command_, "a word that belongs to no option; every value follows its --option");
  } catch (po::error& e) { explain(command_, said_by(e)); }
  require(threads_ >= 0 && threads_ <= 1024, "--threads ", threads_,
          ": expected 1 to 1024, or 0 for all cores");
  if (threads_ > 0) set_thread_count(threads_);
  hold_memory_room(memory_room(memory_limit_));
  if (values_.count("kernel")) prefer_kernels(values_["kernel"].as<std::vector<std::string>>());
  if (values_.count("repeat")) repeat_choices(values_["repeat"].as<std::string>());
  isa();  // a wrong AFINA_ISA is said before any work
  flush_denormals();
  return true;
}

bool Options::given(const std::string& name) const {
  return values_.count(name) && !values_[name].defaulted();
}

std::map<std::string, std::string> Options::in_force() const {
  std::map<std::string, std::string> out;
  for (auto& [name, value] : values_) {
    const boost::any& held = value.value();
    std::ostringstream text;
    text.precision(12);
    if (auto* s = boost::any_cast<std::string>(&held)) text << *s;
    else if (auto* i = boost::any_cast<int64_t>(&held)) text << *i;
    else if (auto* n = boost::any_cast<int>(&held)) text << *n;
    else if (auto* u = boost::any_cast<uint64_t>(&held)) text << *u;
    else if (auto* d = boost::any_cast<double>(&held)) text << *d;
    else if (auto* b = boost::any_cast<bool>(&held)) text << (*b ? "true" : "false");
    else if (auto* all = boost::any_cast<std::vector<std::string>>(&held))
      for (auto& one : *all) text << (text.tellp() > 0 ? " " : "") << one;
    else continue;
    out[name] = text.str();
  }
  return out;
}

namespace {
// A value among a few, checked where it is used.
template <class T>
T choice(const std::string& option, const std::string& text,
         std::initializer_list<std::pair<const char*, T>> known) {
  std::string list;
  for (auto& [name, value] : known) {
    if (text == name) return value;
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  throw UsageError("--" + option + " '" + text + "': expected one of " + list);
}
}  // namespace

void ModelOptions::add_to(Options& options) {
  auto in_model = options.group("Model").add_options();
  in_model("model,m", po::value(&path)->required(), "Hugging Face folder or .gguf file");
  in_model("dtype", po::value(&dtype)->default_value(dtype),
           "f32; bf16 (matrices and activations in bf16; masters, moments and gradients in f32); "
           "or bf16-tiles: the same with products summed "
           "in the order of AMX, several times faster on processors that have it. Each has bits of "
           "its own, the same on every machine");
  in_model("checkpoint", po::value(&checkpoint)->default_value(checkpoint),
           "none; mlp: keep half of a block and compute the MLP's first products again for its "
           "gradient; block: keep a block's input only and "
           "run the block again");
  in_model("pack-frozen", po::value(&pack_frozen)->default_value(pack_frozen),
           "on: keep frozen matrices in the matmul's own form as well; some per cent faster, twice "
           "more memory for them");
  in_model("init", po::bool_switch(&init),
           "pretrain: begin with random weights made from --seed; only config.json and the "
           "tokenizer are read");
  in_model("device", po::value(&device)->default_value(device), device_help);
}
Device parse_device(const std::string& text) {
  int wanted = choice<int>("device", text,
                           {{"auto", -1},
                            {"cpu", int(Device::cpu)},
                            {"cuda", int(Device::cuda)},
                            {"emulated", int(Device::emulated)}});
  if (wanted < 0 && present(Device::cuda)) return Device::cuda;
  if (wanted < 0) {
    static const bool said = built_for(Device::cuda) && std::cerr << "afina: on the CPU, as "
                                                                  << why_absent(Device::cuda)
                                                                  << "\n";
    (void)said;
    return Device::cpu;
  }
  if (const char* why = why_absent(Device(wanted)))
    throw UsageError("--device " + text + ": " + why);
  return Device(wanted);
}
Dtype parse_dtype(const std::string& text) {
  enum { f32, pairs, tiles };
  int wanted = choice<int>("dtype", text, {{"f32", f32}, {"bf16", pairs}, {"bf16-tiles", tiles}});
  if (wanted == f32) return Dtype::f32;
  set_bf16_sums(wanted == tiles ? Bf16Sums::tiles : Bf16Sums::pairs);
  return Dtype::bf16;
}
const char* word_of(Dtype dtype) {
  return dtype == Dtype::bf16 && bf16_sums() == Bf16Sums::tiles ? "bf16-tiles" : name(dtype);
}
Device ModelOptions::parsed_device() const { return parse_device(device); }
Device ModelOptions::foreseen_device() const {
  for (Device gpu : {Device::cuda, Device::emulated})
    if (device == name(gpu) && built_for(gpu)) return gpu;
  return parsed_device();
}
Dtype ModelOptions::parsed_dtype() const {
  pack_constants(choice<bool>("pack-frozen", pack_frozen, {{"off", false}, {"on", true}}));
  if (dtype == "bf16-tiles" && foreseen_device() != Device::cpu)
    throw UsageError(
        "--dtype bf16-tiles is an order of sums of the CPU; a GPU has its own: --dtype bf16");
  return parse_dtype(dtype);
}
Checkpointing ModelOptions::parsed_checkpoint() const {
  return choice<Checkpointing>("checkpoint", checkpoint,
                               {{"none", Checkpointing::none},
                                {"mlp", Checkpointing::mlp},
                                {"block", Checkpointing::block}});
}

void DataOptions::add_to(Options& options, bool needed) {
  auto in_data = options.group("Data").add_options();
  auto files = po::value(&data);
  if (needed) files->required();
  in_data("data", files, "training records: .jsonl, .json or .txt; may be given more than once");
  in_data("eval", po::value(&eval),
          "records to measure on; without it some of --data are held out");
  in_data("retain", po::value(&retain), "general text: how much of it is forgotten is measured");
  in_data(
      "format", po::value(&format),
      "prompt, alpaca, messages, sharegpt or text; found out from the first record when not given");
  in_data("fields", po::value(&fields),
          "what the fields are called in the file: prompt=question,completion=answer");
  in_data("template", po::value(&chat_template),
          "chat template by name; the model's own when not given");
  in_data("train-on", po::value(&train_on)->default_value(train_on),
          "answers (all assistant turns), last (the last one) or all (prompts too)");
  in_data("length", po::value(&length)->default_value(length), "longest row, in tokens");
  in_data("pack", po::value(&packing)->default_value(packing),
          "on: short records share a row, isolated from each other; off: one a row, padded");
  in_data("on-too-long", po::value(&on_too_long)->default_value(on_too_long),
          "error, cut or skip: what to do with records longer than --length");
  in_data("on-problem", po::value(&on_problem)->default_value(on_problem),
          "error or skip: what to do with records that have nothing to train on");
  in_data("limit", po::value(&limit)->default_value(limit, "all"),
          "use at most so many records of --data");
  in_data("held-out", po::value(&held_out)->default_value(held_out, "a tenth, at most 200"),
          "records of --data held out when there is no --eval");
  in_data("eval-rows", po::value(&eval_rows)->default_value(eval_rows),
          "held-out records for each of choosing and the final figures, at most");
  in_data("retain-tokens", po::value(&retain_tokens)->default_value(retain_tokens),
          "tokens of --retain that are used, at most");
}
SampleOptions DataOptions::samples() const {
  SampleOptions o;
  require(length >= 2, "--length ", length, ": expected at least 2");
  o.length = length + length % 2;
  o.train_on = choice<TrainOn>("train-on", train_on,
                               {{"answers", TrainOn::answers},
                                {"last", TrainOn::last_answer},
                                {"all", TrainOn::everything}});
  o.on_problem = choice<OnProblem>("on-problem", on_problem,
                                   {{"error", OnProblem::error}, {"skip", OnProblem::skip}});
  o.on_too_long = choice<OnTooLong>(
      "on-too-long", on_too_long,
      {{"error", OnTooLong::error}, {"cut", OnTooLong::cut}, {"skip", OnTooLong::skip}});
  choice<int>("pack", packing, {{"on", 1}, {"off", 0}});
  return o;
}
ExampleOptions DataOptions::examples() const {
  return {format, fields.empty() ? FieldNames{} : parse_fields(fields), limit};
}

namespace {
// 0.1, where the library would show 0.10000000000000001.
std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}
}  // namespace

void RunOptions::add_to(Options& options) {
  auto in_training = options.group("Training").add_options();
  in_training("steps", po::value(&steps)->default_value(steps), "updates");
  in_training("batch", po::value(&batch)->default_value(batch), "rows of a micro-batch");
  in_training("accumulate", po::value(&accumulate)->default_value(accumulate),
              "micro-batches of a step; 8 x 1, 4 x 2 and 1 x 8 give the same bits");
  in_training("seed", po::value(&seed)->default_value(seed), "of data order, adapters and dropout");
  in_training("schedule", po::value(&schedule)->default_value(schedule),
              "cosine, linear or constant");
  in_training("warmup", po::value(&warmup)->default_value(warmup, "a twentieth of the steps"),
              "steps of rising rate");
  in_training("floor", po::value(&floor)->default_value(floor, shortest(floor)),
              "share of the peak rate left at the end");
  in_training("weight-decay",
              po::value(&weight_decay)->default_value(weight_decay, shortest(weight_decay)),
              "decoupled, on matrices only");
  in_training("clip", po::value(&clip)->default_value(clip, shortest(clip)),
              "greatest norm of the gradient; 0: none");
  in_training("apply-as-you-go", po::bool_switch(&apply_as_you_go),
              "move each weight as soon as its gradient is whole, so that gradients are never all "
              "held; the same bits; needs --clip 0 and "
              "--accumulate 1");
  in_training("graph", po::value(&graph)->default_value(graph),
              "on, off or auto (on for cuda): capture a step of each shape as a graph and replay "
              "it; the same bits");
  in_training("beta1", po::value(&beta1)->default_value(beta1, shortest(beta1)), "of AdamW");
  in_training("beta2", po::value(&beta2)->default_value(beta2, shortest(beta2)), "of AdamW");
  in_training("eps", po::value(&eps)->default_value(eps, shortest(eps)), "of AdamW");
  in_training("optimizer", po::value(&optimizer)->default_value(optimizer), "adamw");
  in_training("eval-every",
              po::value(&eval_every)->default_value(eval_every, "a tenth of the steps"),
              "steps between looks at the held-out rows");
  in_training("save-every", po::value(&save_every)->default_value(save_every, "only at the end"),
              "steps between checkpoints to resume from");
  in_training("store", po::value(&store),
              "f32 or bf16: how a fully fine-tuned model is stored; as --dtype when not given");
  in_training("generations", po::value(&samples)->default_value(samples),
              "prompts answered before and after, for the report");
}
TrainOptions RunOptions::train(double lr) const {
  require(steps > 0, "--steps ", steps, ": expected at least 1");
  require(batch > 0 && accumulate > 0, "--batch ", batch, " and --accumulate ", accumulate,
          ": expected at least 1");
  require(store.empty() || store == "f32" || store == "bf16", "--store '", store,
          "': expected f32 or bf16");
  require(lr > 0., "the learning rate ", lr, " must be positive");
  TrainOptions o;
  o.schedule = {lr, steps, warmup >= 0 ? warmup : (steps + 19) / 20, parse_decay(schedule), floor};
  o.optimizer = {optimizer, beta1, beta2, eps, weight_decay};
  o.clip = clip;
  o.apply_as_you_go = apply_as_you_go;
  o.graphs = choice<GraphUse>(
      "graph", graph,
      {{"on", GraphUse::on}, {"off", GraphUse::off}, {"auto", GraphUse::automatic}});
  require(!apply_as_you_go || accumulate == 1,
          "--apply-as-you-go moves weights while the gradients come, which must be those of the "
          "whole step; ",
          "use --accumulate 1, not ", accumulate);
  require(!apply_as_you_go || clip == 0.,
          "--apply-as-you-go moves weights before the norm of the whole gradient is known, so that "
          "it cannot be ",
          "clipped to ", clip, "; add --clip 0");
  return o;
}

void ComparisonOptions::add_to(Options& options, bool out_needed, const std::string& out_help) {
  auto in_comparison = options.group("Comparison").add_options();
  in_comparison("method", po::value(&methods),
                "a method with its options; once for each. full, "
                "lora:rank=8,alpha=16,targets=all,dropout=0,lr=...");
  in_comparison("lr", po::value(&lr), "learning rate of methods that do not name one");
  in_comparison("seeds", po::value(&seeds)->default_value(seeds),
                "runs of each method, with consecutive seeds");
  auto folder = po::value(&out);
  if (out_needed) folder->required();
  in_comparison("out,o", folder, out_help.c_str());
  in_comparison(
      "resume", po::bool_switch(&resume),
      "go on with what --out holds: finished runs are kept, the interrupted one continues");
  in_comparison("keep-models", po::value(&keep_models)->default_value(keep_models),
                "store fully fine-tuned models (adapters always are)");
  in_comparison("title", po::value(&title), "of the report");
}

}  // namespace afina
