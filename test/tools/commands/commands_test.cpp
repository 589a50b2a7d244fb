// The smaller commands as a user runs them: exit status, what is printed, what is written.
#include <boost/test/unit_test.hpp>
#include <iostream>
#include <sstream>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "engine/files/safetensors.h"
#include "engine/isa.h"
#include "model/files/save.h"
#include "test/scratch.h"
#include "tools/options/command.h"
#include "tools/text/format.h"

using namespace afina;

namespace {

struct Ran {
  int status;
  std::string out, err;
};
// Runs `afina words...` in this process with these lines as standard input.
Ran run(const std::vector<std::string>& words, const std::string& input = "") {
  std::ostringstream out, err;
  std::istringstream in(input);
  auto *old_out = std::cout.rdbuf(out.rdbuf()), *old_err = std::cerr.rdbuf(err.rdbuf()),
       *old_in = std::cin.rdbuf(in.rdbuf());
  int status = run_program(words);
  std::cout.rdbuf(old_out);
  std::cerr.rdbuf(old_err);
  std::cin.rdbuf(old_in);
  std::cin.clear();
  return {status, out.str(), err.str()};
}
void check_has(const std::string& text, std::initializer_list<std::string> words) {
  for (auto& word : words)
    BOOST_CHECK_MESSAGE(text.find(word) != text.npos, "'" << word << "' is not in: " << text);
}
// It ends with this status and says all of these on standard error.
void check_refused(const std::vector<std::string>& words, int status,
                   std::initializer_list<std::string> said) {
  Ran ran = run(words);
  BOOST_CHECK_MESSAGE(ran.status == status, "status " << ran.status << ", " << ran.err);
  check_has(ran.err, said);
}

// A random Llama with the tokenizer of the embedded model, an adapter that changes what it says,
// and some records. Made once.
struct Small {
  ScratchFolder folder;
  std::string model = folder / "model", adapter = folder / "adapter", data;
  Small() {
    std::string source = std::string(AFINA_SOURCE_DIR) + "/data/pocket";
    int64_t vocabulary = Tokenizer::from_file(source).size();
    Json json{{"model_type", "llama"},
              {"vocab_size", vocabulary},
              {"hidden_size", 32},
              {"num_hidden_layers", 2},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"intermediate_size", 48},
              {"rms_norm_eps", 1e-5},
              {"max_position_embeddings", 256},
              {"tie_word_embeddings", true},
              {"hidden_act", "silu"},
              {"rope_theta", 10000.},
              {"architectures", {"LlamaForCausalLM"}}};
    ModelConfig config = parse_config(json, "test");
    RandomWeights weights(3);
    save_model(model, *build_model(config, weights, make_method(parse_method("full")), {}),
               Dtype::f32);
    Tokenizer::from_file(source).save(model);
    auto adapted = build_model(config, weights,
                               make_method(parse_method("lora:rank=4,targets=q_proj+v_proj")), {});
    for (Parameter* p : adapted->parameters->trained()) {
      p->init = {Init::normal, 0.6f};
      initialise(*p, 5);
    }
    save_adapter(adapter, *adapted, model);
    data = folder.put(
        "data.jsonl",
        "{\"prompt\": \"Where is my parcel?\", \"completion\": \"It is on its way.\"}\n"
        "{\"prompt\": \"Can I send it back?\", \"completion\": \"Yes, within thirty days.\"}\n");
  }
};
const Small& small() {
  static Small one;
  return one;
}
// What follows a word in a table: the first blank-separated text after it.
std::string after(const std::string& text, const std::string& word) {
  size_t at = text.find(word);
  if (at == text.npos) return "";
  std::istringstream rest(text.substr(at + word.size()));
  std::string found;
  rest >> found;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_test)

BOOST_AUTO_TEST_CASE(the_program_says_what_it_can_do) {
  Ran help = run({"--help"});
  BOOST_CHECK_EQUAL(help.status, 0);
  check_has(help.out, {"generate", "eval", "merge", "inspect", "show"});
  for (const char* command : {"generate", "eval", "merge", "inspect", "show"}) {
    Ran one = run({command, "--help"});
    BOOST_CHECK_EQUAL(one.status, 0);
    check_has(one.out, {"Usage: afina " + std::string(command),
                        "  afina " + std::string(command) + " --model", "--threads", "--config"});
  }
  // The same words in the order that other programs take them.
  for (const char* command : {"generate", "compare"})
    BOOST_CHECK_EQUAL(run({"help", command}).out, run({command, "--help"}).out);
  BOOST_CHECK_EQUAL(run({"help"}).out, help.out);
  BOOST_CHECK_EQUAL(run({"help", "version"}).out, help.out);
  BOOST_CHECK_EQUAL(run({"version"}).out, run({"--version"}).out);
  check_has(run({"version"}).out, {"afina "});
  check_refused({"help", "generat"}, 2, {"no command 'generat'", "'generate'"});
  check_refused({"help", "train", "compare"}, 2, {"one command", "'compare'"});
  check_refused({"versoin"}, 2, {"'version'"});
  check_refused({}, 2, {});
  check_refused({"generat"}, 2, {"no command 'generat'", "generate"});
}

BOOST_AUTO_TEST_CASE(unknown_options_are_refused) {
  for (const char* command : {"generate", "eval", "merge", "inspect", "show"}) {
    check_refused({command, "--modle", "x"}, 2,
                  {"--modle", "did you mean '--model'", std::string("afina ") + command});
    check_refused({command, "stray"}, 2, {"afina"});
  }
  check_refused({"generate", "--prompt", "x"}, 2, {"--model"});
  check_refused({"generate", "--model", "/no/such/model", "--prompt", "x"}, 1, {"/no/such/model"});
}

// Boost puts values into its messages in the place of such words.
BOOST_AUTO_TEST_CASE(a_value_may_look_like_a_place_in_a_message) {
  for (const char* value : {"%value%", "x%option%%value%", "%canonical_option%", "50%"})
    check_refused({"generate", "--threads", value}, 2, {value, "threads"});
}

BOOST_AUTO_TEST_CASE(generate_answers) {
  std::vector<std::string> words{
      "generate",     "--model", small().model, "--prompt", "Where is my parcel?",
      "--max-tokens", "12"};
  Ran first = run(words), again = run(words);
  BOOST_CHECK_EQUAL(first.status, 0);
  BOOST_CHECK(!first.out.empty() && first.out.back() == '\n');
  BOOST_CHECK_EQUAL(first.out, again.out);
  check_has(first.err, {"tokens of prompt", "new ones"});
  words.insert(words.end(), {"--adapter", small().adapter});
  BOOST_CHECK_NE(run(words).out, first.out);
}

BOOST_AUTO_TEST_CASE(generate_draws_by_seed) {
  std::vector<std::string> words{"generate",      "--model",   small().model,  "--raw",
                                 "--prompt",      "The river", "--max-tokens", "12",
                                 "--temperature", "1.5",       "--seed"};
  auto with_seed = [&](const char* seed) {
    auto all = words;
    all.push_back(seed);
    return run(all).out;
  };
  BOOST_CHECK_EQUAL(with_seed("1"), with_seed("1"));
  BOOST_CHECK_NE(with_seed("1"), with_seed("2"));
}

BOOST_AUTO_TEST_CASE(generate_holds_a_conversation) {
  Ran chat = run({"generate", "--model", small().model, "--chat", "--max-tokens", "5", "--system",
                  "Be brief."},
                 "Good morning\nWhere is it?\n");
  BOOST_CHECK_EQUAL(chat.status, 0);
  size_t answers = 0;
  for (size_t at = 0; (at = chat.err.find("tokens of prompt", at)) != chat.err.npos; ++at)
    ++answers;
  BOOST_CHECK_EQUAL(answers, 2u);
  // A long one loses its beginning and goes on.
  std::string lines;
  for (int i = 0; i < 12; ++i)
    lines +=
        "Could you please tell me once more where my parcel is and when it will arrive at my "
        "house?\n";
  Ran full = run({"generate", "--model", small().model, "--chat", "--max-tokens", "20"}, lines);
  BOOST_CHECK_EQUAL(full.status, 0);
  check_has(full.err, {"oldest exchange"});
}

BOOST_AUTO_TEST_CASE(generate_refuses_what_does_not_go_together) {
  std::vector<std::string> base{"generate", "--model", small().model};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  check_refused(base, 2, {"--prompt", "--chat"});
  check_refused(with({"--prompt", "x", "--chat"}), 2, {"either"});
  check_refused(with({"--prompt", "x", "--raw", "--system", "y"}), 2, {"--raw"});
  check_refused(with({"--prompt", "x", "--top-k", "3"}), 2, {"--temperature"});
  check_refused(with({"--prompt", "x", "--template", "nonsense"}), 1, {"nonsense"});
  check_refused(with({"--prompt", "", "--raw"}), 1, {"empty"});
  check_refused(with({"--prompt", "x", "--top-p", "1.5", "--temperature", "1"}), 1, {"top-p"});
  check_refused(with({"--prompt", "x", "--dtype", "f12"}), 2, {"f12", "bf16"});
  check_refused(with({"--prompt", "x", "--adapter", "/no/such"}), 1, {"/no/such"});
}

BOOST_AUTO_TEST_CASE(eval_measures_records) {
  std::string losses = small().folder / "losses.jsonl";
  Ran plain = run({"eval", "--model", small().model, "--data", small().data, "--out", losses});
  BOOST_CHECK_EQUAL(plain.status, 0);
  double mean = std::stod(after(plain.out, "loss per target")), sum = 0, targets = 0;
  std::istringstream lines(read_text_file(losses));
  for (std::string line; std::getline(lines, line);) {
    Json one = parse_json(line, "losses");
    sum += one["loss"].get<double>() * one["targets"].get<double>();
    targets += one["targets"].get<double>();
    check_has(one["place"].get<std::string>(), {"data.jsonl"});
  }
  BOOST_CHECK_SMALL(mean - sum / targets, 1e-4);
  BOOST_CHECK_EQUAL(after(plain.out, "\ntargets"), std::to_string(int(targets)));
  // One row at a time and a longer row give the same losses; an adapter others.
  Ran one = run({"eval", "--model", small().model, "--data", small().data, "--batch", "1",
                 "--length", "128"});
  BOOST_CHECK_EQUAL(after(one.out, "loss per target"), after(plain.out, "loss per target"));
  Ran adapted =
      run({"eval", "--model", small().model, "--data", small().data, "--adapter", small().adapter});
  BOOST_CHECK_NE(after(adapted.out, "loss per target"), after(plain.out, "loss per target"));
}

BOOST_AUTO_TEST_CASE(eval_measures_perplexity_in_windows) {
  std::string words = "The river rises in the mountains and passes two old mill towns. ";
  std::string text = small().folder.put("text.txt", words + words + words + words);
  Ran ran = run({"eval", "--model", small().model, "--data", text, "--windows", "--length", "16",
                 "--tokens", "40"});
  BOOST_CHECK_EQUAL(ran.status, 0);
  BOOST_CHECK_EQUAL(after(ran.out, "windows"), "3");
  BOOST_CHECK_EQUAL(after(ran.out, "\ntargets"), "37");  // 15 + 15 + 7
  // The same from logits of the first window alone.
  auto ids = Tokenizer::from_file(small().model).encode(words);
  ids.resize(16);
  std::string list;
  for (int32_t id : ids) list += (list.empty() ? "" : ",") + std::to_string(id);
  Ran window = run({"eval", "--model", small().model, "--data", text, "--windows", "--length", "16",
                    "--tokens", "16"});
  Ran same = run({"eval", "--model", small().model, "--ids", list});
  BOOST_CHECK_SMALL(std::stod(after(window.out, "loss per target")) -
                        std::stod(after(same.out, "loss per token")),
                    2e-4);
}

BOOST_AUTO_TEST_CASE(eval_writes_logits) {
  std::string file = small().folder / "logits.safetensors";
  Ran ran = run({"eval", "--model", small().model, "--text", "Good morning", "--logits-out", file});
  BOOST_CHECK_EQUAL(ran.status, 0);
  Safetensors written(file);
  auto &ids = written.at("input_ids"), &logits = written.at("logits");
  BOOST_CHECK(ids.type == StoredType::i32 && logits.type == StoredType::f32);
  BOOST_REQUIRE_EQUAL(logits.shape.size(), 3u);
  BOOST_CHECK_EQUAL(logits.shape[1], ids.shape[1]);
  BOOST_CHECK_EQUAL(logits.shape[2], Tokenizer::from_file(small().model).size());
}

BOOST_AUTO_TEST_CASE(eval_refuses_what_does_not_go_together) {
  std::vector<std::string> base{"eval", "--model", small().model};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  check_refused(base, 2, {"--data", "--text", "--ids"});
  check_refused(with({"--data", small().data, "--text", "x"}), 2, {"one of"});
  check_refused(with({"--ids", "1,2,"}), 1, {"1,2,"});
  check_refused(with({"--ids", "1,99999"}), 1, {"99999"});
  check_refused(with({"--text", "x", "--windows"}), 2, {"--windows"});
  check_refused(with({"--data", small().data, "--tokens", "9"}), 2, {"--windows"});
  check_refused(with({"--data", small().data, "--logits-out", "x.safetensors"}), 2,
                {"--logits-out"});
  check_refused(with({"--data", "/no/such.jsonl"}), 1, {"/no/such.jsonl"});
  check_refused(with({"--data", small().data, "--length", "100000"}), 1, {"2 to 256", "context"});
}

BOOST_AUTO_TEST_CASE(show_shows_what_is_learned) {
  Ran ran = run({"show", "--model", small().model, "--data", small().data});
  BOOST_CHECK_EQUAL(ran.status, 0);
  check_has(ran.out, {"line 1", "learned", "Where is my parcel?"});
  BOOST_CHECK(ran.out.find('\x1b') == ran.out.npos);  // not a terminal, so no colour
  BOOST_CHECK(ran.out.find("line 2") == ran.out.npos);
  check_has(run({"show", "--model", small().model, "--data", small().data, "--record", "2"}).out,
            {"line 2", "send it back"});
  check_has(run({"show", "--model", small().model, "--data", small().data, "--records", "9"}).out,
            {"line 1", "line 2"});
  // The mean over the learned tokens is eval's loss of that record.
  std::string losses = small().folder / "show.jsonl";
  Ran loss = run({"show", "--model", small().model, "--adapter", small().adapter, "--data",
                  small().data, "--loss"});
  run({"eval", "--model", small().model, "--adapter", small().adapter, "--data", small().data,
       "--out", losses});
  Json first =
      parse_json(read_text_file(losses).substr(0, read_text_file(losses).find('\n')), "losses");
  BOOST_CHECK_SMALL(
      std::stod(after(loss.out, "loss per learned token:")) - first["loss"].get<double>(), 1e-4);
  check_refused({"show", "--model", small().model}, 2, {"--data"});
  check_refused({"show", "--model", small().model, "--data", small().data, "--record", "7"}, 1,
                {"no record 7", "2 were read"});
  check_refused({"show", "--model", small().model, "--data", small().data, "--record", "0"}, 1,
                {"--record 0"});
  // An adapter may have a chat template beside it.
  check_refused({"show", "--model", small().model, "--data", small().data, "--adapter", "/nowhere"},
                1, {"/nowhere"});
  check_refused({"show", "--model", small().model, "--data", small().data, "--dtype", "bf16"}, 2,
                {"--loss"});
}

BOOST_AUTO_TEST_CASE(inspect_adds_up) {
  Ran ran = run({"inspect", "--model", small().model, "--method", "lora:rank=4,targets=q_proj",
                 "--method", "full"});
  BOOST_CHECK_EQUAL(ran.status, 0);
  int64_t vocabulary = Tokenizer::from_file(small().model).size();
  // One layer: q and o 32x32, k and v 16x32, three of 48x32 and two norms; A (4, 32) and B (32, 4)
  // in both.
  int64_t layer = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 48 * 32 + 2 * 32,
          base = vocabulary * 32 + 2 * layer + 32, added = 2 * 2 * 4 * 32;
  int64_t rotary = 256 * 8;  // the table of rotary embedding: positions of the context, head_dim
  check_has(ran.out, {format_grouped(base + added), "model.layers.*.self_attn.q_proj.lora_A",
                      "tokenizer", "chat template", format_bytes(double(base + rotary) * 4),
                      format_bytes(double(added) * 8)});
  check_has(run({"inspect", "--model", small().model, "--tensors"}).out,
            {"model.layers.1.mlp.down_proj.weight", "F32", "[32, 48]"});
  check_has(run({"inspect", "--model", small().model, "--adapter", small().adapter}).out,
            {"q_proj.lora_B", small().adapter});
  check_has(
      run({"inspect", "--model", std::string(AFINA_SOURCE_DIR) + "/test/stored/tiny/gpt2"}).out,
      {"gpt2", "tokenizer: none", "transformer.h.*.attn.c_attn"});
  check_refused({"inspect"}, 2, {"--model", "--kernels"});
  check_refused({"inspect", "--model", small().model, "--method", "lora:rnk=4"}, 1,
                {"rnk", "rank"});
}

BOOST_AUTO_TEST_CASE(inspect_lists_kernels) {
  Ran ran = run({"inspect", "--kernels"});
  BOOST_CHECK_EQUAL(ran.status, 0);
  check_has(ran.out,
            {"matmul", "attention_backward", "adamw", "scalar", std::string(name(isa())) + "*"});
}

BOOST_AUTO_TEST_CASE(merge_certifies_and_writes) {
  std::string out = small().folder / "merged";
  Ran ran = run({"merge", "--model", small().model, "--adapter", small().adapter, "--out", out});
  BOOST_CHECK_MESSAGE(ran.status == 0, ran.err);
  check_has(ran.out, {"largest |Δlogit|", "same next token", "100 %", "written to"});
  std::vector<std::string> prompt{"--prompt", "Where is my parcel?", "--max-tokens", "12"},
      merged{"generate", "--model", out},
      apart{"generate", "--model", small().model, "--adapter", small().adapter};
  merged.insert(merged.end(), prompt.begin(), prompt.end());
  apart.insert(apart.end(), prompt.begin(), prompt.end());
  BOOST_CHECK_EQUAL(run(merged).out, run(apart).out);
  check_refused({"merge", "--model", small().model, "--adapter", small().adapter, "--out", out}, 1,
                {"exists already"});
}

BOOST_AUTO_TEST_CASE(merge_keeps_nothing_it_cannot_certify) {
  std::string out = small().folder / "refused";
  size_t before = small().folder.entries();
  // What a merge that was killed left behind (with a draft's mark) goes with the next one; what
  // only looks like it stays.
  for (const char* left : {".draft-999999999", ".draft-9x"})
    std::filesystem::create_directory(out + left);
  write_text_file(out + ".draft-999999999/.afina-draft", "");
  std::vector<std::string> words{"merge", "--model", small().model, "--adapter", small().adapter,
                                 "--out", out,       "--dtype",     "bf16",      "--agreement",
                                 "1"};
  // An adapter that swings the logits, rounded to bf16: some choice changes.
  Ran ran = run(words);
  BOOST_CHECK_EQUAL(ran.status, 1);
  check_has(ran.err, {"nothing was written", "--force"});
  BOOST_TEST(std::filesystem::remove(out + ".draft-9x"));
  BOOST_CHECK_EQUAL(small().folder.entries(), before);
  words.push_back("--force");
  Ran forced = run(words);
  BOOST_CHECK_EQUAL(forced.status, 0);
  check_has(forced.out, {"--force"});
  BOOST_CHECK_EQUAL(small().folder.entries(), before + 1);
}

BOOST_AUTO_TEST_SUITE_END()
