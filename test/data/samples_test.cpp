// Samples: what of an example is learned, and every guard.
#include "test/data/samples.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

using namespace afina;
using namespace afina::samples_test;

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(only_answers_and_the_token_that_ends_them_are_learned) {
  Samples samples = samples_of({asked("How many?", "Three.")});
  BOOST_TEST(learned_text(samples.rows[0]) == "Three.<|im_end|>");
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
  auto learned = [&](TrainOn what) {
    options.train_on = what;
    return learned_text(make_samples({talk}, pocket(), chatml(), options).rows[0]);
  };
  BOOST_TEST(learned(TrainOn::answers) == "Yes.<|im_end|>No.<|im_end|>");
  BOOST_TEST(learned(TrainOn::last_answer) == "No.<|im_end|>");
  // All but the very first token, which nothing comes before.
  BOOST_TEST(learned(TrainOn::everything).starts_with("system\nBe brief."));
}

BOOST_AUTO_TEST_CASE(plain_text_is_learned_whole_and_ends_with_the_end_of_text) {
  Example text;
  text.text = "Finn was looking for a helmet.";
  Samples samples = samples_of({text});
  BOOST_TEST(pocket().decode(samples.rows[0].tokens) ==
             "Finn was looking for a helmet.<|endoftext|>");
  BOOST_TEST(samples.targets == int64_t(samples.rows[0].tokens.size()) - 1);
}

BOOST_AUTO_TEST_CASE(long_plain_text_goes_on_in_the_next_sample_and_every_token_is_learned_once) {
  Example text;
  for (int i = 0; i < 100; ++i) text.text += "It is " + std::to_string(i) + " o'clock. ";
  Samples samples = samples_of({text}, 32);
  BOOST_TEST(samples.rows.size() > 5u);
  std::vector<int32_t> learned = {samples.rows[0].tokens[0]};
  for (auto& row : samples.rows) {
    BOOST_TEST(row.positions() <= 32);
    for (size_t i = 0; i < row.tokens.size(); ++i)
      if (row.trained[i]) learned.push_back(row.tokens[i]);
  }
  BOOST_TEST(pocket().decode(learned) == text.text + "<|endoftext|>");
}

BOOST_AUTO_TEST_CASE(guard_no_targets) {
  // What is left of the record after the cut holds none of the answer.
  std::string words;
  for (int i = 0; i < 40; ++i) words += " word";
  SampleOptions options = options_of(16);
  check_error(
      [&] { make_samples({asked(words, "Yes.", "a.jsonl, line 7")}, pocket(), chatml(), options); },
      {"a.jsonl, line 7", "--length 16", "1 of 1 record is", "targets would be lost",
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
  BOOST_TEST(learned_text(rest.rows[0]) == "the end.<|im_end|>");
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
  check_error([&] { samples_of({end}); }, {"e.txt, line 1", "none of its 1 token is a target"});
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
  Json json = parse_json(files[0], "tokenizer");
  if (adds)
    json["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", {{{"SpecialToken", {{"id", "<|im_start|>"}}}}, {{"Sequence", {{"id", "A"}}}}}}};
  return Tokenizer::from_json(to_text(json), "with_bos", config.dump());
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

// The pocket tokenizer with another chat template.
Tokenizer with_template(const std::string& jinja) {
  Json config = parse_json_file(AFINA_SOURCE_DIR "/data/pocket/tokenizer_config.json");
  config["chat_template"] = jinja;
  return Tokenizer::from_json(read_text_file(AFINA_SOURCE_DIR "/data/pocket/tokenizer.json"),
                              "with_template", config.dump());
}

BOOST_AUTO_TEST_CASE(ids_and_targets_are_those_of_transformers) {
  const Json all = parse_json_file(AFINA_SOURCE_DIR "/test/stored/chat_masks.json");
  BOOST_TEST(all.size() == 24u);
  for (auto& one : all) {
    Example example;
    for (auto& turn : one["messages"]) example.messages.push_back({turn["role"], turn["content"]});
    Tokenizer tokenizer = with_template(one["jinja"]);
    Sample row =
        make_samples({example}, tokenizer, ChatTemplate::own(tokenizer), options_of(128)).rows[0];
    BOOST_TEST_CONTEXT(one["name"].text()) {
      BOOST_TEST(row.tokens == one["ids"].get<std::vector<int32_t>>());
      std::vector<int> trained(row.trained.begin(), row.trained.end());
      BOOST_TEST(trained == one["mask"].get<std::vector<int>>());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_template_that_is_not_certain_is_a_problem_of_the_record) {
  Tokenizer tokenizer = with_template(
      "{% for m in messages %}{{ m.content }}{% if m.content != 'B.' %}<|im_end|>{% endif %}"
      "{% endfor %}");
  ChatTemplate chat = ChatTemplate::own(tokenizer);
  std::vector<Example> examples = {asked("A?", "B.", "d.jsonl, line 1"), asked("A?", "C.")};
  SampleOptions options = options_of(32);
  check_error([&] { make_samples(examples, tokenizer, chat, options); },
              {"d.jsonl, line 1", "chat template", "turn 2 (assistant)", "<|im_end|>", "1 of 2",
               "--on-problem skip"});
  options.on_problem = OnProblem::skip;
  Samples rest = make_samples(examples, tokenizer, chat, options);
  BOOST_TEST(rest.skipped == 1);
  BOOST_TEST(learned_text(rest.rows[0]) == "C.<|im_end|>");
  // Plain text needs no template, not even one that can be parsed.
  Tokenizer broken = with_template("{% unknown %}");
  Example text;
  text.text = "Finn.";
  text.place = "d.txt, line 1";
  Samples plain = make_samples({text}, broken, ChatTemplate::own(broken), options);
  BOOST_TEST(broken.decode(plain.rows[0].tokens) == "Finn.<|endoftext|>");
}

BOOST_AUTO_TEST_CASE(what_nothing_reads_is_named_once_with_its_count) {
  const std::string rows =
      R"({"id": 1, "messages": [{"role": "user", "content": "A?", "name": "Ann"}, )"
      R"({"role": "assistant", "content": "B.", "refusal": null}]})"
      "\n"
      R"({"id": 2, "source": "x", "messages": [{"role": "user", "content": "A?", "name": "Bo"}, )"
      R"({"role": "assistant", "content": "C.", "weight": 1}]})";
  Samples samples = samples_of(parse_examples(rows, "d.jsonl"));
  BOOST_TEST(samples.conversations == 2);
  BOOST_REQUIRE(samples.notes.size() == 3u);
  BOOST_TEST(samples.notes[0] == "the key \"id\" of 2 records is not read");
  BOOST_TEST(samples.notes[1] == "the key \"source\" of 1 record is not read");
  BOOST_TEST(samples.notes[2] == "the key \"name\" of 2 turns is not read by chatml");
  // A template without a prompt for answers: the heading is learned, and the user is told.
  Tokenizer heads = with_template(
      "{% for m in messages %}{{ m.role + ':' + m.content + '<|im_end|>' }}{% endfor %}");
  Samples headed =
      make_samples({asked("A?", "B.")}, heads, ChatTemplate::own(heads), options_of(32));
  BOOST_TEST(learned_text(headed.rows[0]) == "assistant:B.<|im_end|>");
  BOOST_REQUIRE(headed.notes.size() == 1u);
  BOOST_TEST(headed.notes[0].find("\"assistant:\"") != std::string::npos);
  Tokenizer dated = with_template(
      "{{ strftime_now('%Y') }}{{ messages[0].content + "
      "messages[1].content + messages[1].name + eos_token }}");
  Example example = asked("A?", "B.");
  example.messages[1].more = OrderedJson::parse(R"({"name": "Ann"})");
  SampleOptions options = options_of(32);
  options.train_on = TrainOn::everything;
  auto notes = make_samples({example}, dated, ChatTemplate::own(dated), options).notes;
  BOOST_REQUIRE(notes.size() == 1u);
  BOOST_TEST(notes[0].find("2024-07-26") != std::string::npos);
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
        make_samples(examples, pocket(), ChatTemplate::own(pocket()), options_of(256));
    BOOST_TEST_MESSAGE(name << ": " << samples.summary());
    BOOST_TEST(samples.skipped == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
