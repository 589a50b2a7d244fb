// Looking at a computation: what a watcher is told, in which order, and that nobody else notices.
#include "engine/watch.h"

#include <boost/test/unit_test.hpp>

#include "engine/kernel.h"
#include "engine/ops/linear.h"
#include "engine/ops/norm.h"
#include "engine/ops/swiglu.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

// Writes down everything as words.
struct Diary : Watcher {
  std::vector<std::string> lines;
  int64_t bytes = 0, operations = 0;
  int64_t operation_ran(const WatchedOperation& op) override {
    const Here* here = Here::current();
    lines.push_back(std::string(op.name) + (op.recorded ? "" : " unrecorded") + " of " +
                    std::to_string(op.inputs.size()) + (here ? " at " + here->name() : ""));
    return operations++;
  }
  void backward_begins(int64_t number, const char* name, const Tensor& dy) override {
    lines.push_back("back " + std::to_string(number) + " " + name + " " + dy.shape().text());
  }
  void backward_ended(int64_t number, const std::function<void()>& drop) override {
    drop();
    lines.push_back("done " + std::to_string(number));
  }
  void recomputing_begins() override { lines.push_back("again"); }
  void recomputing_ended() override { lines.push_back("made"); }
  void kernel_begins(const KernelSlot& slot, std::span<const KernelArgument> arguments) override {
    std::string text = "  " + std::string(slot.name()) + " ";
    for (const KernelArgument& a : arguments) text += !a.tensor ? "." : a.written ? "w" : "r";
    lines.push_back(text);
  }
  void allocated(const Buffer& b) override { bytes += int64_t(b.bytes); }
  void freed(const Buffer& b) override { bytes -= int64_t(b.bytes); }
};

struct Parts {
  Tensor x = random_tensor({4, 8}, Dtype::f32, 1), norm = random_tensor({8}, Dtype::f32, 2),
         w = random_tensor({6, 8}, Dtype::f32, 3);
  const std::string name = "model.part";
  Parts() { w.track(); }
  // The gradient of w.
  std::vector<float> run() {
    Tape tape;
    const Here here(name);
    Tensor h = rmsnorm(x, norm, 1e-5);
    Tensor y = linear(h, w, Tensor());
    h = Tensor();
    tape.backward(y, random_tensor({4, 6}, Dtype::f32, 4));
    return w.grad().value().values();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(watching)

BOOST_AUTO_TEST_CASE(a_watcher_is_told_of_everything_in_order) {
  Parts parts;
  Diary diary;
  {
    const Watching watching(&diary);
    parts.run();
  }
  const std::vector<std::string> expected = {
      "  rmsnorm wwrr.",      "rmsnorm unrecorded of 2 at model.part",
      "  matmul wrr...r",     "linear of 3 at model.part",
      "back 1 linear (4, 6)", "again",
      "  rmsnorm wwrr.",      "made",
      "  matmul wrr...r",     "done 1"};
  BOOST_TEST(diary.lines == expected, boost::test_tools::per_element());
  BOOST_TEST(diary.bytes == int64_t(parts.w.bytes()));  // of all that came, the gradient stays
  const size_t before = diary.lines.size();
  parts.run();
  BOOST_TEST(diary.lines.size() == before);  // nobody looks any more
}

BOOST_AUTO_TEST_CASE(looking_changes_no_bit) {
  Parts watched, alone;
  Diary diary;
  std::vector<float> seen;
  {
    const Watching watching(&diary);
    seen = watched.run();
  }
  BOOST_TEST((seen == alone.run()));
}

BOOST_AUTO_TEST_CASE(a_scope_of_nobody_is_not_seen) {
  Parts parts;
  Diary diary;
  const Watching watching(&diary);
  {
    const Watching nobody(nullptr);
    parts.run();
  }
  BOOST_TEST(diary.lines.empty());
  BOOST_TEST(Watcher::current() == &diary);
}

// Of a checkpointed block the forward work is seen twice, and the block's own step around the
// second.
BOOST_AUTO_TEST_CASE(a_checkpointed_block_is_seen_again) {
  Tensor x = random_tensor({4, 8}, Dtype::f32, 1), w = random_tensor({8, 8}, Dtype::f32, 2);
  w.track();
  Diary diary;
  {
    const Watching watching(&diary);
    Tape tape;
    Tensor y = checkpoint(x, [&](const Tensor& of) { return linear(of, w, Tensor()); });
    tape.backward(y, random_tensor({4, 8}, Dtype::f32, 3));
  }
  std::vector<std::string> steps;
  for (const std::string& line : diary.lines)
    if (!line.starts_with(" ")) steps.push_back(line);
  const std::vector<std::string> expected = {
      "linear of 3", "checkpoint of 1",      "back 1 checkpoint (4, 8)",
      "linear of 3", "back 2 linear (4, 8)", "done 2",
      "done 1"};
  BOOST_TEST(steps == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
