// step, graph and gradcheck as a user runs them.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/look/breakpoint.h"

using namespace afina;

namespace {

const std::string pocket = source + "/data/pocket",
                  support = source + "/data/samples/support.jsonl";

Words look_words(const std::string& command, Words more) {
  Words all = {command,         "--model", pocket,         "--init", "--data",   support,
               "--limit",       "40",      "--held-out",   "4",      "--length", "64",
               "--on-too-long", "cut",     "--on-problem", "skip",   "--batch",  "2"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(look_commands)

BOOST_AUTO_TEST_CASE(step_writes_a_page_and_never_over_something_else) {
  ScratchFolder folder;
  const std::string page = folder / "page.html";
  for (int again : {0, 1}) {  // the second time over its own
    Said said = run(look_words("step", {"--method", "lora:rank=2", "--out", page}));
    BOOST_TEST(said.status == 0, said.err << again);
    BOOST_TEST(holds(said.out, "written to " + page));
  }
  BOOST_TEST(holds(read_text_file(page), "afina step"));
  write_text_file(folder / "mine.html", "my page");
  Said said = run(look_words("step", {"--method", "full", "--out", folder / "mine.html"}));
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "did not write it"), said.err);
  BOOST_TEST(read_text_file(folder / "mine.html") == "my page");
  said = run(look_words("step", {"--method", "full", "--step", "101", "--text"}));
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "--step 101: expected 1 to 100"), said.err);
  said = run(look_words("step", {"--method", "full", "--method", "lora:rank=2", "--text"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "digest after the step"));
}

BOOST_AUTO_TEST_CASE(graph_writes_pictures) {
  ScratchFolder folder;
  for (const char* name : {"graph.svg", "graph.dot"}) {
    Said said =
        run({"graph", "--model", pocket, "--method", "lora:rank=2", "--out", folder / name});
    BOOST_TEST(said.status == 0, said.err);
    BOOST_TEST(holds(read_text_file(folder / name), "afina graph"));
  }
  BOOST_TEST(run({"graph", "--model", pocket, "--out", folder / "graph.png"}).status == 2);
  Said said = run({"graph", "--model", pocket, "--block", "6", "--out", folder / "b.svg"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "the model has layers 0 to 5"), said.err);
  BOOST_TEST(!std::filesystem::exists(folder / "b.svg"));
}

// What the option names is settled before any command sees it, and said.
BOOST_AUTO_TEST_CASE(a_folder_may_mean_its_gguf_file) {
  ScratchFolder folder;
  const std::string file = folder.put("only.gguf", "GGUF");
  for (const char* command : {"graph", "inspect"}) {
    const Said said = run({command, "--model", folder.path()});
    BOOST_TEST(said.status == 1);
    BOOST_TEST(holds(said.err, "the model is " + file + ", the only .gguf file"), said.err);
    BOOST_TEST(holds(said.err, "error: " + file), said.err);
  }
  folder.put("second.gguf", "GGUF");
  BOOST_TEST(holds(run({"inspect", "--model", folder.path()}).err, "only.gguf, second.gguf"));
}

// A page that may not be written over is said before the model is read.
BOOST_AUTO_TEST_CASE(step_looks_at_its_page_first) {
  ScratchFolder folder;
  const Said said = run({"step", "--model", folder / "absent", "--data", "absent.jsonl", "--out",
                         folder.put("notes.html", "mine")});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "notes.html"), said.err);
}

BOOST_AUTO_TEST_CASE(gradcheck_says_what_is_worst) {
  Said said = run(look_words(
      "gradcheck", {"--method", "lora:rank=2,targets=v_proj", "--elements", "1", "--rows", "3"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "every gradient is the slope: 12 elements of 12 parameters"),
             said.out);
  BOOST_TEST(holds(said.out, "... and 9 more"), said.out);
  BOOST_TEST(run(look_words("gradcheck", {})).status == 2);
}

BOOST_AUTO_TEST_CASE(breakpoints_are_read) {
  BreakpointAt at = read_breakpoint("linear");
  BOOST_TEST((at.name == "linear" && !at.backward && at.call == 0));
  at = read_breakpoint("attention.backward:3");
  BOOST_TEST((at.name == "attention" && at.backward && at.call == 3));
  at = read_breakpoint("model.layers.0.mlp.down_proj:2");
  BOOST_TEST((at.name == "model.layers.0.mlp.down_proj" && !at.backward && at.call == 2));
  for (const char* wrong : {"", "linear:", "linear:0", "linear:x", ".backward", "linear:-1"})
    BOOST_CHECK_THROW(read_breakpoint(wrong), Error);
}

// Help teaches: what the command does, and lines that can be run.
BOOST_AUTO_TEST_CASE(help_has_examples) {
  for (const char* command : {"step", "graph", "gradcheck"}) {
    Said said = run({command, "--help"});
    BOOST_TEST(said.status == 0);
    BOOST_TEST(holds(said.out, std::string("  afina ") + command + " --model data/pocket"),
               command);
  }
}

BOOST_AUTO_TEST_SUITE_END()
