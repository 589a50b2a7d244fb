// What is foreseen on the device without bytes is what happens on the CPU: memory by purpose at its
// peak, and FLOPs, to the last one.
#include "engine/shapes.h"

#include "engine/kernel.h"
#include "engine/packed.h"
#include "engine/random.h"
#include "engine/threads.h"
#include "engine/train/trainer.h"
#include "test/model/tiny.h"

namespace afina {

namespace {

struct Job {
  std::string base, method;
  Dtype dtype = Dtype::f32;
  Checkpointing checkpointing = Checkpointing::none;
  int64_t batch = 2, accumulate = 1, length = 12;
  int64_t targets_each = 1;  // one target in so many positions
  int64_t document = 12;     // tokens of each packed document
  std::string text() const {
    return base + " " + method + " " + name(dtype) +
           (checkpointing == Checkpointing::none ? "" : " checkpointed") + " " +
           std::to_string(batch) + "x" + std::to_string(accumulate) + "x" + std::to_string(length);
  }
};

struct Cost {
  std::array<int64_t, purpose_count> at_peak{};
  int64_t peak = 0, steps = 0;
  FlopCount flops;
};

Inputs inputs_of(const Job& job, const ModelConfig& config, int64_t micro_batch, int64_t step,
                 Device device) {
  size_t n = size_t(job.batch * job.length);
  Random random(7, "shapes", uint64_t(step * 16 + micro_batch));
  std::vector<int32_t> tokens(n), targets(n), starts(n);
  std::vector<int64_t> samples(n);
  for (size_t i = 0; i < n; ++i) {
    int64_t at = int64_t(i) % job.length;
    tokens[i] = int32_t(random.below(i, uint64_t(config.vocabulary)));
    targets[i] = at % job.targets_each == 0 ? tokens[i] : -1;
    starts[i] = int32_t(at / job.document * job.document);
    samples[i] = int64_t(i) / job.length;
  }
  PurposeScope purpose(Purpose::workspace);
  Inputs inputs = make_inputs(job.batch, job.length, tokens, targets, starts, samples, device);
  inputs.training = true;
  inputs.seed = 5;
  inputs.step = step;
  return inputs;
}

// Two steps: in the second all gradients are held from the beginning.
Cost cost_of(const Job& job, Device device) {
  MemoryUse before = memory_use(device);
  FlopCount flops_before = flops();
  Json json = parse_json_file(tiny_path(job.base) + "/config.json");
  RandomWeights source(1);
  auto model =
      build_model(parse_config(json, "test"), source, make_method(parse_method(job.method)),
                  {job.dtype, device, 1, job.checkpointing});
  TrainOptions options;
  options.schedule = {1e-3, 2, 0, Decay::constant, 0.};
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  Cost cost;
  for (int64_t step = 0; step < 2; ++step) {
    reset_memory_peak(device);
    int64_t targets =
        job.batch * job.accumulate * ((job.length + job.targets_each - 1) / job.targets_each);
    trainer.step(size_t(job.accumulate), targets, [&](size_t i, double scale) {
      return model->loss(inputs_of(job, model->config, int64_t(i), step, device), scale);
    });
    const MemoryUse& use = memory_use(device);
    if (use.total_peak - before.total < cost.peak) continue;
    cost.peak = use.total_peak - before.total;
    for (size_t p = 0; p < purpose_count; ++p) cost.at_peak[p] = use.at_peak[p] - before.now[p];
  }
  for (int p = 0; p < phase_count; ++p) cost.flops.of[p] = flops().of[p] - flops_before.of[p];
  cost.flops.recomputed = flops().recomputed - flops_before.recomputed;
  return cost;
}

void check_foreseen(const Job& job) {
  Cost foreseen = cost_of(job, Device::shapes), measured = cost_of(job, Device::cpu);
  BOOST_TEST(foreseen.peak == measured.peak,
             job.text() << ": " << foreseen.peak << " foreseen, " << measured.peak << " measured");
  for (size_t p = 0; p < purpose_count; ++p)
    BOOST_TEST(foreseen.at_peak[p] == measured.at_peak[p],
               job.text() << ", " << name(Purpose(p)) << ": " << foreseen.at_peak[p]
                          << " foreseen, " << measured.at_peak[p] << " measured");
  for (int p = 0; p < phase_count; ++p)
    BOOST_TEST(foreseen.flops.of[p] == measured.flops.of[p], job.text()
                                                                 << ", FLOPs " << name(Phase(p)));
  BOOST_TEST(foreseen.flops.recomputed == measured.flops.recomputed, job.text());
  BOOST_TEST(measured.flops.of[int(Phase::forward)] > 0);
}

const std::string lora = "lora:rank=4,targets=all";

}  // namespace

BOOST_AUTO_TEST_SUITE(shapes)

BOOST_AUTO_TEST_CASE(every_model_and_method_is_foreseen) {
  for (const char* base : {"llama", "gpt2", "qwen2", "mistral", "llama3", "llama_linear"}) {
    auto pretrained = tiny_model(tiny_path(base));
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (auto& [name, entry] : methods())
        for (const std::string& method : entry.card.tries)
          if (!entry.card.fits || entry.card.fits(*pretrained->parameters))
            check_foreseen({base, method, dtype});
  }
}

BOOST_AUTO_TEST_CASE(options_of_a_run_are_foreseen) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (const std::string& method : {std::string("full"), lora, lora + ",dropout=0.1",
                                      std::string("lora:rank=2,targets=q_proj+v_proj")}) {
      check_foreseen({"llama", method, dtype, Checkpointing::block});
      check_foreseen({"llama", method, dtype, Checkpointing::none, 1, 3, 16});
      check_foreseen({"llama", method, dtype, Checkpointing::none, 3, 1, 16, 3,
                      4});  // few targets, packed documents
      check_foreseen({"llama", method, dtype, Checkpointing::block, 2, 2, 16, 5, 8});
    }
}

// More rows than a chunk of the head has.
BOOST_AUTO_TEST_CASE(the_head_in_chunks_is_foreseen) {
  check_foreseen({"llama", "full", Dtype::bf16, Checkpointing::none, 44, 1, 16});
  check_foreseen({"llama", lora, Dtype::f32, Checkpointing::none, 44, 1, 16, 1, 4});
}

BOOST_AUTO_TEST_CASE(packed_weights_are_foreseen) {
  PackScope packing(true);
  Cost packed = cost_of({"llama", lora}, Device::shapes);
  check_foreseen({"llama", lora});
  check_foreseen({"gpt2", lora, Dtype::bf16});
  PackScope unpacked(false);
  BOOST_TEST(packed.at_peak[int(Purpose::weights)] >
             cost_of({"llama", lora}, Device::shapes).at_peak[int(Purpose::weights)]);
}

BOOST_AUTO_TEST_CASE(nothing_is_held_and_places_follow_the_pool) {
  trim_shapes();
  int64_t before = memory_use(Device::shapes).total;
  Cost cost = cost_of({"llama", "full"}, Device::shapes);
  BOOST_TEST(memory_use(Device::shapes).total == before);
  BOOST_TEST(shapes_pool_bytes() >= cost.peak);
  BOOST_TEST(double(shapes_pool_bytes()) < 1.2 * double(cost.peak));
  // A billion of anything costs nothing: 64 TiB here.
  Tensor large({1 << 20, 1 << 12, 1 << 12}, Dtype::f32, Device::shapes);
  BOOST_TEST(memory_use(Device::shapes).total - before == int64_t(1) << 46);
}

BOOST_AUTO_TEST_CASE(what_the_host_wrote_is_read_back) {
  Tensor ids = Tensor::from(std::vector<int32_t>{1, 2, 3, 4, 5, 6}, {3, 2}, Device::shapes);
  BOOST_TEST((ids.slice_rows(1, 2).integers() == std::vector<int32_t>{3, 4, 5, 6}));
  BOOST_TEST((Tensor({2}, Dtype::f32, Device::shapes).values() == std::vector<float>{0.f, 0.f}));
}

BOOST_AUTO_TEST_CASE(calls_are_seen_with_their_flops) {
  std::map<std::string, std::pair<int64_t, int64_t>> seen;  // calls, FLOPs
  {
    CallObserver observer([&](const KernelCall& call) {
      auto& [calls, flops] = seen[call.slot.name()];
      ++calls;
      flops += call.flops;
    });
    Tensor x({6, 8}, Dtype::f32, Device::shapes), w({4, 8}, Dtype::f32, Device::shapes);
    linear(x, w, Tensor());
    linear(x, w, Tensor()) + Tensor({6, 4}, Dtype::f32, Device::shapes);
  }
  BOOST_TEST(seen["matmul"].first == 2);
  BOOST_TEST(seen["matmul"].second == 2 * 2 * 6 * 8 * 4);
  BOOST_TEST(seen["zip"].first == 1);
  BOOST_TEST(seen["zip"].second == 0);
}

BOOST_AUTO_TEST_CASE(a_limit_is_held_and_names_what_did_not_fit) {
  struct Lifted {
    ~Lifted() { limit_memory(Device::shapes, 0, ""); }
  } lifted;
  int64_t held = memory_use(Device::shapes).total;
  limit_memory(Device::shapes, held + (3 << 20), "--memory-limit 3M");
  PurposeScope purpose(Purpose::gradients);
  Tensor fits({1 << 19}, Dtype::f32, Device::shapes);
  BOOST_CHECK_EXCEPTION(Tensor({1 << 19}, Dtype::f32, Device::shapes), Error, [](const Error& e) {
    std::string said = e.what();
    for (const char* part :
         {"2 MiB more for gradients", "gradients 2 MiB", "the limit is 3 MiB (--memory-limit 3M)",
          "--accumulate", "afina plan"})
      if (said.find(part) == said.npos) return false;
    return true;
  });
  BOOST_TEST(memory_use(Device::shapes).total == held + (2 << 20));
  limit_memory(Device::shapes, 0, "");
  Tensor fits_now({1 << 19}, Dtype::f32, Device::shapes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
