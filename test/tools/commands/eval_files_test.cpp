// What eval and plan may write over: results of their own, never data or weights.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(eval_files)

BOOST_AUTO_TEST_CASE(only_what_they_wrote_is_replaced) {
  ScratchFolder folder;
  const std::string model = folder / "model", data = folder.put("d.jsonl", R"({"text": "Hello"})"),
                    losses = folder / "losses.jsonl", logits = folder / "l.safetensors";
  std::filesystem::copy(source + "/data/pocket", model);
  auto eval = [&](Words more) {
    more.insert(more.begin(), {"eval", "--model", model});
    return run(more);
  };
  for (int again = 0; again < 2; ++again) {
    const Said rows = eval({"--data", data, "--out", losses}),
               one = eval({"--text", "x", "--logits-out", logits});
    BOOST_TEST((rows.status == 0 && one.status == 0), rows.err + one.err);
  }
  const std::string weights = model + "/model.safetensors", whole = read_text_file(weights);
  auto refused = [&](const std::string& file, const Said& said) {
    BOOST_TEST((said.status == 1 && holds(said.err, file + ": there is a file already")), said.err);
  };
  for (const std::string& theirs : {data, model + "/config.json", folder.put("empty.jsonl", "")})
    refused(theirs, eval({"--data", data, "--out", theirs}));
  refused(weights, eval({"--text", "x", "--logits-out", weights}));
  BOOST_TEST((read_text_file(weights) == whole));
  BOOST_TEST(read_text_file(data) == R"({"text": "Hello"})");
  const std::string mine = folder.put("mine.json", "{}");
  refused(mine, run({"plan", "--model", model, "--out", mine}));
}

BOOST_AUTO_TEST_SUITE_END()
