// `afina report` as a user runs it: what it shows, what it writes, and what it leaves alone.
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/report/report_fixture.h"
#include "test/tools/results/peft_result.h"
#include "test/tools/runs/runs.h"
#include "tools/results/results.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

struct Folders {
  ScratchFolder scratch;
  std::string one = scratch / "one", two = scratch / "two", peft = scratch / "lora.json";
  Folders() {
    for (int seeds : {1, 2}) {
      const std::string folder = seeds == 1 ? one : two;
      fs::create_directories(folder);
      Comparison c = fixture_comparison(seeds);
      c.machine.cpu = "processor " + std::to_string(seeds);
      write_comparison(c, folder);
    }
    write_text_file(peft, to_text(peft_result()));
  }
};

void refused(const Words& all, int status, std::initializer_list<const char*> parts) {
  const Said said = run(all);
  BOOST_TEST(said.status == status, said.out);
  for (const char* part : parts) BOOST_TEST(holds(said.err, part), said.err << " lacks " << part);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(report_command)

BOOST_AUTO_TEST_CASE(it_shows_and_writes_nothing) {
  const Folders f;
  const Said said = run({"report", f.one});
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "held-out"));
  BOOST_TEST(f.scratch.entries() == 3u);
  BOOST_TEST(run({"report", f.one + "/results.json"}).out == said.out);
}

BOOST_AUTO_TEST_CASE(its_own_folder_is_shown_anew) {
  const Folders f;
  const std::string results = read_text_file(f.one + "/results.json"),
                    page = read_text_file(f.one + "/report.html");
  write_text_file(f.one + "/report.html", "damaged");
  fs::remove(f.one + "/summary.md");
  BOOST_TEST(run({"report", f.one, "--out", f.one}).status == 0);
  BOOST_TEST(read_text_file(f.one + "/report.html") == page);
  BOOST_TEST(fs::exists(f.one + "/summary.md"));
  BOOST_TEST(read_text_file(f.one + "/results.json") == results);
}

BOOST_AUTO_TEST_CASE(nothing_of_worth_is_overwritten) {
  const Folders f;
  const std::string before = read_text_file(f.two + "/results.json");
  refused({"report", f.one, "--out", f.two}, 1, {"is there already", "comparison", "--out"});
  refused({"report", f.one, f.peft, "--out", f.one}, 1, {"is there already"});
  refused({"report", f.one, f.two, "--out", f.two}, 1, {"is there already"});
  BOOST_TEST(read_text_file(f.two + "/results.json") == before);
  const std::string notes = f.scratch.put("notes.csv", "mine\n");
  refused({"report", f.one, "--csv", notes}, 1, {"notes.csv", "has not made it"});
  refused({"report", f.one, "--latex", notes}, 1, {"notes.csv", "has not made it"});
  BOOST_TEST(read_text_file(notes) == "mine\n");
  for (int time = 0; time < 2; time++) {  // its own may be made again
    const Said said =
        run({"report", f.one, "--csv", f.scratch / "t.csv", "--latex", f.scratch / "t.tex"});
    BOOST_TEST(said.status == 0, said.err);
  }
  BOOST_TEST(holds(read_text_file(f.scratch / "t.tex"), "\\toprule"));
  const std::string mine = f.scratch.put("loss.svg", "<svg>mine</svg>");
  refused({"report", f.one, "--figure", mine}, 1, {"loss.svg", "has not made it"});
}

BOOST_AUTO_TEST_CASE(every_chart_is_a_file) {
  const Folders f;
  fs::create_directories(f.scratch / "figures");
  for (int time = 0; time < 2; time++)
    for (const char* name : {"loss", "rates", "memory"}) {
      const std::string path = f.scratch / ("figures/" + std::string(name) + ".svg");
      const Said said = run({"report", f.one, "--figure", path});
      BOOST_TEST(said.status == 0, said.err);
      const std::string svg = read_text_file(path);
      BOOST_TEST(svg.starts_with("<?xml"));
      BOOST_TEST(svg.ends_with("</svg>\n"));
      BOOST_TEST(holds(svg, "<!-- made by afina report -->\n<svg "));
    }
  refused({"report", f.one, "--figure", f.scratch / "los.svg"}, 1,
          {"los.svg", "did you mean 'loss'"});
  refused({"report", f.one, "--figure", f.scratch / "loss.png"}, 1, {"NAME.svg", "loss"});
}

BOOST_AUTO_TEST_CASE(several_become_one) {
  const Folders f;
  const std::string out = f.scratch / "both";
  const Said said = run({"report", f.one, f.two, f.peft, "--out", out, "--title", "Both"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  for (const char* part : {"Both", "Made of", "processor 2", "lora/small-rank4", "report.html"})
    BOOST_TEST(holds(said.out, part), part);
  const Comparison c = read_comparison(out);
  BOOST_TEST(c.title == "Both");
  BOOST_TEST(c.sources.size() == 2u);
  BOOST_TEST(c.foreign.size() == 1u);
  BOOST_TEST(c.methods[0].runs.size() == 2u);
  BOOST_TEST(holds(c.command, "afina report"));
  BOOST_TEST(holds(read_text_file(out + "/report.html"), "lora/small-rank4"));
  Comparison other = fixture_comparison(1);
  other.model.hash[0] = '!';
  fs::create_directories(f.scratch / "other");
  write_comparison(other, f.scratch / "other");
  refused({"report", f.one, f.scratch / "other"}, 1, {"different experiments", "the model"});
}

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  const Folders f;
  refused({"report"}, 2, {"expected folder of a comparison", "found nothing", "report --help"});
  // Before any file is looked for, and with nothing written.
  refused({"report", f.scratch / "absent", "--figure", "los.svg"}, 1,
          {"--figure los.svg", "did you mean 'loss'", "learned-forgotten"});
  refused({"report", f.one, "--csv", f.scratch / "new.csv", "--figure", f.scratch / "loss.png"}, 1,
          {"NAME.svg"});
  BOOST_TEST(!fs::exists(f.scratch / "new.csv"));
  refused({"report", f.scratch / "absent"}, 1, {"no such file"});
  refused({"report", f.peft}, 1, {"no comparison of afina"});
  refused({"report", f.one, f.one + "/results.json"}, 1, {"named twice"});
  fs::create_directories(f.scratch / "stopped/runs");
  refused({"report", f.scratch / "stopped"}, 1, {"no results.json", "--resume"});
  refused({"report", f.scratch.put("list.json", "[1]")}, 1, {"list.json", "comparison of afina"});
  refused({"report", f.one, "--cvs", "x"}, 2, {"did you mean '--csv'"});
}

BOOST_AUTO_TEST_SUITE_END()
