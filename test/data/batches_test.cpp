// Batches: in which order samples come, in which rows, and what of them is held out.
#include "data/batches.h"

#include <map>
#include <set>

#include "test/data/samples.h"

using namespace afina;
using namespace afina::samples_test;

namespace {

// Tokens and targets of every document of a batch, by use.
std::map<int64_t, std::vector<std::pair<int32_t, int32_t>>> documents_in(
    const std::vector<Batch>& batches) {
  std::map<int64_t, std::vector<std::pair<int32_t, int32_t>>> all;
  for (auto& batch : batches)
    for (size_t i = 0; i < batch.tokens.size(); ++i)
      if (batch.samples[i] >= 0)
        all[batch.samples[i]].emplace_back(batch.tokens[i], batch.targets[i]);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(targets_are_the_next_token) {
  Samples samples = samples_of({asked("How many?", "Three.")});
  const Sample& sample = samples.rows[0];
  BatchOptions options;
  options.length = 64;
  Batch batch = BatchSource(samples, options).next_step(0)[0];
  for (size_t t = 0; t + 1 < sample.tokens.size(); ++t) {
    BOOST_TEST(batch.tokens[t] == sample.tokens[t]);
    BOOST_TEST(batch.targets[t] == (sample.trained[t + 1] ? sample.tokens[t + 1] : -1));
  }
  // The position that holds the last token of the prompt predicts the first of the answer: nothing
  // before it is a target.
  std::vector<int32_t> prompt =
      pocket().encode("<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\n");
  BOOST_TEST(batch.targets[prompt.size() - 1] == sample.tokens[prompt.size()]);
  for (size_t t = 0; t + 1 < prompt.size(); ++t) BOOST_TEST(batch.targets[t] == -1);
  BOOST_TEST(batch.target_count == sample.target_count());
}

BOOST_AUTO_TEST_CASE(a_packed_document_is_what_it_is_unpacked) {
  Samples samples = samples_of(sums(40));
  BatchOptions packed, alone;
  packed.length = alone.length = 128;
  packed.batch = 4;
  alone.batch = 40;
  alone.pack = false;
  int64_t steps = BatchSource(samples, packed).steps_per_epoch();
  BOOST_TEST(steps < 10);
  std::map<int64_t, std::vector<std::pair<int32_t, int32_t>>> in_rows;
  for (int64_t step = 0; step < steps; ++step)
    for (auto& [use, document] : documents_in(BatchSource(samples, packed).next_step(step)))
      if (use < 40) in_rows[use] = document;
  auto by_themselves = documents_in(BatchSource(samples, alone).next_step(0));
  BOOST_TEST(in_rows.size() == 40u);
  BOOST_CHECK(in_rows == by_themselves);
}

BOOST_AUTO_TEST_CASE(documents_begin_at_even_positions_and_see_only_themselves) {
  Samples samples = samples_of(sums(60));
  BatchOptions options;
  options.batch = 3;
  options.length = 128;
  for (int64_t step = 0; step < 4; ++step)
    for (auto& batch : BatchSource(samples, options).next_step(step)) {
      BOOST_TEST(batch.length % 8 == 0);
      for (int64_t r = 0; r < batch.rows; ++r)
        for (int64_t t = 0; t < batch.length; ++t) {
          size_t i = size_t(r * batch.length + t),
                 start = size_t(r * batch.length + batch.starts[i]);
          BOOST_REQUIRE(batch.starts[i] % 2 == 0 && batch.starts[i] <= t);
          BOOST_REQUIRE(batch.samples[i] == batch.samples[start]);
          bool begins = batch.starts[i] == t;
          if (t > 0 && batch.samples[i] >= 0)
            BOOST_REQUIRE(begins == (batch.samples[i] != batch.samples[i - 1]));
          if (batch.samples[i] < 0) BOOST_REQUIRE(batch.targets[i] == -1);
          // The last position of a document never points into the next one.
          if (t + 1 < batch.length && batch.samples[i + 1] != batch.samples[i] &&
              batch.targets[i] >= 0)
            BOOST_REQUIRE(batch.targets[i] != batch.tokens[i + 1]);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_rows_of_a_step_do_not_depend_on_how_it_is_split) {
  Samples samples = samples_of(sums(50));
  for (bool pack : {true, false}) {
    std::vector<std::vector<Batch>> splits;
    for (auto [batch, accumulate] : {std::pair(8, 1), {4, 2}, {2, 4}, {1, 8}}) {
      BatchOptions options;
      options.batch = batch;
      options.accumulate = accumulate;
      options.length = 64;
      options.pack = pack;
      options.seed = 3;
      BatchSource source(samples, options);
      std::vector<Batch> joined;
      for (int64_t step : {0, 1, 7}) {
        Batch all;
        for (auto& part : source.next_step(step)) {
          BOOST_REQUIRE(all.length == 0 || all.length == part.length);
          all.rows += part.rows;
          all.length = part.length;
          all.target_count += part.target_count;
          all.tokens.insert(all.tokens.end(), part.tokens.begin(), part.tokens.end());
          all.targets.insert(all.targets.end(), part.targets.begin(), part.targets.end());
          all.starts.insert(all.starts.end(), part.starts.begin(), part.starts.end());
          all.samples.insert(all.samples.end(), part.samples.begin(), part.samples.end());
        }
        joined.push_back(all);
      }
      splits.push_back(joined);
    }
    for (auto& split : splits)
      for (size_t i = 0; i < split.size(); ++i) {
        BOOST_CHECK(split[i].tokens == splits[0][i].tokens);
        BOOST_CHECK(split[i].targets == splits[0][i].targets);
        BOOST_CHECK(split[i].starts == splits[0][i].starts);
        BOOST_CHECK(split[i].samples == splits[0][i].samples);
        BOOST_TEST(split[i].target_count == splits[0][i].target_count);
      }
  }
}

BOOST_AUTO_TEST_CASE(any_step_can_be_asked_for_first) {
  Samples samples = samples_of(sums(30));
  BatchOptions options;
  options.batch = 4;
  options.length = 64;
  options.seed = 5;
  BatchSource in_order(samples, options);
  std::vector<std::vector<int32_t>> tokens;
  for (int64_t step = 0; step < 20; ++step) tokens.push_back(in_order.next_step(step)[0].tokens);
  for (int64_t step : {19, 3, 11})
    BOOST_CHECK(BatchSource(samples, options).next_step(step)[0].tokens == tokens[size_t(step)]);
}

BOOST_AUTO_TEST_CASE(every_epoch_has_every_sample_once_in_an_order_of_its_own) {
  Samples samples = samples_of(sums(30));
  BatchOptions options;
  options.batch = 5;
  options.length = 64;
  options.pack = false;
  options.seed = 5;
  BatchSource source(samples, options);
  std::set<int64_t> seen;
  for (int64_t step = 0; step < 12; ++step)
    for (auto& [use, document] : documents_in(source.next_step(step)))
      BOOST_TEST(seen.insert(use).second);
  BOOST_TEST(seen.size() == 60u);
  BOOST_TEST(*seen.rbegin() == 59);
  BOOST_CHECK(source.order(0) != source.order(1));
  BOOST_CHECK(source.order(3) == BatchSource(samples, options).order(3));
  BatchOptions other = options;
  other.seed = 6;
  BOOST_CHECK(source.order(0) != BatchSource(samples, other).order(0));
}

BOOST_AUTO_TEST_CASE(evaluation_sees_every_sample_once) {
  Samples samples = samples_of(sums(23));
  BatchOptions options;
  options.batch = 4;
  options.length = 64;
  auto all = documents_in(BatchSource(samples, options).once());
  BOOST_TEST(all.size() == 23u);
  int64_t targets = 0;
  for (auto& batch : BatchSource(samples, options).once()) targets += batch.target_count;
  BOOST_TEST(targets == samples.targets);
}

BOOST_AUTO_TEST_CASE(held_out_rows_never_meet_training_rows) {
  std::vector<Example> examples = sums(40);
  for (int i = 0; i < 10; ++i) examples.push_back(examples[size_t(i)]);  // the same question again
  Split split = split_examples(examples, 8, 1);
  BOOST_TEST(split.held_out.size() == 8u);
  std::set<std::string> held_out;
  for (auto& example : split.held_out)
    BOOST_TEST(held_out.insert(example.messages[0].content).second);
  for (auto& example : split.train) BOOST_TEST(!held_out.count(example.messages[0].content));
  require_disjoint(samples_of(split.train), samples_of(split.held_out));
  auto again = split_examples(examples, 8, 1), other = split_examples(examples, 8, 2);
  BOOST_CHECK(again.held_out[0].messages == split.held_out[0].messages);
  std::set<std::string> others;
  for (auto& example : other.held_out) others.insert(example.messages[0].content);
  BOOST_CHECK(others != held_out);
  check_error([&] { split_examples(sums(3), 3, 1); }, {"--held-out", "0 to 2"});
}

BOOST_AUTO_TEST_CASE(guard_validation_rows_in_training) {
  Samples train = samples_of(sums(10)), eval = samples_of({asked("Other?", "Yes."), sums(10)[4]});
  check_error([&] { require_disjoint(train, eval); },
              {"1 of 2", "validation record 2", "training record 5"});
}

BOOST_AUTO_TEST_CASE(a_step_without_targets_is_an_error) {
  Samples samples = samples_of(sums(4));
  for (auto& row : samples.rows) std::fill(row.trained.begin(), row.trained.end(), 0);
  BatchOptions options;
  options.length = 64;
  check_error([&] { BatchSource(samples, options).next_step(2); }, {"step 2", "no target"});
}

BOOST_AUTO_TEST_SUITE_END()
