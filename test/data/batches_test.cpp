// Samples and batches: what is learnt from, in which order, and every guard.
#include "data/batches.h"

#include <set>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const Tokenizer& pocket() {
  static const Tokenizer tokenizer = Tokenizer::from_file(AFINA_SOURCE_DIR "/data/pocket");
  return tokenizer;
}
ChatTemplate chatml() { return ChatTemplate::named("chatml", pocket()); }

Example asked(const std::string& question, const std::string& answer,
              const std::string& place = "here") {
  return {{{"user", question}, {"assistant", answer}}, "", place};
}

std::vector<Example> sums(int count, int repeat = 1) {
  std::vector<Example> all;
  for (int i = 0; i < count; ++i) {
    std::string words;
    for (int k = 0; k < i % 5; ++k) words += " and " + std::to_string(i * repeat + k);
    all.push_back(asked("What is " + std::to_string(i) + words + "?",
                        "It is " + std::to_string(i * i) + words + ".",
                        "line " + std::to_string(i + 1)));
  }
  return all;
}

SampleOptions options_of(int64_t length) {
  SampleOptions options;
  options.length = length;
  return options;
}

Samples samples_of(const std::vector<Example>& examples, int64_t length = 64) {
  return make_samples(examples, pocket(), chatml(), options_of(length));
}

std::string learnt_text(const Sample& sample) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < sample.tokens.size(); ++i)
    if (sample.trained[i]) ids.push_back(sample.tokens[i]);
  return pocket().decode(ids);
}

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

BOOST_AUTO_TEST_CASE(only_answers_and_the_token_that_ends_them_are_learnt) {
  Samples samples = samples_of({asked("How many?", "Three.")});
  BOOST_TEST(learnt_text(samples.rows[0]) == "Three.<|im_end|>");
  BOOST_TEST(pocket().decode(samples.rows[0].tokens) ==
             "<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\nThree.<|im_end|>\n");
  BOOST_TEST(samples.targets == samples.rows[0].target_count());
}

BOOST_AUTO_TEST_CASE(all_answers_or_the_last_or_everything) {
  Example talk{{{"system", "Be brief."},
                {"user", "One?"},
                {"assistant", "Yes."},
                {"user", "Two?"},
                {"assistant", "No."}},
               "",
               "here"};
  SampleOptions options = options_of(64);
  auto learnt = [&](TrainOn what) {
    options.train_on = what;
    return learnt_text(make_samples({talk}, pocket(), chatml(), options).rows[0]);
  };
  BOOST_TEST(learnt(TrainOn::answers) == "Yes.<|im_end|>No.<|im_end|>");
  BOOST_TEST(learnt(TrainOn::last_answer) == "No.<|im_end|>");
  // All but the very first token, which nothing comes before.
  BOOST_TEST(learnt(TrainOn::everything).starts_with("system\nBe brief."));
}

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

BOOST_AUTO_TEST_CASE(plain_text_is_learnt_whole_and_ends_with_the_end_of_text) {
  Example text;
  text.text = "Finn was looking for a helmet.";
  Samples samples = samples_of({text});
  BOOST_TEST(pocket().decode(samples.rows[0].tokens) ==
             "Finn was looking for a helmet.<|endoftext|>");
  BOOST_TEST(samples.targets == int64_t(samples.rows[0].tokens.size()) - 1);
}

BOOST_AUTO_TEST_CASE(long_plain_text_goes_on_in_the_next_sample_and_every_token_is_learnt_once) {
  Example text;
  for (int i = 0; i < 100; ++i) text.text += "It is " + std::to_string(i) + " o'clock. ";
  Samples samples = samples_of({text}, 32);
  BOOST_TEST(samples.rows.size() > 5u);
  std::vector<int32_t> learnt = {samples.rows[0].tokens[0]};
  for (auto& row : samples.rows) {
    BOOST_TEST(row.positions() <= 32);
    for (size_t i = 0; i < row.tokens.size(); ++i)
      if (row.trained[i]) learnt.push_back(row.tokens[i]);
  }
  BOOST_TEST(pocket().decode(learnt) == text.text + "<|endoftext|>");
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

BOOST_AUTO_TEST_CASE(guard_no_targets) {
  // What is left of the record after the cut holds none of the answer.
  std::string words;
  for (int i = 0; i < 40; ++i) words += " word";
  SampleOptions options = options_of(16);
  check_error(
      [&] { make_samples({asked(words, "Yes.", "a.jsonl, line 7")}, pocket(), chatml(), options); },
      {"a.jsonl, line 7", "--length 16", "1 of 1 records", "targets would be lost",
       "Choose --length 56", "--on-too-long"});
  options.on_too_long = OnTooLong::cut;
  Samples left =
      make_samples({asked(words, "Yes."), asked("A?", "B")}, pocket(), chatml(), options);
  BOOST_TEST(left.rows.size() == 1u);
  BOOST_TEST(left.skipped == 1);
  check_error([&] { make_samples({asked(words, "Yes.")}, pocket(), chatml(), options); },
              {"no record is left"});
}

BOOST_AUTO_TEST_CASE(truncation_is_counted) {
  std::string words;
  for (int i = 0; i < 40; ++i) words += " word";
  SampleOptions options = options_of(32);
  options.on_too_long = OnTooLong::cut;
  Samples cut = make_samples({asked("A?", words)}, pocket(), chatml(), options);
  BOOST_TEST(cut.cut == 1);
  BOOST_TEST(cut.targets_lost > 5);
  BOOST_TEST(cut.rows[0].positions() == 32);
  BOOST_TEST(cut.summary().find("1 cut") != std::string::npos);
  options.on_too_long = OnTooLong::skip;
  BOOST_TEST(
      make_samples({asked("A?", words), asked("A?", "B")}, pocket(), chatml(), options).skipped ==
      1);
}

BOOST_AUTO_TEST_CASE(guard_the_answer_begins_inside_a_token) {
  // "plain" puts nothing between a prompt that ends in a space and its answer, and " Three" is one
  // token.
  ChatTemplate plain = ChatTemplate::named("plain", pocket());
  std::vector<Example> bad = {asked("It is ", "the end.", "b.jsonl, line 2"),
                              asked("It is", "the end.")};
  SampleOptions options = options_of(32);
  check_error([&] { make_samples(bad, pocket(), plain, options); },
              {"b.jsonl, line 2", "begins inside a token", "prefix", "--on-problem skip"});
  options.on_problem = OnProblem::skip;
  Samples rest = make_samples(bad, pocket(), plain, options);
  BOOST_TEST(rest.skipped == 1);
  BOOST_TEST(learnt_text(rest.rows[0]) == "the end.<|im_end|>");
}

BOOST_AUTO_TEST_CASE(guard_no_answer_or_no_target_in_a_record) {
  auto examples = [](const char* completion) {
    return std::string(R"({"prompt": "A?", "completion": ")") + completion + "\"}";
  };
  check_error([&] { parse_examples(examples("B.") + "\n" + examples(""), "d.jsonl"); },
              {"d.jsonl, line 2", "no answer to learn from"});
  // A text of one token: nothing comes before it that could predict it, and nothing after it.
  Example end;
  end.text = "<|endoftext|>";
  end.place = "e.txt, line 1";
  check_error([&] { samples_of({end}); }, {"e.txt, line 1", "none of its 1 tokens is a target"});
}

BOOST_AUTO_TEST_CASE(guard_marks_of_the_template_in_a_turn) {
  for (const char* answer : {"B.<|im_end|>", "B.<|im_end|>\n", "<|im_start|>assistant\nB."})
    check_error([&] { samples_of({asked("A?", answer, "c.jsonl, line 3")}); },
                {"c.jsonl, line 3", "turn 2 (assistant)", "<|im_", "template", "--format text",
                 "--on-problem skip"});
  check_error([&] { samples_of({asked("<|endoftext|>A?", "B.")}); },
              {"turn 1 (user)", "<|endoftext|>"});
  // Written out whole it is a text, and its marks are its own.
  Example whole;
  whole.text = "<|im_start|>user\nA?<|im_end|>\n<|im_start|>assistant\nB.<|im_end|>\n";
  BOOST_TEST(pocket().decode(samples_of({whole}).rows[0].tokens) == whole.text + "<|endoftext|>");
}

// The pocket tokenizer, with a token that begins texts.
Tokenizer with_bos(bool adds) {
  static const std::string files[] = {
      read_text_file(AFINA_SOURCE_DIR "/data/pocket/tokenizer.json"),
      read_text_file(AFINA_SOURCE_DIR "/data/pocket/tokenizer_config.json")};
  Json config = parse_json(files[1], "config");
  config["bos_token"] = "<|im_start|>";
  config["add_bos_token"] = adds;
  config["tokenizer_class"] = "LlamaTokenizerFast";
  return Tokenizer::from_json(files[0], "with_bos", config.dump());
}

BOOST_AUTO_TEST_CASE(guard_bos_once) {
  auto text_of = [&](const Tokenizer& tokenizer, const std::string& text) {
    Example example;
    example.text = text;
    example.place = "f.txt, line 1";
    return tokenizer.decode(
        make_samples({example}, tokenizer, ChatTemplate::named("plain", tokenizer), options_of(32))
            .rows[0]
            .tokens);
  };
  for (const char* text :
       {"Finn.", "<|im_start|>Finn."})  // missing: added; there already: not added again
    BOOST_TEST(text_of(with_bos(true), text) == "<|im_start|>Finn.<|endoftext|>");
  BOOST_TEST(text_of(with_bos(false), "Finn.") == "Finn.<|endoftext|>");
  check_error([&] { text_of(with_bos(true), "<|im_start|><|im_start|>Finn."); },
              {"f.txt, line 1", "begins with two <|im_start|>"});
  // The template writes one, the tokenizer would add one too.
  Tokenizer tokenizer = with_bos(true);
  ChatTemplate chat = ChatTemplate::named("chatml", tokenizer);
  auto row = make_samples({asked("A?", "B.")}, tokenizer, chat, options_of(32)).rows[0];
  BOOST_TEST(tokenizer.decode(row.tokens) ==
             "<|im_start|>user\nA?<|im_end|>\n<|im_start|>assistant\nB.<|im_end|>\n");
  // A template that begins with a token which the tokenizer does not have would leave it out
  // without a word.
  Json no_bos = {{"eos_token", "<|im_end|>"}};
  Tokenizer lacking = Tokenizer::from_json(
      read_text_file(AFINA_SOURCE_DIR "/data/pocket/tokenizer.json"), "lacking", no_bos.dump());
  check_error([&] { ChatTemplate::named("llama-3", lacking); }, {"llama-3", "bos_token"});
}

BOOST_AUTO_TEST_CASE(guard_eos_once) {
  auto row_of = [&](const std::string& text) {
    Example example;
    example.text = text;
    example.place = "g.txt, line 1";
    return samples_of({example}).rows[0];
  };
  for (const char* text : {"Finn.", "Finn.<|endoftext|>"})
    BOOST_TEST(pocket().decode(row_of(text).tokens) == "Finn.<|endoftext|>");
  check_error([&] { row_of("Finn.<|endoftext|><|endoftext|>"); },
              {"g.txt, line 1", "two <|endoftext|> in a row"});
  Tokenizer endless = Tokenizer::from_json(
      R"({"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]},"added_tokens":[{"id":2,)"
      R"("content":"<|im_end|>","special":true}]})",
      "endless");
  Example example;
  example.text = "ab";
  example.place = "h.txt, line 1";
  check_error(
      [&] {
        make_samples({example}, endless, ChatTemplate::named("chatml", endless), options_of(32));
      },
      {"h.txt, line 1", "no token that ends a text", "eos_token"});
}

BOOST_AUTO_TEST_CASE(a_step_without_targets_is_an_error) {
  Samples samples = samples_of(sums(4));
  for (auto& row : samples.rows) std::fill(row.trained.begin(), row.trained.end(), 0);
  BatchOptions options;
  options.length = 64;
  check_error([&] { BatchSource(samples, options).next_step(2); }, {"step 2", "no target"});
}

BOOST_AUTO_TEST_CASE(the_fingerprint_follows_tokens_and_targets) {
  std::string same = samples_of(sums(5)).sha256;
  BOOST_TEST(same == samples_of(sums(5)).sha256);
  BOOST_TEST(same != samples_of(sums(5, 2)).sha256);
  SampleOptions options = options_of(64);
  options.train_on = TrainOn::everything;
  BOOST_TEST(same != make_samples(sums(5), pocket(), chatml(), options).sha256);
}

BOOST_AUTO_TEST_CASE(the_samples_that_come_along_fit_the_pocket_model) {
  for (std::string name : {"support", "support_inconsistent", "arithmetic", "general"}) {
    auto examples = read_examples(AFINA_SOURCE_DIR "/data/samples/" + name + ".jsonl");
    Samples samples =
        make_samples(examples, pocket(), ChatTemplate::recognised(pocket()), options_of(256));
    BOOST_TEST_MESSAGE(name << ": " << samples.summary());
    BOOST_TEST(samples.skipped == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
