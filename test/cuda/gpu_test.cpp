// A GPU, real or emulated, beside the CPU: kernels that give the same bits, training that agrees,
// and runs that repeat.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <utility>

#include "engine/on_gpu.h"
#include "engine/ops/adamw8.h"
#include "engine/ops/attention.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/dropout.h"
#include "engine/ops/embedding.h"
#include "engine/ops/rope.h"
#include "engine/ops/swiglu.h"
#include "engine/train/checkpoint.h"
#include "model/generate.h"
#include "test/cuda/gpus.h"
#include "test/engine/ops/op_case.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina::emulated {
void set_seed(uint64_t seed);  // cuda/emulator/runner.h
}

using namespace afina;

namespace {

// make() on the CPU and on each GPU, with each variant of a slot.
void same_bits_as_the_cpu(const char* what, const char* slot_name,
                          const std::function<Tensor()>& make) {
  auto expected = bits_of(make());
  for (Device device : gpus()) {
    CaseDevice there(device);
    KernelSlot* slot = KernelSlot::find(slot_name);
    std::vector<std::string> variants;
    slot->each(device, [&](const char* variant, int, bool some) {
      if (!some) variants.push_back(variant);
    });
    BOOST_TEST(!variants.empty());
    for (const std::string& variant : variants) {
      slot->prefer(device, variant.c_str());
      BOOST_TEST(bool(bits_of(make()) == expected),
                 what << " on " << name(device) << " by " << variant);
    }
    slot->prefer(device, nullptr);
  }
}
Tensor numbers(const Shape& shape, Dtype dtype, uint64_t number, double centre = 0.,
               double deviation = 0.5) {
  return random_tensor(shape, dtype, number, centre, deviation);
}

struct Trained {
  std::vector<double> losses, norms;
  std::vector<std::pair<std::string, std::vector<float>>> weights;
  std::string digest;
};
// Steps of the tiny Llama on rows of its reference, two micro-batches each.
Trained trained(Device device, const std::string& method, Dtype dtype, int steps,
                const std::string& checkpoint = "", int stop_after = 0) {
  BuildOptions build;
  build.dtype = dtype;
  build.device = device;
  build.seed = 1;
  TrainOptions options;
  options.schedule = {3e-3, steps, 1, Decay::cosine, 0.1};
  options.optimizer.weight_decay = 0.1;
  Reference rows(tiny_path("llama") + "/train_full.safetensors");
  auto tokens = rows.integers("input_ids"), targets = rows.integers("targets");
  auto shape = rows.shape("input_ids");  // (batches, rows, length)
  auto model = tiny_model(tiny_path("llama"), method, build);
  auto trainer =
      std::make_unique<Trainer>(model->parameters->trained(), options, model->method.get());
  Trained out;
  for (int step = 0; step < steps; ++step) {
    if (stop_after && step == stop_after) {
      save_checkpoint(checkpoint, *trainer, Json::object());
      model = tiny_model(tiny_path("llama"), method, build);
      trainer =
          std::make_unique<Trainer>(model->parameters->trained(), options, model->method.get());
      BOOST_TEST(resume_checkpoint(checkpoint, *trainer).step == step);
    }
    auto row = [&](const std::vector<int32_t>& of, int64_t r) {
      auto at = of.begin() + (step * shape[1] + r) * shape[2];
      return std::vector<int32_t>(at, at + shape[2]);
    };
    int64_t count = 0;
    for (int64_t r = 0; r < 2; ++r)
      for (int32_t t : row(targets, r)) count += t >= 0;
    StepReport report = trainer->step(2, count, [&](size_t r, double scale) {
      std::vector<int64_t> samples(size_t(shape[2]), step * shape[1] + int64_t(r));
      Inputs in = make_inputs(1, shape[2], row(tokens, int64_t(r)), row(targets, int64_t(r)),
                              std::vector<int32_t>(size_t(shape[2]), 0), samples, device);
      in.training = true;
      in.seed = 3;
      in.step = step;
      return model->loss(in, scale);
    });
    out.losses.push_back(report.loss);
    out.norms.push_back(report.gradient_norm);
  }
  for (Parameter* p : model->parameters->trained())
    out.weights.push_back({p->name, p->exact().values()});
  out.digest = digest_of(std::as_const(*model->parameters).trained());
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gpu)

BOOST_AUTO_TEST_CASE(plain_matmuls_have_the_bits_of_the_cpu) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (bool ta : {false, true})
      for (bool tb : {false, true})
        same_bits_as_the_cpu("matmul", "matmul", [&] {
          Tensor a = numbers(ta ? Shape{35, 70} : Shape{70, 35}, dtype, 1),
                 b = numbers(tb ? Shape{67, 35} : Shape{35, 67}, dtype, 2),
                 bias = numbers({67}, Dtype::f32, 3), c = numbers({70, 67}, Dtype::f32, 4),
                 d = Tensor({70, 67}, dtype, case_device());
          kernel::matmul(c, a, b, ta, tb, true, Tensor());
          kernel::matmul(d, a, b, ta, tb, false, bias);
          kernel::add_into(c, d);
          return c;
        });
  same_bits_as_the_cpu("matmul2", "matmul2", [&] {
    Tensor a = numbers({9, 33}, Dtype::bf16, 1), b = numbers({21, 33}, Dtype::bf16, 2),
           a2 = numbers({9, 5}, Dtype::bf16, 3), b2 = numbers({21, 5}, Dtype::bf16, 4);
    Tensor c({9, 21}, Dtype::bf16, case_device());
    kernel::matmul2(c, a, b, a2, b2, true, Tensor());
    return c;
  });
}

BOOST_AUTO_TEST_CASE(element_wise_kernels_have_the_bits_of_the_cpu) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    for (int f = 0; f <= int(Scalar::gelu_tanh); ++f) {
      same_bits_as_the_cpu("map", "map", [&] {
        Tensor x = numbers({3, 51}, dtype, 1, 3.), y = like(x);
        kernel::map(y, x, Scalar(f));
        return y;
      });
      same_bits_as_the_cpu("map_backward", "map_backward", [&] {
        Tensor x = numbers({3, 51}, dtype, 1, 3.), y = numbers({3, 51}, dtype, 2, 3.),
               dy = numbers({3, 51}, dtype, 3), dx = like(x);
        kernel::map_backward(dx, dy, x, y, Scalar(f));
        return dx;
      });
    }
    same_bits_as_the_cpu("swiglu", "swiglu", [&] {
      return swiglu(numbers({3, 64}, dtype, 1), numbers({3, 64}, dtype, 2));
    });
    same_bits_as_the_cpu("dropout", "dropout", [&] {
      return dropout(numbers({3, 70}, dtype, 1), integers({5, 0, 9, 1, 2, 7}, {3, 2}), 0.3,
                     {(uint64_t(7) << 32) + 9, (uint64_t(11) << 32) + 13});
    });
    same_bits_as_the_cpu("rope", "rope", [&] {
      return rope(numbers({1, 3, 2, 24}, dtype, 1), numbers({9, 24}, Dtype::f32, 2),
                  integers({0, 8, 3}, {1, 3}));
    });
    same_bits_as_the_cpu("embedding_backward", "embedding_backward", [&] {
      std::vector<int32_t> ids;
      for (int i = 0; i < 70; ++i) ids.push_back(i * i % 11);
      Tensor sum = numbers({11, 300}, Dtype::f32, 1);
      kernel::embedding_backward(sum, numbers({70, 300}, dtype, 2), integers(ids, {70}));
      return sum;
    });
    same_bits_as_the_cpu("adamw", "adamw", [&] {
      Tensor master = numbers({101}, Dtype::f32, 1),
             value = dtype == Dtype::f32 ? master : master.as(dtype),
             m = numbers({101}, Dtype::f32, 2), v = numbers({101}, Dtype::f32, 3, 1., 0.1);
      kernel::adamw(master, value, numbers({101}, Dtype::f32, 4), m, v,
                    {1e-2f, 0.9f, 0.99f, 1e-8f, 0.1f, 1.f - 0.729f, 0.17234f, 0.5f});
      return value;
    });
    same_bits_as_the_cpu("adamw8", "adamw8", [&] {
      Tensor master = numbers({601}, Dtype::f32, 1),
             value = dtype == Dtype::f32 ? master : master.as(dtype);
      const Device device = master.device();
      Moment8 m = empty_moment(601, device), v = empty_moment(601, device);
      for (uint64_t t = 4; t < 6; ++t)
        kernel::adamw8(master, value, numbers({601}, Dtype::f32, t), m.index, m.scale, v.index,
                       v.scale, moment_codes(device),
                       {1e-2f, 0.9f, 0.99f, 1e-8f, 0.1f, 1.f - 0.729f, 0.17234f, 0.5f});
      std::vector<float> all = value.values();
      for (const Tensor& moment : {unpacked(m, 601, true), unpacked(v, 601, false)})
        for (float one : moment.values()) all.push_back(one);
      return Tensor::from(all, {int64_t(all.size())});
    });
  }
}

// Lengths that cuDNN takes are too long for the emulator, which has no cuDNN either.
BOOST_AUTO_TEST_CASE(attention_by_cudnn_agrees_with_flash) {
  KernelSlot* slots[] = {&kernel::attention, &kernel::attention_backward};
  bool there = false;
  for (Device device : gpus())
    slots[0]->each(device, [&](const char* variant, int, bool) {
      there = there || variant == std::string("cudnn");
    });
  if (!there) return;
  CaseDevice cuda(Device::cuda);
  for (int64_t T : {128, 384})
    for (auto [heads, kv_heads, dim] :
         {std::array<int64_t, 3>{4, 4, 64}, {6, 2, 64}, {4, 1, 128}}) {
      Tensor q = numbers({2, T, heads, dim}, Dtype::bf16, 1),
             k = numbers({2, T, kv_heads, dim}, Dtype::bf16, 2),
             v = numbers({2, T, kv_heads, dim}, Dtype::bf16, 3),
             dout = numbers({2, T, heads, dim}, Dtype::bf16, 4);
      Tensor starts = integers(std::vector<int32_t>(size_t(2 * T), 0), {2, T});
      auto run = [&](const char* variant) {
        for (KernelSlot* slot : slots) BOOST_REQUIRE(slot->prefer(Device::cuda, variant));
        Tensor o = like(q), lse({2, T, heads}, Dtype::f32, Device::cuda), dq = like(q),
               dk = like(k), dv = like(v);
        kernel::attention(o, lse, q, k, v, starts, 0.125);
        kernel::attention_backward(dq, dk, dv, dout, o, lse, q, k, v, starts, 0.125);
        for (KernelSlot* slot : slots) slot->prefer(Device::cuda, nullptr);
        return std::vector<Tensor>{o, lse, dq, dk, dv};
      };
      auto flash = run("flash"), cudnn = run("cudnn"), again = run("cudnn");
      const char* names[] = {"o", "lse", "dq", "dk", "dv"};
      for (size_t i = 0; i < 5; ++i) {
        std::string what = std::string(names[i]) + " of " + std::to_string(T) + ", " +
                           std::to_string(heads) + "/" + std::to_string(kv_heads) + " heads of " +
                           std::to_string(dim);
        double off = distance(cudnn[i].values(), flash[i].values());
        BOOST_TEST(off < 0.02, what << " is off by " << off);
        BOOST_TEST(bool(bits_of(cudnn[i]) == bits_of(again[i])),
                   what << " has other bits the second time");
        if (i != 1)
          BOOST_TEST(bool(bits_of(cudnn[i]) != bits_of(flash[i])), what << ": cuDNN did not run");
      }
    }
}

BOOST_AUTO_TEST_CASE(training_agrees_with_the_cpu) {
  for (Device device : gpus())
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (const char* method : {"full", "lora:rank=4,dropout=0.1"}) {
        Trained expected = trained(Device::cpu, method, dtype, 3),
                found = trained(device, method, dtype, 3);
        double close = dtype == Dtype::f32 ? 1e-5 : 1e-2;
        std::string what = std::string(method) + " " + name(dtype) + " on " + name(device);
        for (size_t i = 0; i < 3; ++i) {
          BOOST_TEST(std::fabs(found.losses[i] - expected.losses[i]) <= close * expected.losses[i],
                     what << ": loss " << found.losses[i] << ", on the CPU " << expected.losses[i]);
          BOOST_TEST(std::fabs(found.norms[i] - expected.norms[i]) <= 5 * close * expected.norms[i],
                     what << ": norm " << found.norms[i] << ", on the CPU " << expected.norms[i]);
        }
        // AdamW's first steps follow the sign of a gradient: where that is all but zero, rounding
        // decides. So in the mean.
        double off = 0;
        size_t count = 0;
        for (size_t w = 0; w < found.weights.size(); ++w)
          for (size_t i = 0; i < found.weights[w].second.size(); ++i, ++count)
            off += std::fabs(double(found.weights[w].second[i]) -
                             double(expected.weights[w].second[i]));
        BOOST_TEST(off / double(count) <= (dtype == Dtype::f32 ? 1e-3 : 0.1) * 3e-3,
                   what << ": weights are off by " << off / double(count) << " in the mean");
      }
}

BOOST_AUTO_TEST_CASE(a_run_repeats_itself_and_resumes) {
  ScratchFolder folder;
  for (Device device : gpus()) {
    std::string first = trained(device, "lora:rank=4,dropout=0.1", Dtype::bf16, 3).digest;
    emulated::set_seed(99);  // another order of threads and blocks
    BOOST_TEST(trained(device, "lora:rank=4,dropout=0.1", Dtype::bf16, 3).digest == first);
    emulated::set_seed(1);
    BOOST_TEST(trained(device, "lora:rank=4,dropout=0.1", Dtype::bf16, 3, folder / name(device), 2)
                   .digest == first);
  }
}

BOOST_AUTO_TEST_CASE(generation_gives_the_cpus_tokens) {
  for (Device device : gpus()) {
    BuildOptions build;
    GenerateOptions options;
    options.most = 6;
    auto on_cpu =
        generate(*tiny_model(tiny_path("llama"), "full", build), {3, 1, 4, 1, 5}, options).tokens;
    build.device = device;
    BOOST_TEST(
        generate(*tiny_model(tiny_path("llama"), "full", build), {3, 1, 4, 1, 5}, options).tokens ==
            on_cpu,
        boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(long_rows_of_logits) {
  for (Device device : gpus())
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (int64_t n : {16500, 16501, 60000}) {  // the last: more than shared memory holds
        Tensor logits = random_tensor({3, n}, Dtype::f32, 1) * 3.,
               targets = integers({int32_t(n - 1), -1, 7}, {3});
        auto on = [&](Device there) {
          Tensor of = logits.to(there), losses({3}, Dtype::f32, there),
                 slopes(logits.shape(), dtype, there);
          kernel::softmax_loss(of, losses, slopes, targets.to(there), 0.5);
          std::vector<double> all = slopes.values64();
          for (double loss : losses.values64()) all.push_back(loss);
          return all;
        };
        std::vector<double> here = on(device), known = on(Device::cpu);
        double worst = 0;
        for (size_t i = 0; i < here.size(); ++i)
          worst = std::max(worst, std::abs(here[i] - known[i]) / (std::abs(known[i]) + 1e-6));
        BOOST_TEST(worst < (dtype == Dtype::f32 ? 1e-4 : 1e-2),
                   n << " " << name(dtype) << " on " << name(device) << ": " << worst);
      }
}

// A product and its continuation: sums that no cache holds are made by one product over operands
// joined side by side.
BOOST_AUTO_TEST_CASE(products_with_a_second_term) {
  for (Device device : gpus())
    for (bool tb : {true, false})
      for (int64_t n : {48, 256})
        for (int64_t r : {8, 16, 5}) {
          const int64_t m = 70, k = 64;
          auto on = [&](Device there) {
            auto made = [&](const Shape& shape, uint64_t seed) {
              return random_tensor(shape, Dtype::bf16, seed).to(there);
            };
            Tensor c({m, n}, Dtype::bf16, there), none;
            kernel::matmul2(c, made({m, k}, 1), made(tb ? Shape{n, k} : Shape{k, n}, 2),
                            made({m, r}, 3), made(tb ? Shape{n, r} : Shape{r, n}, 4), tb, none);
            return c.values64();
          };
          std::vector<double> here = on(device), known = on(Device::cpu);
          double worst = 0;
          for (size_t i = 0; i < here.size(); ++i)
            worst = std::max(worst, std::abs(here[i] - known[i]) / (std::abs(known[i]) + 1.));
          BOOST_TEST(worst < 0.02, n << " columns, rank " << r << (tb ? " NT" : " NN") << " on "
                                     << name(device) << ": " << worst);
        }
}
BOOST_AUTO_TEST_CASE(columns_side_by_side) {
  for (Device device : gpus())
    for (int64_t count : {16, 3}) {
      Tensor a = random_tensor({9, 24}, Dtype::bf16, 1),
             b = random_tensor({9, count}, Dtype::bf16, 2),
             both({9, 24 + count}, Dtype::bf16, device);
      kernel::joined(both, a.to(device), b.to(device));
      std::vector<float> values = both.values(), left = a.values(), right = b.values(), expected;
      for (int64_t row = 0; row < 9; ++row) {
        expected.insert(expected.end(), left.begin() + row * 24, left.begin() + (row + 1) * 24);
        expected.insert(expected.end(), right.begin() + row * count,
                        right.begin() + (row + 1) * count);
      }
      BOOST_TEST(values == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(columns_added_and_rows_summed) {
  for (Device device : gpus())
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (int64_t count : {16, 5}) {
        auto on = [&](Device there) {
          Tensor y = random_tensor({300, 24 + count}, dtype, 1).to(there),
                 sums = random_tensor({count}, Dtype::f32, 3).to(there);
          Tensor part = random_tensor({300, count}, dtype, 2).to(there);
          kernel::add_columns(y, part, 8);
          kernel::sum_rows(sums, part);
          return std::pair(bits_of(y), sums.values());
        };
        auto here = on(device), known = on(Device::cpu);
        BOOST_TEST(bool(here.first == known.first));
        for (size_t i = 0; i < here.second.size(); ++i)
          BOOST_TEST(std::abs(here.second[i] - known.second[i]) < 1e-4);
      }
}

BOOST_AUTO_TEST_SUITE_END()
