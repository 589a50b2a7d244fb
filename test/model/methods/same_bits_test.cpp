// A method's training has the same bits however its steps are split, computed and interrupted:
// accumulation over micro-batches, checkpointing, threads, instruction sets, and resuming, for
// every method with the options that its card tries.
#include "engine/isa.h"
#include "engine/threads.h"
#include "engine/train/checkpoint.h"
#include "model/observe.h"
#include "model/words.h"
#include "test/model/methods/moved.h"
#include "test/scratch.h"

namespace afina {

std::vector<void (*)()>& case_makers();

namespace {

// What must show in no bit.
struct Way {
  const char* name = "as it is";
  int64_t rows_each = 2;  // of the two in a step
  Checkpointing checkpointing = Checkpointing::none;
  int threads = 1;
  bool simplest_isa = false, resumed = false;
};

// Sets threads and instruction set, and back.
class Machine {
 public:
  explicit Machine(const Way& way) {
    set_thread_count(way.threads);
    if (way.simplest_isa) set_isa(usable_isas().front());
  }
  ~Machine() {
    set_isa(isa_);
    set_thread_count(threads_);
  }
  Machine(const Machine&) = delete;

 private:
  Isa isa_ = isa();
  int threads_ = thread_count();
};

struct Training {
  std::unique_ptr<Model> model;
  std::unique_ptr<Trainer> trainer;
  Training(const std::string& spec, const std::string& base, const Batch& batch, Dtype dtype,
           const Way& way) {
    model = tiny_model(tiny_path(base), spec, {dtype, Device::cpu, 1, way.checkpointing});
    // What a method finds in the data depends on how it is shown, and a run always shows it alike.
    observe(*model, 1, std::llround(1. / batch.scale), [&](size_t) {
      Inputs all = batch.rows();
      all.training = false;
      return all;
    });
    TrainOptions options;
    options.schedule = {0.01, steps, 1, Decay::cosine, 0.1};
    trainer = std::make_unique<Trainer>(model->parameters->trained(), options, model->method.get());
  }
  static constexpr int steps = 3;
};

// The digest of three steps, and their losses.
std::string trained(const std::string& spec, const std::string& base, Dtype dtype, const Way& way) {
  const Machine machine(way);
  const Batch batch(base);
  ScratchFolder folder;
  auto training = std::make_unique<Training>(spec, base, batch, dtype, way);
  std::string said;
  for (int step = 0; step < Training::steps; ++step) {
    if (way.resumed && step == 2) {
      save_checkpoint(folder / "checkpoints", *training->trainer, Json::object());
      training = std::make_unique<Training>(spec, base, batch, dtype, way);
      BOOST_TEST(resume_checkpoint(folder / "checkpoints", *training->trainer).step == step);
    }
    const StepReport report = training->trainer->step(
        size_t(2 / way.rows_each), std::llround(1. / batch.scale), [&](size_t i, double scale) {
          Inputs inputs = batch.rows(int64_t(i) * way.rows_each, way.rows_each);
          inputs.step = step;
          return training->model->loss(inputs, scale);
        });
    said += number_text(report.loss) + " " + number_text(report.gradient_norm) + " ";
  }
  return said + digest_of(std::as_const(*training->model->parameters).trained());
}

void has_the_same_bits(const std::string& spec, const std::string& base, Dtype dtype) {
  const std::string expected = trained(spec, base, dtype, {});
  const Way all{"all at once", 1, Checkpointing::block, 3, true, true};
  if (trained(spec, base, dtype, all) == expected) return;
  BOOST_ERROR(spec << " on " << base << " in " << name(dtype) << ": other bits with "
                   << "micro-batches, checkpointing, threads, another instruction set, and a stop");
  for (const Way& way :
       {Way{"the same again"}, Way{"micro-batches", 1}, Way{"checkpointing", 2, all.checkpointing},
        Way{"three threads", 2, Checkpointing::none, 3},
        Way{"another instruction set", 2, Checkpointing::none, 1, true},
        Way{"a stop", 2, Checkpointing::none, 1, false, true}})
    BOOST_TEST(trained(spec, base, dtype, way) == expected, way.name);
}

void add_cases_of_methods() {
  using namespace boost::unit_test;
  test_suite* suite = BOOST_TEST_SUITE("methods_bits");
  for (auto& [name, entry] : methods())
    for (const std::string& spec : entry.card.tries)
      suite->add(make_test_case(
          [spec, fits = entry.card.fits] {
            for (const char* base : {"llama", "gpt2"}) {
              if (fits && !fits(*tiny_model(tiny_path(base))->parameters)) continue;
              for (Dtype dtype : {Dtype::f32, Dtype::bf16}) has_the_same_bits(spec, base, dtype);
            }
          },
          spec.substr(0, spec.find(',')), __FILE__, __LINE__));
  framework::master_test_suite().add(suite);
}
[[maybe_unused]] const bool registered = (case_makers().push_back(add_cases_of_methods), true);

}  // namespace

}  // namespace afina
