// Measuring this machine: matrix products one by one, everything else in short training steps; and
// the cache of what was found.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <ostream>

#include "engine/bf16_sums.h"
#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json_value.h"
#include "engine/isa.h"
#include "engine/primitives.h"
#include "engine/threads.h"
#include "tools/foresight/predict.h"
#include "tools/foresight/speed.h"
#include "tools/options/memory_limit.h"
#include "tools/results/machine.h"
#include "tools/runs/step.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

// The quickest of several calls; of slow ones the first is enough.
double seconds_of(const std::function<void()>& call) {
  double least = 1e9, spent = 0;
  for (int i = 0; i < 20 && (i < 3 || spent < 0.012) && spent < 0.1; ++i) {
    double start = seconds_now();
    call();
    double took = seconds_now() - start;
    least = std::min(least, took);
    spent += took;
  }
  return std::max(least, 1e-7);
}

Tensor zeros(int64_t rows, int64_t columns, Dtype dtype) {
  return Tensor::zeros({rows, columns}, dtype);
}

// Weights that cost no time to make.
struct Zeros : WeightSource {
  void read(Parameter& into) override {
    into.value.zero();
    if (into.master) into.master.zero();
    into.settle();
  }
  bool has(const std::string&) const override { return true; }
};

struct Trial {
  int64_t dim, heads, kv_heads, ffn_dim, vocabulary, rows, length;
};
// As the embedded model, and in the proportions of SmolLM2-135M.
constexpr Trial trials[] = {{128, 4, 2, 384, 2048, 4, 128}, {576, 9, 3, 1536, 4096, 2, 256}};

RunShape shape_of(const Trial& t, Dtype dtype) {
  Json json{{"model_type", "llama"},          {"hidden_act", "silu"},
            {"hidden_size", t.dim},           {"num_hidden_layers", 2},
            {"num_attention_heads", t.heads}, {"num_key_value_heads", t.kv_heads},
            {"intermediate_size", t.ffn_dim}, {"vocab_size", t.vocabulary},
            {"max_position_embeddings", 256}, {"rms_norm_eps", 1e-5},
            {"rope_theta", 10000.},           {"tie_word_embeddings", true}};
  RunShape shape;
  shape.config = parse_config(json, "trial");
  shape.model.dtype = precision_in_force(dtype);
  shape.run.batch = t.rows;
  shape.data.length = t.length;
  shape.train = full_rows(t.rows, t.length, t.vocabulary);
  return shape;
}

constexpr int64_t timed_steps = 2;

// What measuring one dtype may take: seconds of products, and of steps on one trial.
constexpr double most_of_products = 1., most_of_a_trial = 1.;

// FLOPs of the steps on a trial: both methods, a step to warm up and the timed ones. Six for each
// weight and token, forward and backward; the tied head counts.
double flops_of(const Trial& t) {
  const double attention = double(t.dim * t.dim) * (2. + 2. * double(t.kv_heads) / double(t.heads)),
               weights =
                   2. * (attention + 3. * double(t.dim * t.ffn_dim)) + double(t.dim * t.vocabulary);
  return 2. * (1 + timed_steps) * 6. * weights * double(t.rows * t.length);
}

// The same trial with fewer rows, shorter ones and a smaller vocabulary, until it takes no more.
Trial within(Trial t, double most_flops) {
  while (t.rows > 1 && flops_of(t) > most_flops) t.rows /= 2;
  while (t.length > 32 && flops_of(t) > most_flops) t.length /= 2;
  while (t.vocabulary > 512 && flops_of(t) > most_flops) t.vocabulary /= 2;
  return t;
}

// Seconds that a FLOP of a small product takes.
double probe(Dtype dtype) {
  Tensor x = zeros(64, 128, dtype), w = zeros(128, 128, dtype), y = zeros(64, 128, dtype);
  return seconds_of([&] { kernel::matmul(y, x, w, false, true, false, Tensor()); }) /
         (2. * 64 * 128 * 128);
}

// Seconds for a byte that is written to for the first time, by all threads, less those for writing
// it again. What another process has just given back is quick, and there may be 1 GiB of it: in a
// virtual machine the host has still to provide the rest, and that can take 20 times as long. So
// much is written, until the rest is reached, and the upper quartile of its parts counts; less
// where there is little room, or where all of it is slow.
double new_byte() {
  trim_memory();
  constexpr int64_t part = 32 << 20, piece = 1 << 20;
  constexpr double most_seconds = 1.2;
  std::vector<Tensor> held;
  std::vector<double> seconds;
  const int64_t parts =
      std::min<int64_t>(64, find_memory_limit("", "", Device::cpu).bytes / 4 / part);
  const double start = seconds_now();
  for (int64_t i = 0; i < parts && seconds_now() - start < most_seconds; ++i) {
    try {
      held.emplace_back(Shape{part / 4}, Dtype::f32);
    } catch (const Error&) { break; }  // --memory-limit
    char* data = reinterpret_cast<char*>(held.back().data<float>());
    auto write = [&] {
      const double begin = seconds_now();
      parallel_for(part, piece, [&](int64_t from, int64_t to) {
        std::memset(data + from, 1, size_t(to - from));
      });
      return seconds_now() - begin;
    };
    const double first = write(), again = write();
    seconds.push_back(std::max(0., first - again) / double(part));
  }
  if (seconds.empty()) return 0;
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() * 3 / 4];
}

// One step to warm up, then timed ones, each told by `begin` and `end`.
template <class Begin, class End>
void steps_on(Device device, const RunShape& shape, const char* method, Begin begin, End end) {
  Zeros weights;
  Dtype dtype = matrix_dtype(shape.model.dtype);
  auto model = build_model(shape.config, weights, make_method(parse_method(method)),
                           {dtype, device, 1, Checkpointing::none});
  Trainer trainer(model->parameters->trained(), shape.run.train(1e-4), model->method.get());
  BatchSource source(*shape.train, batch_options(shape.run, shape.data, 1));
  for (int64_t step = 0; step <= timed_steps; ++step) {
    if (step == 1) begin();
    train_on(source.next_step(step), *model, trainer, 1, step);
  }
  end();
}

// Load for each of our threads: with more of it others take their share of the machine, with less
// they do not. So far apart that a minute of waiting does not lead from one to the other.
constexpr double busy_above = 0.9, idle_below = 0.3;

double load_each() { return load_average() / double(thread_count()); }

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct Seen {
  double work = 0, calls = 0, seconds = 0;
};

}  // namespace

void Speed::measure_products(Dtype dtype, double seconds_each_flop) {
  // (tokens, out, in), as linear layers, adapters and heads have them.
  const int64_t layers[][3] = {{1024, 576, 576}, {1024, 1536, 576}, {512, 576, 1536},
                               {1024, 192, 576}, {1024, 16, 576},   {1024, 576, 16},
                               {512, 4096, 576}, {1024, 128, 128},  {1024, 384, 128},
                               {256, 128, 384},  {1024, 16, 128},   {256, 64, 128}};
  // Three forms, three calls each; fewer tokens where that would take too long.
  double flops = 0;
  for (auto& [tokens, out, in] : layers) flops += 3 * 3 * 2. * double(tokens * out * in);
  int64_t shrink = 1;
  while (shrink < 32 && flops * seconds_each_flop > most_of_products * double(shrink)) shrink *= 2;
  std::vector<Product> nt, nn, tn;
  for (auto& [all_tokens, out, in] : layers) {
    const int64_t tokens = all_tokens / shrink;
    Tensor x = zeros(tokens, in, dtype), w = zeros(out, in, dtype), y = zeros(tokens, out, dtype),
           dw = zeros(out, in, Dtype::f32);
    auto time = [&](Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool add) {
      return seconds_of([&] { kernel::matmul(c, a, b, ta, tb, add, Tensor()); });
    };
    nt.push_back({double(tokens), double(out), double(in), time(y, x, w, false, true, false)});
    nn.push_back({double(tokens), double(in), double(out), time(x, y, w, false, false, false)});
    tn.push_back({double(out), double(in), double(tokens), time(dw, y, x, true, false, true)});
  }
  std::string kind = name(dtype);
  products_[kind + " NT"] = fit(nt);
  products_[kind + " NN"] = fit(nn);
  products_[kind + " TN"] = fit(tn);
}

Speed::Between Speed::measure_steps(Dtype dtype, double seconds_each_flop) {
  Between between;
  for (const Trial& whole : trials) {
    const Trial trial = within(whole, most_of_a_trial / seconds_each_flop);
    // One size is enough where a second one would take too long.
    if (&whole != &trials[0] && flops_of(trial) * seconds_each_flop > 2. * most_of_a_trial)
      continue;
    std::map<std::string, Seen> seen;
    RunShape shape = shape_of(trial, dtype);
    for (const char* method : {"full", "lora:rank=16,dropout=0.05"}) {
      double start = 0, wall = 0, kernels = 0;
      steps_on(
          Device::cpu, shape, method,
          [&] {
            profile(true);
            start = seconds_now();
          },
          [&] {
            wall = seconds_now() - start;
            profile(false);
          });
      for (auto& [slot, time] : profile_times()) {
        seen[slot].seconds += time.seconds;
        kernels += time.seconds;
        between.calls += double(time.calls);
      }
      between.seconds += std::max(0., wall - kernels);
      std::unique_ptr<CallObserver> observer;
      auto note = [&](const KernelCall& call) {
        Seen& one = seen[call.slot.name()];
        one.work += work(call);
        ++one.calls;
      };
      steps_on(
          Device::shapes, shape, method, [&] { observer = std::make_unique<CallObserver>(note); },
          [&] { observer.reset(); });
    }
    for (auto& [slot, one] : seen)
      if (one.work > 0 && one.seconds > 0)
        slots_[slot + " " + name(dtype)].push_back({one.work / one.calls, one.seconds / one.work});
  }
  return between;
}

Speed Speed::measure() {
  Speed speed;
  speed.load_ = load_each();
  speed.new_byte_ = new_byte();
  Between between;
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    const double each = probe(dtype);
    speed.measure_products(dtype, each);
    const Between more = speed.measure_steps(dtype, each);
    between.seconds += more.seconds;
    between.calls += more.calls;
  }
  speed.between_ = between.calls > 0 ? between.seconds / between.calls : 0;
  for (const char* kind : {"f32", "bf16"})  // for kernels that these steps do not call
    if (auto like = speed.slots_.find(std::string("rmsnorm ") + kind); like != speed.slots_.end())
      speed.slots_[std::string("other ") + kind] = like->second;
  speed.measured_ = seconds_since_1970();
  trim_memory();
  return speed;
}

std::string Speed::described() const {
  const double age = std::max(0., seconds_since_1970() - measured_);
  std::string text = "the speed of this machine as measured ";
  if (age < 120) text += "just now";
  else if (age < 2 * 3600) text += counted(int64_t(age / 60), "minute") + " ago";
  else if (age < 2 * 86400) text += counted(int64_t(age / 3600), "hour") + " ago";
  else text += counted(int64_t(age / 86400), "day") + " ago";
  if (load_ > busy_above)
    text += ", when other programs used it too; it is measured again when they do not";
  return text;
}

namespace {

std::string cache_file() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return std::string(cache) + "/afina/profile.json";
  return home && *home ? std::string(home) + "/.cache/afina/profile.json" : "";
}

// What the times depend on.
std::string key_of_this_machine() {
  Machine m = this_machine();
  return m.cpu + ", " + m.isa + ", " + std::to_string(m.threads) + " threads, afina " + version() +
         (bf16_sums() == Bf16Sums::tiles ? ", bf16-tiles" : "");
}

OrderedJson read_cache(const std::string& file) {
  std::error_code ignored;
  if (file.empty() || !fs::exists(file, ignored)) return OrderedJson::object();
  try {
    OrderedJson json = OrderedJson::parse(read_text_file(file, 1 << 24));
    if (json.is_object()) return json;
  } catch (const std::exception&) {}
  return OrderedJson::object();  // damaged: it is measured and written again
}

// A cache that cannot be written is no reason to stop.
void write_cache(const std::string& file, const OrderedJson& json) {
  if (file.empty()) return;
  try {
    fs::create_directories(fs::path(file).parent_path());
    write_text_file(file, json.dump(1) + "\n");
  } catch (const std::exception&) {}
}

}  // namespace

const Speed* Speed::here(std::ostream& out, Device device) {
  if (device != Device::cpu) return nullptr;
  const char* asked = std::getenv("AFINA_PROFILE");
  if (asked && std::string(asked) == "off") return nullptr;
  static std::map<std::string, Speed> known;
  std::string key = key_of_this_machine(), file = cache_file();
  if (auto found = known.find(key); found != known.end()) return &found->second;
  OrderedJson cache = read_cache(file);
  try {
    if (cache.contains(key) && !(asked && std::string(asked) == "new")) {
      const Speed kept = from_json(cache[key]);
      if (kept.load_ <= busy_above || load_each() >= idle_below) return &(known[key] = kept);
      out << "The speed of this machine was measured when other programs used it, and they do no "
             "longer.\n";
    }
  } catch (const Error&) {  // of an older form
  }
  out << "Measuring once how fast this machine computes, to predict times; this takes some seconds"
      << (file.empty() ? "" : " (saved in " + file + ")") << "\n"
      << std::flush;
  try {
    known[key] = measure();
  } catch (const Error&) { return nullptr; }  // no room for it: no times then
  cache[key] = known[key].json();
  write_cache(file, cache);
  return &known[key];
}

}  // namespace afina
