// The guard for target tokens that pretraining never saw: counted, named, with what to do; and
// tokens that options name by their text.
#include "tools/runs/unseen_targets.h"

#include "model/files/save.h"
#include "test/data/samples.h"
#include "test/model/tiny.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/token_words.h"

namespace afina {

using samples_test::pocket;

namespace {

// Rows `alike` of the embedding become nearly equal.
void forget(Model& model, const std::vector<int32_t>& alike) {
  Parameter& table = *model.parameters->find("model.embed_tokens.weight");
  std::vector<float> values = table.exact().values();
  const size_t width = size_t(table.shape[1]);
  for (int32_t row : alike)
    for (size_t i = 0; i < width; ++i)
      values[size_t(row) * width + i] = values[i] * (1.f + 1e-3f * float((size_t(row) + i) % 3));
  table.assign(values.data());
}
const std::vector<int32_t> alike = {5, 6, 7, 8, 9, 10};

Samples learnt() {
  Samples samples;
  samples.rows = {{{1, 2, 5, 33, 9}, {0, 1, 1, 1, 1}}, {{5, 6, 5, 5}, {0, 0, 1, 1}}};
  samples.targets = 6;
  return samples;
}
std::string note_of(const std::string& method) {
  auto base = tiny_model(tiny_path("llama")), model = tiny_model(tiny_path("llama"), method);
  forget(*base, alike);
  return unseen_note(*model, "this one", unseen_targets(*base, learnt()), 6, pocket());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(targets_never_seen)

BOOST_AUTO_TEST_CASE(are_counted_and_named) {
  auto model = tiny_model(tiny_path("llama"));
  BOOST_TEST(unseen_targets(*model, learnt()).empty());
  forget(*model, alike);
  const std::vector<UnseenTarget> found = unseen_targets(*model, learnt());
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST((found[0].id == 5 && found[0].count == 3));
  BOOST_TEST((found[1].id == 9 && found[1].count == 1));
  const std::string note = note_of("lora");
  for (const char* word : {"this one: ", "(token 5, 3 times)", "(token 9, once)", "66.7 %",
                           "tokens=5+9", "save=embedding,tie=true", "full"})
    BOOST_TEST(holds(note, word), note << " lacks " << word);
}

BOOST_AUTO_TEST_CASE(are_no_matter_to_methods_that_train_their_rows) {
  BOOST_TEST(holds(note_of("lora:tokens=5"), "a token that is learnt here"));
  BOOST_TEST(!holds(note_of("lora:tokens=5"), "token 5,"));
  BOOST_TEST(!note_of("lora:save=embedding").empty());  // the head of its own stays as it is
  for (const char* method : {"full", "embeddings", "lora:tokens=5+9", "lora:save=head",
                             "lora:targets=head+q_proj", "lora:save=embedding,tie=true"})
    BOOST_TEST(note_of(method).empty(), method);
}

BOOST_AUTO_TEST_CASE(are_said_in_a_comparison) {
  ScratchFolder scratch;
  const std::string folder = scratch / "model";
  {
    ModelFiles files = open_model(source + "/data/pocket");
    auto model = build_model(files.config, *files.source, make_method(parse_method("full")), {});
    const int32_t end = pocket().id_of("<|im_end|>");
    BOOST_REQUIRE(end > 0);
    forget(*model, {end, 300, 301, 302, 303, 304});
    save_model(folder, *model, Dtype::f32);
    pocket().save(folder);
  }
  Words all = words("compare", scratch / "out",
                    {"--model", folder, "--method", "lora:rank=2,targets=q_proj,lr=1e-3",
                     "--method", "lora:rank=2,targets=q_proj,tokens=<|im_end|>,lr=1e-3,name=rows",
                     "--steps", "1", "--limit", "12", "--held-out", "4", "--generations", "0"});
  all.erase(std::find(all.begin(), all.end(), "--init"));
  const Said said = run(all);
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "warning: LoRA"), said.out);
  int64_t notes = 0;
  const Json results = parse_json_file(scratch / "out/results.json");
  for (const Json& note : results.at("notes"))
    notes += holds(note.get<std::string>(), "pretraining seems never to have seen");
  BOOST_TEST(notes == 1);
  // A plan reads the two tables for it; and a step and a graph number tokens as training does.
  all[0] = "plan";
  *(std::find(all.begin(), all.end(), "--out") + 1) = scratch / "plan.json";
  for (const char* option : {"--generations", "--eval-every"}) {
    auto at = std::find(all.begin(), all.end(), option);
    all.erase(at, at + 2);
  }
  const Said planned = run(all);
  BOOST_REQUIRE_MESSAGE(planned.status == 0, planned.err);
  BOOST_TEST(holds(planned.out, "note: LoRA r 2, targets q_proj: pretraining seems never"),
             planned.out);
  BOOST_TEST(!holds(planned.out, "note: rows"), planned.out);
  Words same = {"--model", folder, "--method", "lora:rank=2,targets=q_proj,tokens=<|im_end|>"};
  same.insert(same.begin(), {"graph", "--length", "4", "--out", scratch / "graph.svg"});
  BOOST_TEST(run(same).status == 0);
  BOOST_TEST(run({"plan", "--model", folder, "--method", "lora:rank=2,tokens=<|im_end|>"}).status ==
             0);
  BOOST_TEST(
      run(words("step", scratch / "step.html",
                {"--method", "lora:rank=2,targets=q_proj,tokens=<|im_end|>", "--steps", "1"}))
          .status == 0);
}

BOOST_AUTO_TEST_CASE(tokens_are_named_by_their_texts_too) {
  const std::string end = std::to_string(pocket().id_of("<|im_end|>"));
  BOOST_TEST(with_token_numbers("lora:rank=2,tokens=<|im_end|>+7,lr=1e-3", pocket()) ==
             "lora:lr=1e-3,rank=2,tokens=" + end + "+7");
  BOOST_TEST(with_token_numbers("tokens:tokens=<|im_end|>,name=a", pocket()) ==
             "tokens:tokens=" + end + ",name=a");
  BOOST_TEST(with_token_numbers("prompt:tokens=20", pocket()) == "prompt:tokens=20");
  check_error([] { with_token_numbers("lora:tokens=no such token at all", pocket()); },
              {"'no such token at all'", "is no token", "afina show"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
