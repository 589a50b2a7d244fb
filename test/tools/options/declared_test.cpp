// Man pages and completion: every option of every command is in them, with its values.
#include "tools/options/declared.h"

#include <boost/test/unit_test.hpp>
#include <iostream>
#include <sstream>

#include "test/scratch.h"
#include "tools/options/command.h"

using namespace afina;

namespace {

struct Printed {
  int status;
  std::string out, err;
};
Printed run(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  auto *old_out = std::cout.rdbuf(out.rdbuf()), *old_err = std::cerr.rdbuf(err.rdbuf());
  const int status = run_program(words);
  std::cout.rdbuf(old_out);
  std::cerr.rdbuf(old_err);
  return {status, out.str(), err.str()};
}
void check_has(const std::string& text, const std::string& word) {
  BOOST_CHECK_MESSAGE(text.find(word) != text.npos, "'" << word << "' is not in: " << text);
}
std::string roff(const std::string& text) {  // as manual.cpp writes dashes, and bars in lists
  std::string out;
  for (const char c : text) out += c == '-' ? "\\-" : c == '|' ? "|\\:" : std::string(1, c);
  return out;
}
// From a line that has `from` in it to the one before the next that has `to`.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from);
  if (begin == text.npos) return "";
  return text.substr(begin, text.find(to, begin + from.size()) - begin);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(declared)

BOOST_AUTO_TEST_CASE(every_command_declares_its_options_and_prints_nothing_meanwhile) {
  std::ostringstream out;
  auto* old_out = std::cout.rdbuf(out.rdbuf());
  const std::vector<Declared> all = declared_commands();
  std::cout.rdbuf(old_out);
  BOOST_TEST(out.str() == "");
  BOOST_TEST(all.size() == commands().size());
  for (const Declared& one : all) {
    BOOST_TEST(one.takes("help"), one.name);
    BOOST_TEST(one.takes("threads"), one.name);
    BOOST_TEST(one.intro.size() > 20, one.name);
  }
  check_has(run({"compare", "--help"}).out, "--retain-tokens");  // as it was before
}

BOOST_AUTO_TEST_CASE(a_man_page_has_every_option_with_its_values_and_default) {
  for (const Declared& one : declared_commands()) {
    const Printed page = run({"man", one.name});
    BOOST_TEST(page.status == 0, page.err);
    check_has(page.out, ".TH AFINA-");
    check_has(run({"man"}).out, "\\fB" + roff(one.name) + "\\fR\n");
    const std::string listed = page.out.substr(page.out.find(".SH OPTIONS\n"));
    for (const Option& o : one.options) {
      const std::string place = between(listed, "\\fB" + roff("--" + o.name) + "\\fR", ".TP\n");
      BOOST_TEST(!place.empty(), one.name << " --" << o.name);
      for (const std::string& word : o.words) check_has(place, roff(word));
      if (!o.shown.empty()) check_has(place, "Default: ");
      if (o.required) check_has(place, "Required.");
    }
  }
  check_has(run({"man", "compare"}).out, "\\fIf32|\\:bf16|\\:bf16\\-tiles\\fR");
  check_has(run({"man", "compare"}).out, roff("--retain data/samples/general.jsonl \\e\n"));
}

BOOST_AUTO_TEST_CASE(man_writes_all_pages_and_refuses_an_unknown_command) {
  ScratchFolder folder;
  BOOST_TEST(run({"man", "--out", folder / "pages"}).status == 0);
  for (auto& [name, command] : commands())
    BOOST_TEST(std::filesystem::exists(folder / ("pages/afina-" + name + ".1")), name);
  BOOST_TEST(std::filesystem::exists(folder / "pages/afina.1"));
  const Printed wrong = run({"man", "comparr"});
  BOOST_TEST(wrong.status == 2);
  check_has(wrong.err, "did you mean 'compare'");
}

BOOST_AUTO_TEST_CASE(completion_has_every_option_and_its_values) {
  const std::string bash = run({"completion", "bash"}).out, zsh = run({"completion", "zsh"}).out,
                    fish = run({"completion", "--shell", "fish"}).out;
  for (const Declared& one : declared_commands()) {
    const std::string in_bash = between(bash, "\n    " + one.name + ") options='", "'\n") + " ",
                      in_zsh = between(zsh, "\n    " + one.name + ")\n", ";;");
    for (const Option& o : one.options) {
      check_has(in_bash, "--" + o.name);
      check_has(in_zsh, "--" + o.name + (o.flag ? "[" : "=["));
      const std::string in_fish = between(fish, "from " + one.name + "' -l " + o.name + " ", "\n");
      BOOST_TEST(!in_fish.empty(), one.name << " --" << o.name);
      std::string words;
      for (const std::string& word : choices_of(o)) words += (words.empty() ? "" : " ") + word;
      if (words.empty()) continue;
      check_has(in_fish, words);
      if (o.names == Names::templates) continue;
      check_has(in_zsh, words);
      check_has(bash, "choices='" + words + "'");
    }
  }
  check_has(fish, "-x -a 'adalora beft");
  BOOST_TEST(run({"completion", "tcsh"}).status == 2);
  check_has(run({"completion"}).err, "expected bash, zsh or fish");
}

BOOST_AUTO_TEST_CASE(what_an_option_names_follows_from_its_declaration) {
  for (const Declared& one : declared_commands())
    for (const Option& o : one.options) {
      const std::string where = one.name + " --" + o.name;
      if (o.name == "model") BOOST_TEST(bool(o.names == Names::files), where);
      if (o.name == "adapter") BOOST_TEST(bool(o.names == Names::folders), where);
      if (o.name == "method") BOOST_TEST(bool(o.names == Names::methods), where);
      if (o.name == "steps") BOOST_TEST(placeholder_of(o) == "N", where);
      if (o.name == "store") BOOST_TEST(placeholder_of(o) == "f32|bf16", where);
      if (o.name == "keep-models") BOOST_TEST(placeholder_of(o) == "true|false", where);
      if (o.name == "resume") BOOST_TEST(placeholder_of(o) == "", where);
      BOOST_TEST(brief(o.help).size() <= 70, where);
      BOOST_TEST(!brief(o.help).empty(), where);
    }
}

BOOST_AUTO_TEST_SUITE_END()
