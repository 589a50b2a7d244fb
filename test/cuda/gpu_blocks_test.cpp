// Bases in blocks on a GPU, real or emulated: the numbers of the CPU, products, layers and models
// with the bits of the base unpacked on the same device, and memory as predicted.
#include <boost/test/unit_test.hpp>
#include <cstring>

#include "engine/blocks_on_gpu.h"
#include "engine/on_gpu.h"
#include "engine/ops/embedding.h"
#include "engine/ops/low_rank.h"
#include "model/files/gguf_save.h"
#include "model/merge.h"
#include "test/cuda/gpu_step.h"
#include "test/model/methods/moved.h"
#include "test/scratch.h"

namespace afina {

namespace {

Tensor random_matrix(int64_t rows, int64_t columns, Dtype dtype = Dtype::f32, int seed = 1) {
  const Random random(uint64_t(seed), "gpu blocks test", "matrix");
  std::vector<float> values(size_t(rows * columns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = random.normal(i) * 0.1f;
  return Tensor::from(values, {rows, columns}, dtype);
}

bool same(const Tensor& a, const Tensor& b) {
  const std::vector<float> x = a.values(), y = b.values();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * 4) == 0;
}

// Every form that --base makes.
std::vector<BaseForm> forms() {
  std::vector<BaseForm> all;
  for (int f = int(BaseForm::nf4); f <= int(BaseForm::q6_k); ++f) all.push_back(BaseForm(f));
  return all;
}

// Blocks of any bytes, but for the scales in f16, which become small numbers.
struct Type {
  StoredType type;
  std::vector<size_t> scales;  // where they lie in a block
};
const Type types[] = {
    {StoredType::f16, {0}},     {StoredType::bf16, {0}},      {StoredType::q4_0, {0}},
    {StoredType::q4_1, {0, 2}}, {StoredType::q5_0, {0}},      {StoredType::q5_1, {0, 2}},
    {StoredType::q8_0, {0}},    {StoredType::q2_k, {80, 82}}, {StoredType::q3_k, {108}},
    {StoredType::q4_k, {0, 2}}, {StoredType::q5_k, {0, 2}},   {StoredType::q6_k, {208}},
    {StoredType::iq4_nl, {0}},  {StoredType::iq4_xs, {0}},    {StoredType::mxfp4, {}}};

std::shared_ptr<Blocks> random_blocks(const Type& t, int64_t rows, int64_t columns,
                                      Dtype computed) {
  const size_t bytes = stored_bytes(t.type, rows * columns, "test"),
               each = size_t(info(t.type).block_bytes);
  const Random random(3, "gpu blocks test", name(t.type));
  auto memory = std::make_shared<std::vector<uint8_t>>(bytes);
  for (size_t i = 0; i < bytes; ++i) (*memory)[i] = uint8_t(random.below(i, 256));
  for (size_t block = 0; block < bytes; block += each) {
    // The first block's scales are denormals; a byte of an exponent is within what f32 has.
    for (size_t scale : t.scales) {
      uint8_t& high = (*memory)[block + scale + 1];
      high = uint8_t((high & 0x83) | (block ? 0x28 : 0));
    }
    if (t.type == StoredType::mxfp4) (*memory)[block] = uint8_t(block ? 120 + block % 8 : 1);
  }
  auto blocks = std::make_shared<Blocks>();
  blocks->name = name(t.type);
  blocks->type = t.type;
  blocks->computed = computed;
  blocks->rows = rows;
  blocks->columns = columns;
  blocks->data = memory->data();
  blocks->holder = memory;
  return blocks;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gpu_blocks)

// Also rows that are no multiples of eight, of which threads take single numbers, and a short last
// block.
BOOST_AUTO_TEST_CASE(every_form_has_the_numbers_of_the_cpu) {
  for (Device device : gpus())
    for (BaseForm form : forms())
      for (Dtype dtype : {Dtype::f32, Dtype::bf16})
        for (int64_t columns : {96, 33}) {
          if (form >= BaseForm::q4_0 && columns == 33) continue;
          const int64_t rows = form >= BaseForm::q4_k ? 8 : 5;
          const Tensor here = in_blocks(form, random_matrix(rows, columns), dtype, "w"),
                       there = blocks_on_gpu(*here.blocks(), device);
          BOOST_TEST((there.device() == device));
          BOOST_TEST(same(there, here), name(form) << " " << name(dtype) << " " << columns);
          const Tensor some({2, columns}, dtype, device);
          Tensor to = some;
          kernel::unpack(to, there, 2);
          BOOST_TEST(same(to, rows_of(here, 2, 2)), name(form) << " from the third row");
        }
}

BOOST_AUTO_TEST_CASE(every_type_of_a_file_has_the_numbers_of_the_cpu) {
  for (Device device : gpus())
    for (const Type& type : types)
      for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
        if (dtype == Dtype::bf16 && info(type.type).block_bytes == 2) continue;  // no fewer bits
        const int64_t columns = 64;
        auto blocks = random_blocks(type, 8, columns, dtype);
        blocks->order = {3, 0, 7, 1, 2, 6, 5, 4};
        const size_t bytes = stored_bytes(type.type, 8 * columns, "test");
        const Tensor here = over_blocks(blocks, bytes, Device::cpu, "w"),
                     there = over_blocks(blocks, bytes, device, "w");
        BOOST_TEST(same(there, here), blocks->name << " " << name(dtype));
        // A copy: what held the blocks is gone.
        BOOST_TEST(!there.blocks()->holder);
      }
}

// Values that a model was quantised in: rounded to it first, denormals of f16 among them.
BOOST_AUTO_TEST_CASE(values_are_rounded_as_the_folder_says) {
  for (Device device : gpus())
    for (StoredType rounded : {StoredType::f16, StoredType::bf16}) {
      Tensor x = random_matrix(4, 64);
      for (int64_t i = 0; i < 64; ++i) x.data<float>()[i] *= 1e-5f;
      const Tensor plain = in_blocks(BaseForm::nf4, x, Dtype::f32, "w");
      auto blocks = std::make_shared<Blocks>(*plain.blocks());
      blocks->rounded = rounded;
      const Tensor here = over_blocks(blocks, plain.bytes(), Device::cpu, "w"),
                   there = blocks_on_gpu(*blocks, device);
      BOOST_TEST(same(there, here), name(rounded));
      BOOST_TEST(!same(here, plain), name(rounded));
    }
}

BOOST_AUTO_TEST_CASE(scales_that_are_damaged_are_named) {
  auto damaged = random_blocks({StoredType::q4_0, {0}}, 4, 64, Dtype::f32);
  auto bytes = *std::static_pointer_cast<const std::vector<uint8_t>>(damaged->holder);
  bytes[18 * 5 + 1] = 0x7e;  // a NaN in f16
  damaged->data = bytes.data();
  for (Device device : gpus())
    BOOST_CHECK_EXCEPTION(
        over_blocks(damaged, bytes.size(), device, "model.gguf: tensor 'w'"), Error,
        [](const Error& e) {
          return std::string(e.what()).starts_with("model.gguf: tensor 'w': number 160 of 256");
        });
}

// Every variant that multiplies blocks: the bits of the same variant over the matrix unpacked.
// Several panels of the result, a last one that is shorter, and rows that are no multiple of 8.
BOOST_AUTO_TEST_CASE(products_equal_unpacking_first) {
  struct Size {
    int64_t m, out, in;
  };
  for (Device device : gpus())
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (const char* variant : {"tiled", dtype == Dtype::f32 ? "registers" : "tensor"}) {
        for (KernelSlot* slot : {(KernelSlot*)&kernel::matmul, (KernelSlot*)&kernel::matmul2})
          BOOST_REQUIRE(slot->prefer(device, variant));
        for (const Size s : {Size{9, 136, 264}, Size{3, 140, 33}}) {
          const bool odd = s.in % 8 != 0;
          const Tensor w = blocks_on_gpu(*in_blocks(odd ? BaseForm::int8 : BaseForm::nf4_double,
                                                    random_matrix(s.out, s.in), dtype, "w")
                                              .blocks(),
                                         device),
                       plain = w.as(dtype);
          auto made = [&](int64_t rows, int64_t columns, Dtype t, int seed) {
            return random_matrix(rows, columns, t, seed).to(device);
          };
          const Tensor x = made(s.m, s.in, dtype, 2), dy = made(s.m, s.out, dtype, 3),
                       low = made(s.m, 4, dtype, 4), up = made(s.out, 4, dtype, 5),
                       down = made(4, s.in, dtype, 6),
                       bias = made(1, s.out, Dtype::f32, 7).viewed({s.out});
          const std::string what = std::string(name(dtype)) + " by " + variant + ", " +
                                   std::to_string(s.in) + " columns";
          if (device == Device::emulated) BOOST_TEST(panel_columns(device, w, true) < s.out, what);
          auto all = [&](const Tensor& weight) {
            Tensor y({s.m, s.out}, Dtype::f32, device), both({s.m, s.out}, dtype, device),
                dx = made(s.m, s.in, dtype, 8), dboth({s.m, s.in}, dtype, device);
            kernel::matmul(y, x, weight, false, true, false, bias);
            kernel::matmul2(both, x, weight, low, up, true, bias);
            kernel::matmul(dx, dy, weight, false, false, true, Tensor());
            kernel::matmul2(dboth, dy, weight, low, down, false, Tensor());
            return std::vector<Tensor>{y, both, dx, dboth};
          };
          // The sums of f32 may be written into f32 alone.
          const std::vector<Tensor> found = all(w), expected = all(plain);
          for (size_t i = 0; i < found.size(); ++i)
            BOOST_TEST(same(found[i], expected[i]), what << ", product " << i);
        }
        for (KernelSlot* slot : {(KernelSlot*)&kernel::matmul, (KernelSlot*)&kernel::matmul2})
          slot->prefer(device, nullptr);
      }
}

// A layer, its low-rank path, its rows' lengths, and the embedding.
BOOST_AUTO_TEST_CASE(operations_equal_those_of_the_matrix_unpacked) {
  for (Device device : gpus())
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      const Tensor w = blocks_on_gpu(
                       *in_blocks(BaseForm::nf4, random_matrix(24, 40), dtype, "w").blocks(),
                       device),
                   plain = w.as(dtype), a = random_matrix(4, 40, dtype, 4).to(device),
                   b = random_matrix(24, 4, dtype, 5).to(device);
      auto run = [&](const Tensor& weight) {
        Tensor x = random_matrix(6, 40, dtype, 6).to(device).viewed({2, 3, 40});
        x.track(dtype);
        Tape tape;
        Tensor y = linear_lora(x, x, weight, Tensor(), a, b, 2.);
        tape.backward(sum(y * y));
        return x.grad().value();
      };
      BOOST_TEST(same(run(w), run(plain)), name(dtype));
      const Tensor squares = row_squares(w);
      BOOST_TEST(same(squares, row_squares(plain)), name(dtype));
      BOOST_TEST(same(low_rank_row_norms(w, squares, a, b, 2.),
                      low_rank_row_norms(plain, squares, a, b, 2.)),
                 name(dtype));
      const Tensor ids = Tensor::from(std::vector<int32_t>{3, 0, 23, 3}, {1, 4}, device);
      BOOST_TEST(same(embedding(w, ids), embedding(plain, ids)), name(dtype));
    }
}

// A step over NF4, scales in 8 bits, embedding and head too: run as it is, then captured, then
// replayed, with the bits of the same base unpacked on the device.
BOOST_AUTO_TEST_CASE(steps_have_the_bits_of_the_base_unpacked) {
  for (Device device : gpus())
    for (auto [method, dtype] :
         {std::pair("lora:rank=4,dropout=0.1", Dtype::bf16), std::pair("ia3", Dtype::f32)}) {
      gpu_steps::Job job{.device = device, .method = method, .dtype = dtype};
      gpu_steps::Training theirs(job);
      job.base = {BaseForm::nf4_double, true};
      gpu_steps::Training ours(job);
      int held = 0;
      for (const Parameter& p : ours.model->parameters->all) {
        if (!p.value.blocks()) continue;
        ++held;
        theirs.model->parameters->find(p.name)->value.copy_from(p.value.as(dtype));
      }
      BOOST_TEST(held == 8);
      std::map<std::string, uint64_t> before;
      for (const Parameter& p : ours.model->parameters->all) before[p.name] = checksum(p.value);
      ours.steps(3);
      theirs.steps(3);
      BOOST_TEST((ours.said == theirs.said), method);
      BOOST_TEST(ours.digest() == theirs.digest(), method);
      for (const Parameter& p : ours.model->parameters->all)
        BOOST_TEST((checksum(p.value) != before[p.name]) == p.trained, p.name);
    }
}

// Blocks that are copied from a file: those of a GGUF and of bitsandbytes, merged and back.
BOOST_AUTO_TEST_CASE(files_are_copied_to_the_device) {
  ScratchFolder folder;
  {
    ModelFiles files = open_model(tiny_path("llama"));
    auto model =
        build_model(files.config, *files.source, make_method(parse_method("lora:rank=2")), {});
    const GgufKeys keys = gguf_keys(model->config);
    GgufPairs pairs;
    pairs.set("general.architecture", keys.prefix.substr(0, keys.prefix.size() - 1));
    pairs.append(keys.pairs);
    save_gguf(folder / "m.gguf", *model,
              gguf_plan(*model, GgufType::q8_0, StoredType::f16, nullptr), pairs, keys.factors,
              nullptr);
  }
  for (Device device : gpus())
    for (const std::string& path :
         {folder / "m.gguf", std::string(AFINA_SOURCE_DIR "/test/stored/quantised/nf4")}) {
      const bool gguf = path.ends_with(".gguf");
      auto weights = [&] { return memory_use(device).now[size_t(Purpose::weights)]; };
      const int64_t before = weights();
      auto lying =
          tiny_model(path, "lora:rank=2", {.device = device, .base = {BaseForm::file, gguf}});
      const int64_t bytes = weights() - before;
      auto plain = tiny_model(path, "lora:rank=2", {.device = device});
      BOOST_TEST(bytes < weights() - before - bytes, path);
      for (Model* model : {lying.get(), plain.get()}) move_away(*model);
      auto logits = [&](Model& model) {
        return model.logits(make_inputs({3, 14, 15, 9}, 0, device)).values();
      };
      const std::vector<float> expected = logits(*plain);
      BOOST_TEST((logits(*lying) == expected), path);
      MergedAdapters merged(*lying), merged_plain(*plain);
      BOOST_TEST((logits(*lying) == logits(*plain)), path << " merged");
      merged.unmerge();
      BOOST_TEST((logits(*lying) == expected), path << " unmerged");
    }
}

// The device without bytes knows the blocks' memory there and a product's workspace.
BOOST_AUTO_TEST_CASE(memory_is_as_predicted) {
  struct Standing {
    explicit Standing(Device device) { stand_for(device); }
    ~Standing() { stand_for(Device::cpu); }
  };
  for (Device device : gpus()) {
    const Standing standing(device);
    for (BaseForm form : {BaseForm::nf4, BaseForm::nf4_double, BaseForm::int8, BaseForm::q4_k}) {
      const int64_t rows = 160, columns = 144;
      auto used = [&](const Tensor& x, const Tensor& w) {
        reset_memory_peak(x.device());
        const int64_t before = memory_use(x.device()).total;
        const Tensor y = product_of(x, w, true), dx = product_of(y, w, false),
                     low({4, 8}, Dtype::bf16, x.device()),
                     down({8, columns}, Dtype::bf16, x.device());
        low.zero();
        down.zero();
        Tensor both = like(dx);
        product2_into(both, y, w, low, down, false, Tensor());
        return memory_use(x.device()).total_peak - before;
      };
      const Tensor made = in_blocks(form, random_matrix(rows, columns), Dtype::bf16, "w"),
                   there = blocks_on_gpu(*made.blocks(), device),
                   shapes = blocks_on_gpu(*described(form, rows, columns, Dtype::bf16, "w"),
                                          Device::shapes);
      BOOST_TEST(there.bytes() == shapes.bytes(), name(form));
      const Tensor x = random_matrix(4, columns, Dtype::bf16).to(device),
                   without({4, columns}, Dtype::bf16, Device::shapes);
      BOOST_TEST(used(x, there) == used(without, shapes), name(form));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
