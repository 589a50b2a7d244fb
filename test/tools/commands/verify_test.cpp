// verify: a run done again is the same, and what is not the same is found.
#include <filesystem>
#include <fstream>

#include "engine/files/atomic_file.h"
#include "engine/files/safetensors.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

BOOST_AUTO_TEST_SUITE(verifying)

BOOST_AUTO_TEST_CASE(a_run_and_what_was_changed_after_it) {
  ScratchFolder scratch;
  std::string out = scratch / "run", data = scratch / "data.jsonl";
  fs::copy_file(source + "/data/samples/support.jsonl", data);
  std::string expected =
      digest_of_run(out, {"--method", "lora:rank=4,dropout=0.1,lr=3e-3", "--data", data});
  Said said = run({"verify", out});
  BOOST_TEST(said.status == 0, said.err);
  for (std::string words : {"adapter on disk      " + expected + "  the same",
                            "done again           " + expected + "  the same",
                            "resumed after 2      " + expected + "  the same",
                            std::string("verified: every bit is the same")})
    BOOST_TEST(holds(said.out, words), said.out << " lacks '" << words << "'");
  BOOST_TEST(!fs::exists(out + "/verify"));

  // Another digest in the manifest: as if the machine had computed something else then.
  Json manifest = parse_json_file(out + "/manifest.json");
  Json other = manifest;
  other["digest"] = std::string(64, '0');
  write_text_file(out + "/manifest.json", other.dump());
  fs::rename(out + "/adapter", out + "/moved");
  said = run({"verify", out, "--whole-only"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST((holds(said.out, "ANOTHER; the losses of all steps are the same") &&
              holds(said.out, "NOT verified")),
             said.out);
  fs::rename(out + "/moved", out + "/adapter");
  said = run({"verify", out});
  BOOST_TEST((said.status == 1 && holds(said.err, "other values than those that were trained")),
             said.err);
  write_text_file(out + "/manifest.json", manifest.dump());

  // A record that changed.
  std::string text = read_text_file(data);
  text.replace(text.find("the"), 3, "our");
  write_text_file(data, text);
  said = run({"verify", out});
  BOOST_TEST((said.status == 1 && holds(said.err, "this is another")), said.err);
  BOOST_TEST(run({"verify", scratch / "nothing"}).status == 1);
  BOOST_TEST(run({"verify", out, "--stop-after", "9"}).status == 1);
}

BOOST_AUTO_TEST_SUITE_END()
