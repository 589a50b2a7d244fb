// Groups of options that several commands share, each option declared once.
#pragma once
#include "data/batches.h"
#include "engine/train/trainer.h"
#include "model/model.h"
#include "tools/options/compute.h"
#include "tools/options/fields.h"

namespace afina {

template <>
struct WordList<Checkpointing> {
  static constexpr std::pair<const char*, Checkpointing> all[] = {
      {"none", Checkpointing::none}, {"mlp", Checkpointing::mlp}, {"block", Checkpointing::block}};
};
template <>
struct WordList<TrainOn> {
  static constexpr std::pair<const char*, TrainOn> all[] = {
      {"answers", TrainOn::answers}, {"last", TrainOn::last_answer}, {"all", TrainOn::everything}};
};
template <>
struct WordList<OnProblem> {
  static constexpr std::pair<const char*, OnProblem> all[] = {{"error", OnProblem::error},
                                                              {"skip", OnProblem::skip}};
};
template <>
struct WordList<OnTooLong> {
  static constexpr std::pair<const char*, OnTooLong> all[] = {
      {"error", OnTooLong::error}, {"cut", OnTooLong::cut}, {"skip", OnTooLong::skip}};
};
template <>
struct WordList<TextEncoding> {
  static constexpr std::pair<const char*, TextEncoding> all[] = {
      {"auto", TextEncoding::automatic},   {"utf-8", TextEncoding::utf8},
      {"utf-16le", TextEncoding::utf16le}, {"utf-16be", TextEncoding::utf16be},
      {"latin-1", TextEncoding::latin1},   {"windows-1252", TextEncoding::windows1252}};
};
template <>
struct WordList<Decay> {
  static constexpr std::pair<const char*, Decay> all[] = {
      {"cosine", Decay::cosine}, {"linear", Decay::linear}, {"constant", Decay::constant}};
};
// When a run looks at what it has changed in the weights (model/change.h).
enum class Watch : uint8_t { automatic, off, end, on };
template <>
struct WordList<Watch> {
  static constexpr std::pair<const char*, Watch> all[] = {
      {"auto", Watch::automatic}, {"off", Watch::off}, {"end", Watch::end}, {"on", Watch::on}};
};
template <>
struct WordList<GraphUse> {
  static constexpr std::pair<const char*, GraphUse> all[] = {
      {"on", GraphUse::on}, {"off", GraphUse::off}, {"auto", GraphUse::automatic}};
};

// The model that is trained, and how it is computed.
struct ModelOptions {
  std::string path, adapter;
  Precision dtype = Precision::f32;
  BaseForm base = BaseForm::plain;
  OnOff base_ends = OnOff::off;
  Checkpointing checkpoint = Checkpointing::none;
  DeviceChoice device = DeviceChoice::automatic;
  OnOff pack_frozen = OnOff::off;
  bool init = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("model,m", o.path, Bits::content, "Hugging Face folder or .gguf file",
      required.naming(Names::files));
    v("dtype", o.dtype, Bits::follow,
      "precision: f32; bf16 (matrices and activations in bf16; master weights, moments and "
      "gradients in f32); or bf16-tiles (the same, with products summed in the order of AMX: "
      "several times faster on processors that have it). Their results differ bitwise from each "
      "other, and are the same on every machine");
    v("base", o.base, Bits::follow, base_help);
    v("base-ends", o.base_ends, Bits::follow, base_ends_help);
    v("checkpoint", o.checkpoint, Bits::keep,
      "activation checkpointing, which saves memory: none; mlp (save half of a block and recompute "
      "the MLP's first products in the backward pass); block (save a block's input alone and "
      "recompute the block)");
    v("device", o.device, Bits::special, device_help);
    v("pack-frozen", o.pack_frozen, Bits::keep,
      "on: hold frozen matrices in the matmul's own layout as well, which is 3 to 10 % faster and "
      "takes two to three times the memory for them; off");
    v("init", o.init, Bits::content,
      "pretrain: start from random weights made from --seed; only config.json and the tokenizer "
      "are read");
    v("adapter", o.adapter, Bits::content,
      "folder of an adapter to go on from, as 'afina train' and PEFT write them; its method is the "
      "run's",
      naming(Names::folders));
  }

  Device usable_device() const { return afina::usable_device(device); }
  Device predicted_device() const { return afina::predicted_device(device); }
  // A UsageError for what cannot be computed here, or in this precision.
  void check() const;
  BaseStorage storage() const { return base_storage(base, base_ends); }
  // How to build the model on a device.
  BuildOptions build(uint64_t seed, Device on) const;
  ComputeScope scope() const { return ComputeScope(dtype, pack_frozen); }
};

// How records become rows of tokens: shared by training, eval and show.
struct RecordOptions {
  std::string format, fields, delimiter, chat_template, date = TemplateChoice::default_date;
  TextEncoding encoding = TextEncoding::automatic;
  TrainOn train_on = TrainOn::answers;
  OnTooLong on_too_long = OnTooLong::error;
  OnProblem on_problem = OnProblem::error;
  int64_t length = 256, limit = -1;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("length", o.length, Bits::follow, "maximum length of a row, in tokens");
    v("train-on", o.train_on, Bits::content,
      "which tokens are targets: answers (all assistant turns), last (the last one) or all "
      "(prompts too)");
    v("format", o.format, Bits::content,
      "record format: alpaca, messages, prompt-completion, sharegpt or text; detected from the "
      "first record unless given",
      naming(Names::formats));
    v("fields", o.fields, Bits::content,
      "field names in the file, as in prompt=question,completion=answer; for one of several files "
      "FILE:prompt=..., with ; in front; rows=NAME is the list of records in a JSON object");
    v("encoding", o.encoding, Bits::content,
      "of text files: auto (UTF-8, or UTF-16 with a byte order mark), utf-8, utf-16le, utf-16be, "
      "latin-1 or windows-1252");
    v("delimiter", o.delimiter, Bits::content,
      "what stands between the fields of a CSV file: a character, or tab; a comma in .csv and a "
      "tab in .tsv files unless given");
    v("template", o.chat_template, Bits::content,
      "chat template: a Jinja file, one of the model's by name, or one of the built-in ones by "
      "name "
      "(chatml, llama-3, alpaca, plain, ...); the model's own unless given",
      naming(Names::templates));
    v("date", o.date, Bits::content,
      "the date that a chat template writes when it asks for today's, as YYYY-MM-DD");
    v("on-too-long", o.on_too_long, Bits::content,
      "what to do with records longer than --length: error, cut or skip");
    v("on-problem", o.on_problem, Bits::content,
      "what to do with records that cannot be read or have no target: error or skip");
    v("limit", o.limit, Bits::content, "maximum number of records to read", shown("all"));
  }

  // The length rounded up to an even number, and what to do with each record; an Error for a length
  // below 2.
  SampleOptions samples() const;
  // How to read this file. An Error for --fields that are not name=name.
  ExampleOptions examples(const std::string& path) const;
  // The template, or the one beside an adapter where none is named.
  TemplateChoice template_choice(const std::string& adapter = "") const {
    return {chat_template, adapter, date};
  }
};

// The rows of a training run: what is trained on and what is measured on.
struct DataOptions : RecordOptions {
  std::vector<std::string> data;  // several are read one after the other
  std::string eval, retain;
  OnOff packing = OnOff::on;
  static constexpr int64_t most_eval_rows = 64, most_retain_tokens = 16384;
  // -1: as many of these as measuring may take of a run (tools/runs/measuring.h), or all.
  int64_t held_out = -1, eval_rows = -1, retain_tokens = -1;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("data", o.data, Bits::content,
      "training records: .jsonl, .json, .csv, .tsv, .parquet or .txt, also with .gz or .zst; may "
      "be "
      "given more than once",
      required.naming(Names::files));
    v("eval", o.eval, Bits::content,
      "records to measure on; without it some of --data are held out", naming(Names::files));
    v("retain", o.retain, Bits::content,
      "general text, on which forgetting is measured: its loss before and after training",
      naming(Names::files));
    RecordOptions::each(o, v);
    v("pack", o.packing, Bits::follow,
      "on: short records share a row, isolated from each other; off: one record a row, padded");
    v("held-out", o.held_out, Bits::content,
      "number of records of --data to hold out when there is no --eval, at least 2",
      shown("a tenth, at most 200"));
    v("eval-rows", o.eval_rows, Bits::content,
      "maximum number of held-out records for choosing a learning rate, and as many for the final "
      "figures; fewer, down to 8, in a run so short that measuring would take more than 15 % of it",
      shown("at most 64"));
    v("retain-tokens", o.retain_tokens, Bits::content,
      "maximum number of tokens of --retain; fewer, down to 512, in a run so short",
      shown("at most 16384"));
  }

  // An Error for numbers that cannot be, and for --fields of a file that is not read.
  void check() const;
};

// How a run trains.
struct RunOptions {
  int64_t steps = 100, batch = 8, accumulate = 1, warmup = -1, eval_every = 0, save_every = 0,
          samples = 3;
  double epochs = 0;  // 0: `steps` counts; set to it where the data is read
  uint64_t seed = 1;
  Decay schedule = Decay::cosine;
  std::string optimizer = "adamw";
  std::optional<Dtype> store;
  GraphUse graph = GraphUse::automatic;
  Watch watch = Watch::automatic;
  bool apply_as_you_go = false, tensorboard = false;
  std::vector<std::string> rule;
  std::string rules;
  int64_t judge_rows = 64, judge_tokens = 256;
  double weight_decay = 0.01, clip = 1., beta1 = 0.9, beta2 = 0.999, eps = 1e-8, floor = 0.1;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("steps", o.steps, Bits::follow, "number of updates");
    v("epochs", o.epochs, Bits::special,
      "number of times that every training row is seen, in place of --steps, which is then said",
      shown(""));
    v("batch", o.batch, Bits::special, "rows of a micro-batch");
    v("accumulate", o.accumulate, Bits::special,
      "micro-batches accumulated in one update; batch x accumulate = 8 x 1, 4 x 2 and 1 x 8 give "
      "the same bits");
    v("seed", o.seed, Bits::special, "seeds data order, adapter initialisation and dropout");
    v("schedule", o.schedule, Bits::follow,
      "decay of the learning rate after the warmup: cosine, linear or constant");
    v("warmup", o.warmup, Bits::special, "number of steps in which the learning rate rises",
      shown("a twentieth of the steps"));
    v("floor", o.floor, Bits::follow,
      "share of the peak learning rate that is left in the last step");
    v("weight-decay", o.weight_decay, Bits::follow, "decoupled weight decay, of matrices only");
    v("clip", o.clip, Bits::follow,
      "maximum global norm of the gradient, which is scaled down to it; 0: no clipping");
    v("optimizer", o.optimizer, Bits::follow,
      "adamw, or adamw8: both moments in 8 bits, 2.03 bytes for each trained value in place of 8 "
      "(as bitsandbytes' AdamW8bit)",
      naming(Names::optimizers));
    v("beta1", o.beta1, Bits::follow, "AdamW: decay rate of the first moment");
    v("beta2", o.beta2, Bits::follow, "AdamW: decay rate of the second moment");
    v("eps", o.eps, Bits::follow, "AdamW: added to the square root of the second moment");
    v("eval-every", o.eval_every, Bits::keep,
      "number of steps between evaluations on the held-out rows; more in a run so short that "
      "measuring would take more than 15 % of it",
      shown("a tenth of the steps"));
    v("save-every", o.save_every, Bits::keep,
      "number of steps between checkpoints to resume from; without it one is written only when the "
      "run is interrupted",
      shown(""));
    v("tensorboard", o.tensorboard, Bits::keep,
      "write event files for TensorBoard into the folder of each run; see them by 'tensorboard "
      "--logdir OUT'");
    v("watch", o.watch, Bits::keep,
      "measure what training changed in the weights (norm, ranks, spectrum, intruder dimensions): "
      "at the end, on (at every evaluation too), off, or auto: at the end of the first seed where "
      "the model is so small that it takes seconds");
    v("generations", o.samples, Bits::keep,
      "number of prompts answered before and after training, shown in the report");
    v("rule", o.rule, Bits::keep,
      "judge answers to the held-out rows before and after training: exact (the expected answer) "
      "or number (its '#### n'); may be given more than once; see 'afina judge --help'",
      shown(""));
    v("rules", o.rules, Bits::keep, "the same by rules of a JSON file", naming(Names::files));
    v("judge-rows", o.judge_rows, Bits::keep, "maximum number of held-out rows that are judged");
    v("judge-tokens", o.judge_tokens, Bits::keep, "maximum number of tokens of a judged answer");
    v("store", o.store, Bits::keep,
      "dtype in which a fully fine-tuned model is stored: f32 or bf16; as --dtype unless given");
    v("apply-as-you-go", o.apply_as_you_go, Bits::keep,
      "update each weight as soon as its gradient is complete, so that gradients are never all "
      "held; the same bits; needs --clip 0 and --accumulate 1");
    v("graph", o.graph, Bits::keep,
      "on, off or auto (on for cuda): capture a step of each shape as a graph and replay it; the "
      "same bits");
  }

  // An Error for a number that is out of range.
  void check() const;
  // The trainer's options at a peak learning rate. Errors: counts below 1, a rate that is not
  // positive, --apply-as-you-go with clipping or accumulation.
  TrainOptions train(double lr) const;
  int64_t rows_per_step() const { return batch * accumulate; }
  // Steps of warmup, where none are given a twentieth of the steps.
  int64_t warmup_steps() const { return warmup >= 0 ? warmup : (steps + 19) / 20; }
};

// What is compared with what: shared by compare, and plan, which predicts what compare would do.
struct ComparisonOptions {
  std::vector<std::string> methods;
  std::optional<double> lr;
  int64_t seeds = 1;
  bool resume = false, keep_models = true;
  std::string out, title;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("method", o.methods, Bits::special,
      "a method with its options, as full or lora:rank=8,alpha=16,targets=all,dropout=0,lr=...; "
      "once for each method. name=... is what tables and report call it ('afina methods' lists "
      "all)",
      naming(Names::methods));
    v("lr", o.lr, Bits::special, "learning rate of the methods that do not name one");
    v("out,o", o.out, Bits::keep, "folder for everything that is written", naming(Names::folders));
    v("seeds", o.seeds, Bits::keep, "runs of each method, with consecutive seeds from --seed");
    v("resume", o.resume, Bits::keep,
      "continue what --out holds: finished runs are kept, the interrupted one goes on from its "
      "newest checkpoint");
    v("keep-models", o.keep_models, Bits::keep,
      "true: store fully fine-tuned models; false: only adapters are stored");
    v("title", o.title, Bits::keep, "title of the report");
  }
};

}  // namespace afina
