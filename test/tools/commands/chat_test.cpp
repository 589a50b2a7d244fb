// chat through a pipe: what is answered, what each command does, and what stays on disk.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "model/files/save.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/load.h"

using namespace afina;

namespace {

struct Given {
  ScratchFolder folder;
  std::string model = source + "/data/pocket", a = folder / "a", b = folder / "b";
  Given() {
    store_adapter(a, model, "lora:rank=2,targets=q_proj+v_proj", 1);
    store_adapter(b, model, "prompt:tokens=2", 3);
  }
  Words both() const { return {"--adapter", a, "--adapter", b}; }
};
const Given& given() {
  static Given one;
  return one;
}

Said talk(const std::string& lines, Words more = {}) {
  std::istringstream in(lines);
  auto* was = std::cin.rdbuf(in.rdbuf());
  more.insert(more.begin(), {"chat", "--model", given().model, "--max-tokens", "8"});
  const Said said = run(more);
  std::cin.rdbuf(was);
  std::cin.clear();
  return said;
}
std::string answers(const std::string& lines, const Words& more = {}) {
  const Said said = talk(lines, more);
  BOOST_TEST(said.status == 0, said.err);
  return said.out;
}
// What `generate` says to one prompt.
std::string generated(const std::string& prompt, Words more = {}) {
  more.insert(more.begin(),
              {"generate", "--model", given().model, "--max-tokens", "8", "--prompt", prompt});
  return run(more).out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chat_command)

BOOST_AUTO_TEST_CASE(a_conversation_ends_in_each_way) {
  const std::string hello = generated("Hello");
  BOOST_TEST(hello.size() > 2u);
  for (const std::string end : {"", "/exit\nHello\n", "exit\nHello\n", "quit\nHello\n"})
    BOOST_TEST(answers("\n  Hello \n" + end) == hello, end);
  BOOST_TEST(answers("") == "");
  // What was said before counts: the same question is answered otherwise than alone, and as
  // generate answers it in a conversation.
  const std::string twice = answers("Hello\nWhere is my parcel?\nAnd now?\n");
  std::istringstream in("Hello\nWhere is my parcel?\nAnd now?\n");
  auto* was = std::cin.rdbuf(in.rdbuf());
  const Said same = run({"generate", "--model", given().model, "--max-tokens", "8", "--chat"});
  std::cin.rdbuf(was);
  std::cin.clear();
  BOOST_TEST(twice == same.out);
}

BOOST_AUTO_TEST_CASE(commands_do_what_help_says) {
  const std::string hello = generated("Hello"), parcel = generated("Where is my parcel?");
  BOOST_TEST(answers("Hello\n/reset\nWhere is my parcel?\n") == hello + parcel);
  BOOST_TEST(answers("Hello\n/undo\nWhere is my parcel?\n/undo\n/undo\n") == hello + parcel);
  BOOST_TEST(holds(talk("/undo\n").err, "nothing to take back"));
  BOOST_TEST(answers("/system Be brief.\nHello\n") ==
             answers("Hello\n", {"--system", "Be brief."}));
  BOOST_TEST(answers("/system Be brief.\n/system\nHello\n") == hello);
  BOOST_TEST(answers("//exit\n") == generated("/exit"));
  const Said help = talk("/help\n/nothing\n");
  for (const char* part : {"/undo", "/compare", "/save", "there is no /nothing"})
    BOOST_TEST(holds(help.err, part), part);
  BOOST_TEST(help.out == "");
  // A command with words that it does not take is none; without a slash it is said.
  const Said now = talk("/exit now\n/undo it\nHello\n");
  BOOST_TEST(holds(now.err, "/exit stands alone on its line"), now.err);
  BOOST_TEST(holds(now.err, "/undo stands alone on its line"), now.err);
  BOOST_TEST(now.out == hello);
  BOOST_TEST(answers("exit now\n") == generated("exit now"));
}

BOOST_AUTO_TEST_CASE(adapters_change_and_answer_side_by_side) {
  const std::string hello = generated("Hello"), of_a = generated("Hello", {"--adapter", given().a}),
                    of_b = generated("Hello", {"--adapter", given().b});
  BOOST_TEST(of_a != hello);
  BOOST_TEST(answers("Hello\n/undo\n/adapter b\nHello\n/undo\n/adapter base\nHello\n",
                     given().both()) == of_a + of_b + hello);
  BOOST_TEST(answers("Hello\n", {"--adapter", given().a, "--use", "base"}) == hello);
  const Said names = talk("/adapter\n/adapter c\n", given().both());
  BOOST_TEST(holds(names.err, "base, a (answers), b"), names.err);
  BOOST_TEST(holds(names.err, "no adapter of the name 'c'"));

  // Side by side: both answers, and the conversation goes on with the first one's.
  auto first_words = [](const std::string& text) { return text.substr(0, text.find(' ', 4)); };
  const Said pair = talk("/compare a b\nHello\n/compare off\n/undo\nHello\n", given().both());
  BOOST_TEST(holds(pair.err, "a and b answer"), pair.err);
  for (auto& one : {of_a, of_b}) BOOST_TEST(holds(pair.out, first_words(one)), pair.out);
  BOOST_TEST(pair.out.ends_with(of_a), pair.out);
  BOOST_TEST(pair.out.starts_with("a"), pair.out);
  BOOST_TEST(holds(talk("/compare\n", given().both()).err, "a and base answer"));
  BOOST_TEST(holds(talk("/compare a\n", given().both()).err, "a answers already"));
  BOOST_TEST(holds(talk("/compare\n").err, "no adapter to compare"));
}

BOOST_AUTO_TEST_CASE(a_conversation_is_saved_as_a_record) {
  const std::string path = given().folder / "talk.jsonl";
  const Said said = talk("/save " + path + "\nHello\n/save " + path + "\n/save " + path + "\n",
                         {"--system", "Be brief."});
  BOOST_TEST(said.status == 0);
  BOOST_TEST(holds(said.err, "is there already"), said.err);
  std::filesystem::remove(path);
  // Nor over a link that leads nowhere.
  std::filesystem::create_symlink(given().folder / "nowhere", path);
  BOOST_TEST(holds(talk("Hello\n/save " + path + "\n").err, "is there already"));
  // A system text alone is no record to train on.
  const std::string alone = given().folder / "alone.jsonl";
  BOOST_TEST(holds(talk("/system X\nHello\n/undo\n/save " + alone + "\n").err,
                   "nothing was answered yet"));
  BOOST_TEST(!std::filesystem::exists(alone));
  BOOST_TEST(holds(talk("/save " + given().folder.path() + "/none/y.jsonl\nHello\n/save " +
                        given().folder.path() + "/none/y.jsonl\n")
                       .err,
                   "there is no folder"));
  BOOST_TEST(holds(talk("/compare off now\n").err, "stands alone"));
  BOOST_TEST(std::filesystem::is_symlink(path));
  std::filesystem::remove(path);
  talk("Hello\n/save " + path + "\n/save\n/save " + given().folder.path() + "/none/x.jsonl\n");
  const std::vector<Example> records = read_examples(path);
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_REQUIRE(records[0].messages.size() == 2u);
  BOOST_TEST(records[0].messages[0].content == "Hello");
  BOOST_TEST(records[0].messages[1].content + "\n" == generated("Hello"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_meant_is_refused) {
  auto refused = [](const Words& more, int status, const std::string& part) {
    const Said said = talk("Hello\n", more);
    BOOST_TEST(said.status == status, said.err);
    BOOST_TEST(holds(said.err, part), said.err);
  };
  refused({"--use", "a"}, 2, "--use chooses among --adapter");
  refused({"--adapter", given().a, "--use", "c"}, 2, "no adapter of the name 'c'");
  const Said none = run({"chat", "--model", given().model, "--max-tokens", "0"});
  BOOST_TEST(none.status == 1);
  BOOST_TEST(holds(none.err, "expected at least 1"), none.err);
  refused({"--top-k", "3"}, 2, "--temperature");
  // A question that is too long is said, and the conversation goes on.
  std::string longer;
  for (int i = 0; i < 3000; ++i) longer += "word ";
  const Said said = talk(longer + "\nHello\n");
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "error: "), said.err);
  BOOST_TEST(said.out.ends_with(generated("Hello")), said.out);
}

BOOST_AUTO_TEST_SUITE_END()
