// Several trainings in one process: in turns and in threads of their own, each with another order
// of bf16's sums, and each with the bits it has alone.
#include <boost/test/unit_test.hpp>
#include <optional>
#include <thread>

#include "engine/loop_settings.h"
#include "engine/packed.h"
#include "test/engine/train/training_steps.h"

using namespace afina;
using namespace afina::reference_training;

namespace {

// A training in bf16 that is moved on step by step.
class Session {
 public:
  Session(Bf16Sums sums, bool packing) : sums_(sums), packing_(packing) {
    in_scope([&] {
      model_ = tiny_model("llama", "lora:rank=4,dropout=0.1", Dtype::bf16);
      rows_.emplace(Safetensors(tiny + "llama/train_full.safetensors"));
      TrainOptions o;
      o.schedule = {3e-3, rows_->batches, 1, Decay::cosine, 0.1};
      trainer_ = std::make_unique<Trainer>(model_->parameters->trained(), o, model_->method.get());
    });
  }
  int64_t steps() const { return rows_->batches; }
  void move(int64_t at) {
    in_scope([&] { step(*trainer_, *model_, *rows_, at, 2); });
  }
  std::string digest() const { return digest_of(std::as_const(*model_->parameters).trained()); }

 private:
  template <class F>
  void in_scope(F&& f) const {
    SumsScope sums(sums_);
    PackScope pack(packing_);
    f();
  }
  Bf16Sums sums_;
  bool packing_;
  std::unique_ptr<Model> model_;
  std::optional<Rows> rows_;
  std::unique_ptr<Trainer> trainer_;
};

std::string alone(Bf16Sums sums, bool packing) {
  Session session(sums, packing);
  for (int64_t i = 0; i < session.steps(); ++i) session.move(i);
  return session.digest();
}

struct Threads {
  int before = thread_count();
  Threads() { set_thread_count(3); }
  ~Threads() { set_thread_count(before); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sessions, Threads)

BOOST_AUTO_TEST_CASE(in_turns_have_the_bits_they_have_alone) {
  const std::string pairs = alone(Bf16Sums::pairs, false), tiles = alone(Bf16Sums::tiles, true);
  BOOST_TEST(pairs != tiles);
  Session one(Bf16Sums::pairs, false), two(Bf16Sums::tiles, true);
  for (int64_t i = 0; i < one.steps(); ++i) {
    one.move(i);
    two.move(i);
  }
  BOOST_TEST(one.digest() == pairs);
  BOOST_TEST(two.digest() == tiles);
}

BOOST_AUTO_TEST_CASE(in_threads_have_the_bits_they_have_alone) {
  const std::string pairs = alone(Bf16Sums::pairs, true), tiles = alone(Bf16Sums::tiles, false);
  Session one(Bf16Sums::pairs, true), two(Bf16Sums::tiles, false);
  std::vector<std::thread> all;
  for (Session* session : {&one, &two})
    all.emplace_back([session] {
      for (int64_t i = 0; i < session->steps(); ++i) session->move(i);
    });
  for (std::thread& thread : all) thread.join();
  BOOST_TEST(one.digest() == pairs);
  BOOST_TEST(two.digest() == tiles);
}

// The workers of a loop compute under the settings of the thread that started it.
BOOST_AUTO_TEST_CASE(settings_reach_the_workers_of_a_loop_and_end_with_their_scope) {
  for (Bf16Sums order : {Bf16Sums::tiles, Bf16Sums::pairs}) {
    SumsScope sums(order);
    PackScope pack(order == Bf16Sums::tiles);
    std::atomic<int> others{0};
    for (int round = 0; round < 200; ++round)
      parallel_for(12, 1, [&](int64_t, int64_t) {
        others += bf16_sums() != order || packing_constants() != (order == Bf16Sums::tiles);
      });
    BOOST_TEST(others == 0);
  }
  BOOST_TEST(int(bf16_sums()) == int(Bf16Sums::pairs));
  BOOST_TEST(!packing_constants());
}

BOOST_AUTO_TEST_SUITE_END()
