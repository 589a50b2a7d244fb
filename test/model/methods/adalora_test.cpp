// AdaLoRA as a method that takes part in steps: its budget, its term in the loss however a step is
// split, stopping and resuming.
#include <boost/test/unit_test.hpp>

#include "engine/train/checkpoint.h"
#include "test/engine/train/training_steps.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

const char* const words =
    "adalora:rank=4,target=2,dropout=0.1,tinit=1,tfinal=1,targets=q_proj+v_proj";

using namespace reference_training;

TrainOptions options_of(const Rows& rows) {
  TrainOptions o;
  o.schedule = {3e-3, rows.batches, 1, Decay::cosine, 0.1};
  return o;
}
int64_t triplets_left(Model& model) {
  int64_t left = 0;
  for (const Parameter* p : model.parameters->trained())
    if (p->name.ends_with("lora_E"))
      for (float e : p->exact().values()) left += e != 0.f;
  return left;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adalora)

BOOST_AUTO_TEST_CASE(the_split_of_a_step_changes_nothing) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    std::string whole = digest("llama", words, dtype, {});
    Setting split;
    split.rows_each = 1;
    split.threads = 1;
    BOOST_TEST(digest("llama", words, dtype, split) == whole);
    split.checkpointing = Checkpointing::block;
    BOOST_TEST(digest("llama", words, dtype, split) == whole);
  }
}

BOOST_AUTO_TEST_CASE(the_budget_is_met_and_resuming_changes_nothing) {
  ScratchFolder folder;
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  std::string whole;
  for (bool stop : {false, true}) {
    auto model = reference_training::tiny_model("llama", words);
    auto trainer = std::make_unique<Trainer>(model->parameters->trained(), options_of(rows),
                                             model->method.get());
    for (int64_t b = 0; b < rows.batches; ++b) {
      if (stop && b == 3) {
        save_checkpoint(folder.path(), *trainer, Json::object());
        model = reference_training::tiny_model("llama", words);
        trainer = std::make_unique<Trainer>(model->parameters->trained(), options_of(rows),
                                            model->method.get());
        BOOST_TEST(resume_checkpoint(folder.path(), *trainer).step == 3);
      }
      StepReport report = step(*trainer, *model, rows, b, rows.rows);
      BOOST_TEST(report.penalty > 0.);
      BOOST_TEST(report.steps == rows.batches);
    }
    BOOST_TEST(triplets_left(*model) == 2 * 4);  // two a layer, on average
    std::string found = digest_of(std::as_const(*model->parameters).trained());
    if (stop) BOOST_TEST(found == whole);
    whole = found;
  }
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  auto model = reference_training::tiny_model("llama", words);
  TrainOptions o;
  o.clip = 0.;
  o.apply_as_you_go = true;
  check_error([&] { Trainer(model->parameters->trained(), o, model->method.get()); },
              {"--apply-as-you-go", "gradients"});
  o.apply_as_you_go = false;
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  BOOST_TEST(trainer.why_no_graphs().find("takes part in every step") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
