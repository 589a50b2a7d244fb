// Matrices in blocks: the bits of bitsandbytes, and products that equal unpacking first.
#include "engine/blocks.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "engine/bf16_sums.h"
#include "engine/files/dequantize.h"
#include "engine/files/safetensors.h"
#include "engine/gemm_table.h"
#include "engine/ops/embedding.h"
#include "engine/ops/low_rank.h"
#include "engine/primitives.h"
#include "engine/random.h"
#include "engine/threads.h"

using namespace afina;

namespace {

const Safetensors& stored() {
  static const Safetensors file(AFINA_SOURCE_DIR "/test/stored/blocks.safetensors");
  return file;
}
std::vector<float> numbers(const std::string& name) {
  const StoredTensor& t = stored().at(name);
  std::vector<float> values(size_t(t.count()));
  to_f32(t.type, t.data, values.data(), t.count());
  return values;
}
bool has(const std::string& name) { return stored().find(name) != nullptr; }
const char* const cases[] = {"random", "odd",         "zeros", "equal", "tiny",
                             "below",  "short_zeros", "huge",  "edges", "many"};

std::vector<uint8_t> bytes_at(const std::string& name) {
  const StoredTensor& t = stored().at(name);
  std::vector<uint8_t> bytes(t.bytes);
  std::memcpy(bytes.data(), t.data, t.bytes);
  return bytes;
}
template <class T>
std::vector<uint8_t> bytes_of(const T* from, size_t count) {
  std::vector<uint8_t> bytes(count * sizeof(T));
  std::memcpy(bytes.data(), from, bytes.size());
  return bytes;
}
// What flushing makes of values: denormals become zeros of their sign.
std::vector<float> flushed(std::vector<float> values) {
  for (float& x : values) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    if (!(bits & 0x7f800000u)) bits &= 0x80000000u;
    std::memcpy(&x, &bits, 4);
  }
  return values;
}
bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

Tensor values_of(const std::string& name) {
  const std::vector<int64_t> shape = stored().at(name + ".x").shape;
  return Tensor::from(numbers(name + ".x"), {shape[0], shape[1]});
}

Tensor random_matrix(int64_t rows, int64_t columns, Dtype dtype = Dtype::f32, int seed = 1) {
  const Random random(uint64_t(seed), "blocks test", "matrix");
  std::vector<float> values(size_t(rows * columns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = random.normal(i) * 0.1f;
  return Tensor::from(values, {rows, columns}, dtype);
}

constexpr BaseForm forms[] = {BaseForm::nf4,  BaseForm::nf4_double, BaseForm::fp4,  BaseForm::int8,
                              BaseForm::q4_0, BaseForm::q4_1,       BaseForm::q5_0, BaseForm::q5_1,
                              BaseForm::q8_0, BaseForm::q4_k,       BaseForm::q5_k, BaseForm::q6_k};

}  // namespace

BOOST_AUTO_TEST_SUITE(blocks)

BOOST_AUTO_TEST_CASE(four_bits_are_those_of_bitsandbytes) {
  flush_denormals();
  for (const std::string name : cases)
    for (BaseForm form : {BaseForm::nf4, BaseForm::fp4}) {
      const std::string key = name + "." + afina::name(form);
      const Tensor x = values_of(name), b = in_blocks(form, x, Dtype::f32, name);
      const std::vector<uint8_t> codes = bytes_at(key), scales = bytes_at(key + ".absmax");
      BOOST_TEST((bytes_of(b.blocks()->data, codes.size()) == codes), key);
      BOOST_TEST((bytes_of(b.blocks()->scales, scales.size()) == scales), key << " scales");
      if (!has(key + ".f32")) continue;
      BOOST_TEST(same_bits(b.values(), flushed(numbers(key + ".f32"))), key << " in f32");
      BOOST_TEST(same_bits(in_blocks(form, x, Dtype::bf16, name).values(),
                           flushed(numbers(key + ".bf16"))),
                 key << " in bf16");
    }
}

BOOST_AUTO_TEST_CASE(scales_of_eight_bits_are_those_of_bitsandbytes) {
  flush_denormals();
  BOOST_TEST(same_bits(dynamic_map(), numbers("map")));
  const std::vector<float> y = numbers("y");
  const std::vector<uint8_t> index = bytes_at("index");
  int other = 0;
  for (size_t i = 0; i < y.size(); ++i) other += dynamic_index(y[i]) != index[i];
  BOOST_TEST(other == 0);
  int exact = 0;
  for (const std::string name : cases) {
    if (name == "tiny" || name == "below") continue;  // differences of denormals are flushed
    const Tensor b = in_blocks(BaseForm::nf4_double, values_of(name), Dtype::bf16, name);
    const float offset = numbers(name + ".double.offset")[0];
    // torch adds the scales up in an order of its own; the offset is stored, so any mean will do.
    BOOST_TEST(std::fabs(b.blocks()->offset - offset) <= 2e-7 * std::fabs(offset), name);
    if (b.blocks()->offset != offset) continue;
    ++exact;
    const std::vector<uint8_t> codes = bytes_at(name + ".double.codes"),
                               scales = bytes_at(name + ".double.scales");
    BOOST_TEST((bytes_of(b.blocks()->scales, codes.size()) == codes), name);
    BOOST_TEST((bytes_of(b.blocks()->scale_scales, scales.size()) == scales), name);
    BOOST_TEST(same_bits(b.values(), flushed(numbers(name + ".double.bf16"))), name);
  }
  BOOST_TEST(exact >= 5);
}

BOOST_AUTO_TEST_CASE(int8_is_that_of_bitsandbytes) {
  flush_denormals();
  int seen = 0;
  for (const std::string name : cases) {
    if (!has(name + ".int8")) continue;
    ++seen;
    const Tensor b = in_blocks(BaseForm::int8, values_of(name), Dtype::f32, name);
    const std::vector<uint8_t> codes = bytes_at(name + ".int8"), scales = bytes_at(name + ".SCB");
    BOOST_TEST((bytes_of(b.blocks()->data, codes.size()) == codes), name);
    BOOST_TEST((bytes_of(b.blocks()->scales, scales.size()) == scales), name);
    if (has(name + ".int8.f32"))
      BOOST_TEST(same_bits(b.values(), numbers(name + ".int8.f32")), name);
  }
  BOOST_TEST(seen >= 5);
  const Tensor zeros = in_blocks(BaseForm::int8, values_of("zeros"), Dtype::f32, "zeros");
  BOOST_TEST((zeros.values() == std::vector<float>(128, 0.f)));
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_refused_by_name) {
  for (BaseForm form : forms)
    for (float bad : {float(NAN), -float(INFINITY)}) {
      Tensor x = random_matrix(4, 64);
      x.data<float>()[77] = bad;
      BOOST_CHECK_EXCEPTION(in_blocks(form, x, Dtype::f32, "w"), Error, [](const Error& e) {
        const std::string text = e.what();
        return text.starts_with("w:") && text.find("77") != text.npos;
      });
    }
  BOOST_CHECK_THROW(in_blocks(BaseForm::q4_k, random_matrix(3, 64), Dtype::f32, "w"), Error);
  BOOST_CHECK_THROW(in_blocks(BaseForm::nf4, random_matrix(1, 64), Dtype::f64, "w"), Error);
}

BOOST_AUTO_TEST_CASE(each_takes_the_bytes_it_says) {
  const Tensor x = random_matrix(8, 64);
  for (BaseForm form : forms) {
    const int64_t before = memory_use(Device::cpu).now[size_t(Purpose::weights)];
    const Tensor b = in_blocks(form, x, Dtype::f32, "w");
    const size_t bytes = bytes_of(form, 8, 64, "w");
    BOOST_TEST(b.bytes() == bytes);
    BOOST_TEST(memory_use(Device::cpu).now[size_t(Purpose::weights)] - before == int64_t(bytes));
    BOOST_TEST(
        in_blocks(form, Tensor({8, 64}, Dtype::f32, Device::shapes), Dtype::f32, "w").bytes() ==
        bytes);
  }
}

// Every form, dtype, order of sums, instruction set and number of threads: the bits of a product
// with the matrix unpacked.
BOOST_AUTO_TEST_CASE(products_equal_unpacking_first) {
  struct Size {
    int64_t m, out, in;
  };
  // One row, few, more than are streamed, little of B, and rows that share blocks.
  for (const Size s : {Size{1, 64, 256}, Size{3, 40, 96}, Size{50, 72, 544}, Size{256, 24, 32}})
    for (BaseForm form : forms) {
      if (s.out * s.in % (form >= BaseForm::q4_k ? 256 : 32)) continue;
      for (Dtype dtype : {Dtype::f32, Dtype::bf16})
        for (Bf16Sums sums : {Bf16Sums::pairs, Bf16Sums::tiles}) {
          if (dtype == Dtype::f32 && sums == Bf16Sums::tiles) continue;
          const SumsScope scope(sums);
          const Tensor w = in_blocks(form, random_matrix(s.out, s.in), dtype, "w"),
                       plain = w.as(dtype), x = random_matrix(s.m, s.in, dtype, 2),
                       dy = random_matrix(s.m, s.out, dtype, 3);
          const Tensor y = product_of(x, plain, true), dx = product_of(dy, plain, false);
          for (Isa isa : usable_isas())
            for (int threads : {1, 3}) {
              set_thread_count(threads);
              const Isa before = afina::isa();
              set_isa(isa);
              const std::string what = std::string(name(form)) + " " + name(dtype) + " " +
                                       std::to_string(s.m) + " " + name(isa);
              BOOST_TEST(same_bits(product_of(x, w, true).values(), y.values()), what);
              BOOST_TEST(same_bits(product_of(dy, w, false).values(), dx.values()), what << " dx");
              BOOST_TEST(same_bits(w.values(), plain.values()), what << " unpacked");
              set_isa(before);
            }
        }
    }
  set_thread_count(2);
}

BOOST_AUTO_TEST_CASE(rows_of_a_file_in_another_order) {
  const Tensor w = in_blocks(BaseForm::q8_0, random_matrix(6, 32), Dtype::f32, "w");
  auto turned = std::make_shared<Blocks>(*w.blocks());
  turned->order = {4, 1, 0, 5, 3, 2};
  const Tensor t = over_blocks(turned, w.bytes(), Device::cpu, "w");
  const std::vector<float> before = w.values(), after = t.values();
  for (size_t r = 0; r < 6; ++r)
    for (size_t c = 0; c < 32; ++c)
      BOOST_TEST(after[r * 32 + c] == before[size_t(turned->order[r]) * 32 + c]);
  const Tensor x = random_matrix(5, 32);
  BOOST_TEST(
      same_bits(product_of(x, t, true).values(), product_of(x, t.as(Dtype::f32), true).values()));
}

BOOST_AUTO_TEST_CASE(scales_that_are_damaged_are_named) {
  const Tensor w = in_blocks(BaseForm::q4_0, random_matrix(4, 64), Dtype::f32, "w");
  std::vector<uint8_t> bytes = bytes_of(w.blocks()->data, w.bytes());
  bytes[18 * 5 + 1] = 0x7e;  // a NaN in f16
  auto damaged = std::make_shared<Blocks>(*w.blocks());
  damaged->data = bytes.data();
  BOOST_CHECK_EXCEPTION(over_blocks(damaged, bytes.size(), Device::cpu, "model.gguf: tensor 'w'"),
                        Error, [](const Error& e) {
                          const std::string text = e.what();
                          return text.starts_with("model.gguf: tensor 'w': number 160 of 256") &&
                                 text.find("scale is damaged") != text.npos;
                        });
}

// A layer, its low-rank path, its rows' lengths, and the embedding.
BOOST_AUTO_TEST_CASE(operations_equal_those_of_the_matrix_unpacked) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    const Tensor w = in_blocks(BaseForm::nf4, random_matrix(24, 40), dtype, "w"),
                 plain = w.as(dtype), a = random_matrix(4, 40, dtype, 4),
                 b = random_matrix(24, 4, dtype, 5);
    auto run = [&](const Tensor& weight) {
      Tensor x = random_matrix(6, 40, dtype, 6).viewed({2, 3, 40});
      x.track(dtype);
      Tape tape;
      Tensor y = linear_lora(x, x, weight, Tensor(), a, b, 2.);
      tape.backward(sum(y * y));
      return x.grad().value().values();
    };
    BOOST_TEST(same_bits(run(w), run(plain)));
    const Tensor squares = row_squares(w);
    BOOST_TEST(same_bits(squares.values(), row_squares(plain).values()));
    BOOST_TEST(same_bits(low_rank_row_norms(w, squares, a, b, 2.).values(),
                         low_rank_row_norms(plain, squares, a, b, 2.).values()));
    const Tensor ids = Tensor::from(std::vector<int32_t>{3, 0, 23, 3}, {1, 4});
    BOOST_TEST(same_bits(embedding(w, ids).values(), embedding(plain, ids).values()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
