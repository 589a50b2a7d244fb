// eval, generate and merge with several adapters and with sums of LoRAs, and what merge certifies.
#include "engine/files/atomic_file.h"
#include "model/files/save.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/load.h"

using namespace afina;

namespace {

// Three adapters on the pocket model that change what it says. Made once.
struct Adapters {
  ScratchFolder folder;
  std::string model = source + "/data/pocket", a = folder / "a", b = folder / "b",
              prompt = folder / "c", data;
  Adapters() {
    store_adapter(a, model, "lora:rank=2,targets=q_proj+v_proj", 1);
    store_adapter(b, model, "lora:rank=3,targets=*.mlp.*", 2);
    store_adapter(prompt, model, "prompt:tokens=2", 3);
    data = folder.put(
        "data.jsonl",
        "{\"prompt\": \"Where is my parcel?\", \"completion\": \"It is on its way.\"}\n"
        "{\"prompt\": \"Can I send it back?\", \"completion\": \"Yes, within thirty days.\"}\n");
  }
  std::string sum() const { return "both=" + a + ":0.5+" + b + ":-0.25"; }
};
const Adapters& all() {
  static Adapters one;
  return one;
}

Said ran(Words words) {
  words.insert(words.begin() + 1, {"--model", all().model});
  Said said = run(words);
  BOOST_TEST(said.status == 0, said.err);
  return said;
}
void check_refused(Words words, int status, std::initializer_list<std::string> parts) {
  words.insert(words.begin() + 1, {"--model", all().model});
  const Said said = run(words);
  BOOST_TEST(said.status == status, said.err);
  for (auto& part : parts) BOOST_TEST(holds(said.err, part), part << " is not in: " << said.err);
}
// The line of a table that begins with this word and two blanks.
std::string line_of(const std::string& text, const std::string& word) {
  const size_t at = ("\n" + text).find("\n" + word + "  ");
  return at == text.npos ? "" : text.substr(at, text.find('\n', at) - at);
}
// The number of a table's line before the last one.
std::string loss_in(const std::string& line) {
  std::istringstream words(line);
  std::string before, last;
  for (std::string word; words >> word;) {
    before = last;
    last = word;
  }
  return before;
}
std::string after(const std::string& text, const std::string& word) {
  std::istringstream rest(text.substr(std::min(text.size(), text.find(word) + word.size())));
  std::string found;
  rest >> found;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(several_commands)

BOOST_AUTO_TEST_CASE(eval_has_a_row_for_each) {
  const std::string losses = all().folder / "losses.jsonl";
  const Said table =
      ran({"eval", "--data", all().data, "--adapter", all().a, "--adapter", all().b, "--adapter",
           all().sum(), "--adapter", all().prompt, "--merged", "--out", losses});
  for (const std::string name : {"base", "a", "b", "c"}) BOOST_TEST_CONTEXT(name) {
      Words one = {"eval", "--data", all().data};
      if (name != "base") one.insert(one.end(), {"--adapter", all().folder / name});
      const std::string alone = after(ran(one).out, "loss per target");
      BOOST_TEST(loss_in(line_of(table.out, name)) == alone, table.out);
      if (name == "a" || name == "b")
        BOOST_TEST(loss_in(line_of(table.out, name + ", merged")) == alone);
    }
  BOOST_TEST(!line_of(table.out, "both, merged").empty());
  BOOST_TEST(line_of(table.out, "c, merged").empty());
  BOOST_TEST(holds(table.err, "c cannot be merged"));
  const std::string text = read_text_file(losses);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2 * 8);
  BOOST_TEST(holds(text, "\"adapter\":\"b, merged\""));

  const Said text_of =
      ran({"eval", "--text", "Good morning", "--adapter", all().a, "--adapter", all().prompt});
  for (const std::string name : {"base", "a", "c"}) BOOST_TEST(!line_of(text_of.out, name).empty());
  check_refused({"eval", "--data", all().data, "--merged"}, 2, {"--merged", "--adapter"});
  check_refused({"eval", "--text", "x", "--logits-out", all().folder / "l.safetensors", "--adapter",
                 all().a, "--adapter", all().b},
                2, {"--logits-out", "one model"});
  check_refused({"eval", "--text", "x", "--adapter", all().a, "--adapter", all().a}, 2,
                {"second adapter of the name 'a'"});
}

BOOST_AUTO_TEST_CASE(generate_answers_with_each) {
  const Words prompt = {"generate", "--prompt", "Where is my parcel?", "--max-tokens", "8"};
  auto with = [&](const Words& more) {
    Words words = prompt;
    words.insert(words.end(), more.begin(), more.end());
    return ran(words).out;
  };
  const Words live = {"--adapter", all().a, "--adapter", all().prompt, "--adapter", all().sum()};
  const std::string answers = with(live);
  const std::string of_a = with({"--adapter", all().a}), of_c = with({"--adapter", all().prompt});
  BOOST_TEST(answers.starts_with("a:\n" + of_a + "\nc:\n" + of_c + "\nboth:\n"), answers);
  auto use = [&](const std::string& name) {
    Words words = live;
    words.insert(words.end(), {"--use", name});
    return with(words);
  };
  BOOST_TEST(use("c") == "c:\n" + of_c);
  BOOST_TEST(use("base") == "base:\n" + with({}));

  Words wrong = prompt;
  wrong.insert(wrong.end(), live.begin(), live.end());
  wrong.insert(wrong.end(), {"--use", "d"});
  check_refused(wrong, 2, {"no adapter of the name 'd'", "base, a, c, both"});
  wrong = prompt;
  wrong.insert(wrong.end(), {"--adapter", all().a, "--use", "a"});
  check_refused(wrong, 2, {"--use chooses among several"});
}

BOOST_AUTO_TEST_CASE(a_conversation_changes_its_adapter) {
  auto talk = [&](Words words, const std::string& lines) {
    std::istringstream in(lines);
    auto* was = std::cin.rdbuf(in.rdbuf());
    words.insert(words.begin(), {"generate", "--chat", "--max-tokens", "6"});
    const Said said = ran(words);
    std::cin.rdbuf(was);
    std::cin.clear();
    return said;
  };
  const std::string alone = talk({"--adapter", all().b}, "Hello\n").out;
  const Said said = talk({"--adapter", all().a, "--adapter", all().b},
                         "/use b\nHello\n/use d\n/use base\nAnd now?\n");
  BOOST_TEST(said.out.starts_with(alone), said.out);
  BOOST_TEST(holds(said.err, "(b answers)"));
  BOOST_TEST(holds(said.err, "no adapter of the name 'd'"));
  BOOST_TEST(holds(said.err, "(base answers)"));
}

BOOST_AUTO_TEST_CASE(merge_writes_models_sums_and_certificates) {
  const std::string out = all().folder / "merged";
  const Said said = ran({"merge", "--adapter", all().a, "--adapter", all().sum(), "--out", out,
                         "--dtype", "bf16", "--agreement", "0.9", "--data", all().data});
  BOOST_TEST(holds(said.out, "bf16, written and read again"));
  BOOST_TEST(holds(said.out, "f32, for comparison"));
  BOOST_TEST(holds(said.out, "2 rows of "));
  for (const std::string name : {"a", "both"}) {
    const Json found = parse_json_file(out + "/" + name + "/certificate.json");
    const Json& stored = found.at("stored_as");
    BOOST_TEST(found.at("written_as") == "bf16");
    BOOST_TEST(found.at("holds") == true);
    BOOST_TEST(stored.at("f32").at("largest_difference").get<double>() <
               stored.at("bf16").at("largest_difference").get<double>());
    BOOST_TEST(stored.at("f32").at("same_next_token") == stored.at("f32").at("positions"));
  }
  BOOST_TEST(parse_json_file(out + "/both/certificate.json").at("adapters").size() == 2u);
  // What the certificate says of the dtype that was not written is what writing it says.
  const std::string f32 = all().folder / "f32";
  ran({"merge", "--adapter", all().a, "--out", f32, "--data", all().data});
  const Json one = parse_json_file(f32 + "/certificate.json").at("stored_as"),
             other = parse_json_file(out + "/a/certificate.json").at("stored_as");
  BOOST_TEST(to_text(one) == to_text(other));

  check_refused({"merge", "--adapter", all().a, "--out", all().folder / "no", "--dtype", "bf16",
                 "--agreement", "0", "--kl", "0"},
                1, {"nats per position", "(--kl)", "nothing was written"});
  check_refused({"merge", "--adapter", all().a, "--out", all().folder / "no", "--text", "x",
                 "--data", all().data},
                2, {"not on both"});
  check_refused({"merge", "--adapter", all().prompt, "--out", all().folder / "no"}, 1,
                {"cannot be merged"});
  BOOST_TEST(!std::filesystem::exists(all().folder / "no"));
}

BOOST_AUTO_TEST_CASE(a_sum_is_written_as_an_adapter) {
  const std::string out = all().folder / "sum";
  const Said said = ran({"merge", "--adapter", all().sum(), "--as", "adapter", "--out", out});
  BOOST_TEST(holds(said.out, "Written as one LoRA both"));
  const Json config = parse_json_file(out + "/adapter_config.json");
  BOOST_TEST(config.at("peft_type") == "LORA");
  BOOST_TEST(config.at("base_model_name_or_path") == all().model);
  BOOST_TEST(parse_json_file(out + "/certificate.json").at("method") == "lora");
  // It says what the sum says.
  const Words prompt = {"generate",     "--prompt", "Where is my parcel?",
                        "--max-tokens", "8",        "--adapter"};
  Words stored = prompt, live = prompt;
  stored.push_back(out);
  live.push_back(all().sum());
  BOOST_TEST("both:\n" + ran(stored).out == ran(live).out);
  check_refused(
      {"merge", "--adapter", all().prompt, "--as", "adapter", "--out", all().folder / "no"}, 1,
      {"its method is 'prompt'"});
  check_refused({"merge", "--adapter", all().sum(), "--as", "adapter", "--dtype", "bf16", "--out",
                 all().folder / "no"},
                2, {"--dtype"});
}

BOOST_AUTO_TEST_SUITE_END()
