// A training step on a GPU, real or emulated: all weights moved in one launch, one record read
// back, nothing moved by what is not finite.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "cuda/emulator/memory.h"
#include "engine/ops/adamw.h"
#include "test/cuda/gpu_step.h"
#include "test/engine/ops/op_case.h"
#include "test/scratch.h"

using namespace afina;
using namespace afina::gpu_steps;

#if defined(AFINA_SYSTEM_MEMORY)
constexpr bool captures = false;
#else
constexpr bool captures = true;
#endif

namespace {

// Counts copies of the emulated GPU's memory to the host while it lives.
struct CopiesToHost {
  static inline int count = 0;
  static inline void (*real)(void*, const void*, size_t) = nullptr;
  CopiesToHost() {
    real = memory(Device::emulated).copy;
    count = 0;
    memory(Device::emulated).copy = [](void* to, const void* from, size_t bytes) {
      count += !emulated::is_device_memory(to);
      real(to, from, bytes);
    };
  }
  ~CopiesToHost() { memory(Device::emulated).copy = real; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gpu_step)

// The kernel for all weights gives each the bits of the kernel for one.
BOOST_AUTO_TEST_CASE(all_weights_in_one_launch_have_the_bits_of_one_by_one) {
  const int64_t sizes[] = {1, 5, 64, 4096, 4097, 9000};
  for (Device device : gpus()) {
    struct Weight {
      Tensor master, value, gradient, m, v;
    };
    auto make = [&] {
      std::vector<Weight> all;
      for (int64_t n : sizes) {
        Weight w;
        uint64_t seed = uint64_t(n) * 10;
        w.master = random_tensor({n}, Dtype::f32, seed, 0., 0.5, device);
        w.value = n % 2 ? w.master : w.master.as(Dtype::bf16);
        w.gradient = random_tensor({n}, Dtype::f32, seed + 1, 0., 0.5, device);
        w.m = random_tensor({n}, Dtype::f32, seed + 2, 0., 0.5, device);
        w.v = random_tensor({n}, Dtype::f32, seed + 3, 1., 0.1, device);
        all.push_back(w);
      }
      return all;
    };
    auto one_by_one = make(), together = make();
    StepNumbers numbers;
    numbers.lr = double(1e-2f);
    numbers.bias1 = double(1.f - 0.729f);
    numbers.bias2_root = double(0.17234f);
    numbers.clip = 1.;
    numbers.loss_scale = 1.;
    std::vector<WeightRow> rows;
    int64_t parts = 0;
    double squares = 0;
    for (Weight& w : together) {
      for (float g : w.gradient.values()) squares += double(g) * double(g);
      rows.push_back({w.master.data(), w.value.data(), w.gradient.data(), w.m.data(), w.v.data(),
                      w.master.size(), parts, w.master.size() == 64 ? 0.f : 0.1f,
                      w.value.dtype() == Dtype::bf16, w.master.size() == 5 ? 1.f : 2.7f});
      parts += weight_parts(w.master.size());
    }
    Tensor there({6}, Dtype::f64, device),
        record = Tensor::zeros({record_size}, Dtype::f64, device),
        part({parts}, Dtype::f64, device);
    Tensor table({int64_t(rows.size() * sizeof(WeightRow) / 4)}, Dtype::i32, device);
    memory(device).copy(there.data(), &numbers, sizeof numbers);
    memory(device).copy(table.data(), rows.data(), table.bytes());
    Tensor losses = Tensor::from(std::vector<float>{1.f, 2.f, 4.f}, {3}, Dtype::f32, device);
    kernel::add_loss(record, losses, true);
    kernel::add_loss(record, losses, false);
    kernel::gradient_norm(record, part, table, there, Dtype::f32);
    kernel::adamw_all(record, table, parts, {0.9f, 0.99f, 1e-8f}, Dtype::f32);
    StepRecord found;
    memory(device).copy(&found, record.data(), sizeof found);
    BOOST_TEST(found.loss == 14.);
    BOOST_TEST(std::fabs(found.squares - squares) <= 1e-12 * squares,
               found.squares << " and " << squares);
    BOOST_TEST(found.norm == std::sqrt(found.squares));
    BOOST_TEST(found.not_finite == 0.);
    double scale = 1. / (found.norm + 1e-6);
    for (size_t i = 0; i < one_by_one.size(); ++i) {
      Weight &w = one_by_one[i], &t = together[i];
      kernel::adamw(w.master, w.value, w.gradient, w.m, w.v,
                    {1e-2f, 0.9f, 0.99f, 1e-8f, sizes[i] == 64 ? 0.f : 0.1f, 1.f - 0.729f, 0.17234f,
                     float(scale), sizes[i] == 5 ? 1.f : 2.7f});
      for (auto [a, b] :
           {std::pair(w.master, t.master), {w.value, t.value}, {w.m, t.m}, {w.v, t.v}})
        BOOST_TEST(bool(bits_of(a) == bits_of(b)),
                   "weight of " << sizes[i] << " on " << name(device));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_moves_nothing_and_is_named) {
  for (Device device : gpus())
    for (int before : {1, 2}) {
      Training t({.device = device});
      t.steps(before);
      Parameter* up = t.model->parameters->find("model.layers.0.mlp.up_proj.weight");
      std::vector<float> huge(size_t(up->shape.size()), 3e38f);
      up->assign(huge.data());
      auto sums = [&] {
        std::vector<uint64_t> all;
        for (auto& [name, tensor] : t.trainer->state()) all.push_back(checksum(tensor));
        return all;
      };
      auto then = sums();
      check_error([&] { t.step(); },
                  {"result of operation 'linear' (its call ", "not finite at position"});
      BOOST_TEST((sums() == then), "weights or moments moved on " << name(device));
      for (Parameter* p : t.trainer->trained()) BOOST_TEST(!p->value.grad().touched(), p->name);
    }
}

// Tokens, targets, documents, rate, dropout and clipping of a step are other ones than when it was
// captured, and its batches were sent ahead: copies that nobody waits for are done as late as the
// emulator can, so that what reads them too early, or writes over what they read, is found. Loss
// and norm come back in one record, nothing is asked of the device's memory, and between steps
// theirs is empty.
BOOST_AUTO_TEST_CASE(replayed_steps_have_the_bits_of_steps_given_one_by_one) {
  const Job jobs[] = {
      {.method = "full", .dtype = Dtype::f32, .micro_batches = 2},
      {.method = "full", .dtype = Dtype::bf16, .micro_batches = 1},
      {.method = "lora:rank=4,dropout=0.1", .dtype = Dtype::f32, .micro_batches = 1},
      {.method = "lora:rank=4,dropout=0.1", .dtype = Dtype::bf16, .micro_batches = 2},
      {.method = "full", .dtype = Dtype::f32, .micro_batches = 2, .window = 3}};
  for (Device device : gpus())
    for (Job job : jobs) {
      job.device = device;
      std::string what = job.method + " " + name(job.dtype) + " x " +
                         std::to_string(job.micro_batches) + " on " + name(device);
      Training replayed([&] {
        Job ahead = job;
        ahead.ahead = true;
        return ahead;
      }());
      job.graphs = GraphUse::off;
      Training eager(job);
      FlopCount counted[2];
      for (Training* t : {&eager, &replayed}) {
        reset_flops();
        t->steps(2);
        int64_t before = captures ? graphs(device).growths() : 0;
        CopiesToHost copies;
        t->step();
        if (captures && device == Device::emulated)
          BOOST_TEST(copies.count == 1, what << ": " << copies.count << " copies to the host");
        if (captures) BOOST_TEST(graphs(device).growths() == before, what);
        if (captures) BOOST_TEST(graphs(device).step_bytes() == 0, what);
        counted[t == &replayed] = flops();
      }
      BOOST_TEST(eager.trainer->step_graphs()->replayed() == 0, what);
      if (captures)
        BOOST_TEST(replayed.trainer->step_graphs()->replayed() == 2,
                   what << ": " << replayed.trainer->why_no_graphs());
      BOOST_TEST(replayed.said == eager.said, what << boost::test_tools::per_element());
      BOOST_TEST(replayed.digest() == eager.digest(), what);
      BOOST_TEST(eager.said[1] > 0.05, what << ": nothing was clipped");
      for (int p = 0; p < phase_count; ++p)
        BOOST_TEST(counted[1].of[p] == counted[0].of[p], what << ": FLOPs of " << name(Phase(p)));
    }
}

BOOST_AUTO_TEST_CASE(another_shape_captures_another_graph) {
  if (!captures) return;
  for (Device device : gpus()) {
    Training eager({.device = device, .method = "lora", .graphs = GraphUse::off}),
        replayed({.device = device, .method = "lora"});
    for (Training* t : {&eager, &replayed})
      for (int64_t length : {16, 12, 12, 16, 12}) t->step(length);
    BOOST_TEST(replayed.digest() == eager.digest());
    const StepGraphs& graphs = *replayed.trainer->step_graphs();
    BOOST_TEST(graphs.captured() == 2);
    BOOST_TEST(graphs.replayed() == 3);
  }
}

BOOST_AUTO_TEST_CASE(a_resumed_run_is_captured_anew_and_ends_the_same) {
  for (Device device : gpus()) {
    ScratchFolder folder;
    Training whole({.device = device, .method = "lora"}),
        stopped({.device = device, .method = "lora"});
    whole.steps(4);
    stopped.steps(2);
    save_checkpoint(folder / "checkpoints", *stopped.trainer, Json::object());
    stopped.restart();
    BOOST_TEST(resume_checkpoint(folder / "checkpoints", *stopped.trainer).step == 2);
    stopped.steps(2);
    BOOST_TEST(stopped.digest() == whole.digest());
    BOOST_TEST(stopped.said == whole.said, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(why_a_step_is_not_captured_is_said) {
  auto says = [](const Training& t, const char* words) {
    std::string why = t.trainer->why_no_graphs();
    BOOST_TEST(why.find(words) != why.npos, "'" << words << "' is not in: " << why);
  };
  says(Training({.device = Device::cpu}), "the device has no graphs");
  says(Training({.graphs = GraphUse::off}), "switched off");
  says(Training({.graphs = GraphUse::automatic}), captures ? "on cuda alone" : "sanitizers");
  if (!captures) return;
  // More kinds of step than are captured.
  StepGraphs many(Device::emulated, 1, GraphUse::on);
  Tensor one({1}, Dtype::f32, Device::emulated);
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 66; ++i) {
      StepKind kind{std::to_string(i), {}};
      BOOST_TEST((many.why_not() == "") == (round == 0 || (round == 1 && i < 65)));
      many.run(&kind, [&](WeightTable&) { one.zero(); });
    }
  BOOST_TEST(many.captured() == 64);
  BOOST_TEST(many.why_not().find("4 steps were of more kinds than the 64") == 0, many.why_not());
  // A forward pass that looks at its own loss cannot be captured; the step is done all the same.
  Training looking({.method = "lora"}), plain({.method = "lora"});
  double seen = 0;
  looking.look = [&](const Loss& loss) { seen += loss.losses.values()[0]; };
  looking.steps(2);
  plain.steps(2);
  says(looking, "a captured step copies 128 bytes to the host");
  BOOST_TEST(seen > 0.);
  BOOST_TEST(looking.digest() == plain.digest());
}

BOOST_AUTO_TEST_SUITE_END()
