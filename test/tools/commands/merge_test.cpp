// merge of models without a tokenizer, and over a base in four bits.
#include <cmath>

#include "engine/files/json.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(merge_command)

BOOST_AUTO_TEST_CASE(of_a_model_without_tokenizer) {
  ScratchFolder folder;
  const std::string model = source + "/test/stored/tiny/gpt2";
  const Said said = run({"merge", "--model", model, "--adapter", model + "/adapter_lora", "--out",
                         folder / "merged"});
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "100 %"), said.out);
}
// What 4 bits would make of the merged model again, which is another model.
BOOST_AUTO_TEST_CASE(over_a_base_in_four_bits) {
  ScratchFolder folder;
  const std::string model = source + "/test/stored/tiny/llama", out = folder / "merged";
  const Said said = run({"merge", "--model", model, "--adapter", model + "/adapter_lora", "--out",
                         out, "--base", "nf4"});
  BOOST_TEST(said.status == 0, said.err);
  for (const char* part : {"nf4, for comparison", "f32, written and read again", "100 %",
                           "warning: stored in nf4 again it would be another model"})
    BOOST_TEST(holds(said.out, part), part << " is not in: " << said.out);
  const Json found = parse_json_file(out + "/certificate.json");
  const double exact = found.at("stored_as").at("f32").at("kl_mean").get<double>(),
               again = found.at("stored_as").at("nf4").at("kl_mean").get<double>();
  BOOST_TEST(again > 100 * std::abs(exact));
}
// Embedding and head have no form of their own.
BOOST_AUTO_TEST_CASE(ends_alone_are_refused) {
  for (const char* command : {"merge", "eval", "plan"}) {
    ScratchFolder folder;
    const std::string model = source + "/test/stored/tiny/llama";
    Words words = {command, "--model", model, "--base-ends", "on"};
    if (command == std::string("merge"))
      words.insert(words.end(), {"--adapter", model + "/adapter_lora", "--out", folder / "m"});
    if (command == std::string("eval")) words.insert(words.end(), {"--ids", "1,2,3"});
    if (command == std::string("plan"))
      words.insert(words.end(), {"--method", "lora:rank=2", "--batch", "1", "--length", "8"});
    const Said said = run(words);
    BOOST_TEST(said.status == 2, command);
    BOOST_TEST(holds(said.err, "--base-ends on needs --base"), command << ": " << said.err);
  }
}

BOOST_AUTO_TEST_SUITE_END()
