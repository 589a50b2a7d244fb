// What every method of fine-tuning promises (Promise in model/method.h), with the options that its
// card tries; and options as people write them.
#include "engine/math.h"
#include "engine/train/trainer.h"
#include "model/merge.h"
#include "model/pattern.h"
#include "test/model/methods/moved.h"
#include "test/scratch.h"

namespace afina {

std::vector<void (*)()>& case_makers();

namespace {

const char* const bases[] = {"llama", "qwen2", "gpt2"};

// The base model under a method that has moved from its start.
std::unique_ptr<Model> moved(const std::string& base, const std::string& method,
                             BuildOptions options = {}) {
  auto model = tiny_model(tiny_path(base), method, options);
  move_away(*model);
  return model;
}

using Check = void (*)(const std::string& method, const std::string& base);

void starts_as_pretrained(const std::string& method, const std::string& base) {
  auto plain = tiny_model(tiny_path(base)), ours = tiny_model(tiny_path(base), method);
  if (!ours->method->starts_as_pretrained()) return;
  Inputs inputs = Batch(base).rows();
  inputs.training = false;
  BOOST_TEST((plain->logits(inputs).values() == ours->logits(inputs).values()));
}

void trains_what_it_says(const std::string& method, const std::string& base) {
  Batch batch(base);
  auto model = tiny_model(tiny_path(base), method);
  std::map<std::string, uint64_t> before;
  for (Parameter& p : model->parameters->all) {
    if (!p.added) {
      const Method& of = *model->method;
      BOOST_TEST(p.trained == (of.trains(p.name) || of.beside.trains(p.name)), p.name);
    }
    BOOST_TEST(p.value.needs_grad() == p.trained, p.name);
    before[p.name] = checksum(p.value);
  }
  TrainOptions options;
  options.schedule.peak = 0.01;
  options.schedule.decay = Decay::constant;
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  for (int i = 0; i < 3; ++i)
    trainer.step(1, int64_t(std::llround(1. / batch.scale)),
                 [&](size_t, double scale) { return model->loss(batch.rows(), scale); });
  for (Parameter& p : model->parameters->all)
    BOOST_TEST((checksum(p.value) != before[p.name]) == p.trained, p.name);
}

void merges(const std::string& method, const std::string& base) {
  auto model = moved(base, method);
  if (!model->method->why_not_mergeable().empty()) {
    check_error([&] { merge_adapters(*model); }, {model->method->why_not_mergeable()});
    return;
  }
  Inputs inputs = Batch(base).rows();
  inputs.training = false;
  Agreement found = merge_and_check(*model, inputs);
  BOOST_TEST(found.largest_difference <= 1e-5 * found.largest_logit,
             base << ": " << found.largest_difference);
  BOOST_TEST(found.same_choice == found.positions);
  BOOST_TEST(std::fabs(found.kl) < 1e-6);
  for (const Linear* linear : model->parameters->linears) BOOST_TEST(!linear->adapter);
}

void checkpoints(const std::string& method, const std::string& base) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    Batch batch(base);
    Gradients of[3];
    for (Checkpointing c : {Checkpointing::none, Checkpointing::mlp, Checkpointing::block}) {
      auto model = moved(base, method, {.dtype = dtype, .checkpointing = c});
      add_gradients(*model, batch.rows(), batch.scale);
      of[int(c)] = gradients_of(*model);
    }
    for (int c : {1, 2})
      BOOST_TEST((of[0] == of[c]), base << " in " << name(dtype) << ", checkpointing " << c);
  }
}

void splits(const std::string& method, const std::string& base) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    Batch batch(base);
    auto whole = moved(base, method, {.dtype = dtype}),
         split = moved(base, method, {.dtype = dtype});
    // As the trainer does: what follows from the weights is computed once a step.
    for (Model* model : {whole.get(), split.get()}) model->method->begin_step();
    add_gradients(*whole, batch.rows(), batch.scale);
    for (int64_t row : {0, 1}) add_gradients(*split, batch.rows(row, 1), batch.scale);
    for (Model* model : {whole.get(), split.get()}) model->method->complete_gradients();
    BOOST_TEST((gradients_of(*whole) == gradients_of(*split)), base << " in " << name(dtype));
  }
}

// (loss(w + e d) - loss(w - e d)) / 2 e along a random direction d through all that is trained, in
// f64.
void slope(const std::string& method, const std::string& base) {
  Batch batch(base);
  auto model = moved(base, method, {.dtype = Dtype::f64});
  add_gradients(*model, batch.rows(), batch.scale);
  double expected = 0., e = 1e-6;
  auto trained = model->parameters->trained();
  auto step = [&](double by, bool sum) {
    for (Parameter* p : trained) {
      if (sum) p->add_uses();
      std::vector<double> gradient =
          sum ? p->value.grad().value().values64() : std::vector<double>();
      Random random(2, "direction", p->name);
      for (int64_t i = 0; i < p->shape.size(); ++i) {
        double d = double(random.normal(uint64_t(i)));
        p->value.data<double>()[i] += by * d;
        if (sum) expected += gradient[size_t(i)] * d;
      }
    }
    return model->loss(batch.rows(), batch.scale).total.item();
  };
  step(0., true);
  double found = (step(e, false) - step(-2. * e, false)) / (2. * e);
  BOOST_TEST(std::fabs(found - expected) < 1e-7 * std::max(1., std::fabs(expected)),
             base << ": " << found - expected << " of " << expected);
}

// What is stored, put into the pretrained model anew, gives the same logits: to the bit, or, where
// the change is stored in another form, but for rounding.
void comes_back_from_its_files(const std::string& method, const std::string& base) {
  ScratchFolder folder;
  Inputs inputs = Batch(base).rows();
  inputs.training = false;
  auto model = moved(base, method);
  if (model->method->stored() == Stored::model) {
    save_model(folder / "model", *model, Dtype::f32);
    BOOST_TEST(
        (tiny_model(folder / "model")->logits(inputs).values() == model->logits(inputs).values()));
    return;
  }
  save_adapter(folder / "adapter", *model, tiny_path(base));
  AdapterFiles files = load_adapter(folder / "adapter");
  ModelFiles plain = open_model(tiny_path(base));
  auto again = build_model(plain.config, *plain.source, make_method(files.method), {});
  files.apply(*again);
  const std::vector<float> found = again->logits(inputs).values(),
                           expected = model->logits(inputs).values();
  if (stores_more(*model)) BOOST_TEST(distance(found, expected) < 1e-5);
  else BOOST_TEST((found == expected));
  // What is read may hold more than what was trained: twice the rank, or both of LoRA's matrices
  // where one was held.
  const std::string trained = digest_of(std::as_const(*model->parameters).trained()),
                    of_file = files.trained_digest(*model);
  BOOST_TEST((of_file.empty() || of_file == trained || files.trained_digest(*again) == trained));
}

void check_bases(const MethodCard& card, const std::string& method, Check check) {
  for (const char* base : bases) {
    BOOST_TEST_CONTEXT(method << " on " << base) {
      if (!card.fits || card.fits(*tiny_model(tiny_path(base))->parameters)) check(method, base);
      else BOOST_CHECK_THROW(tiny_model(tiny_path(base), method), Error);
    }
  }
}

void add_cases_of_methods() {
  using namespace boost::unit_test;
  struct Checked {
    const char* title;
    Promise promise;
    Check check;
  };
  const Checked promises[] = {
      {"starts as the pretrained model", Promise::starts_as_pretrained, starts_as_pretrained},
      {"trains only what it says", Promise::trains_what_it_says, trains_what_it_says},
      {"merged equals unmerged", Promise::merges, merges},
      {"checkpointing changes nothing", Promise::checkpoints, checkpoints},
      {"micro-batches change nothing", Promise::splits, splits},
      {"gradient is the slope", Promise::slope, slope},
      {"comes back from its files", Promise::stores, comes_back_from_its_files}};
  test_suite* suite = BOOST_TEST_SUITE("methods");
  for (auto& [name, entry] : methods()) {
    const MethodCard& card = entry.card;
    for (const std::string& spec : card.tries) {
      test_suite* of_method = BOOST_TEST_SUITE(spec.substr(0, spec.find(',')));
      for (auto& [title, promise, check] : promises)
        if (card.why_not(promise).empty())
          of_method->add(
              make_test_case([&card, spec, check = check] { check_bases(card, spec, check); },
                             title, __FILE__, __LINE__));
      suite->add(of_method);
    }
  }
  framework::master_test_suite().add(suite);
}
[[maybe_unused]] const bool registered = (case_makers().push_back(add_cases_of_methods), true);

}  // namespace

BOOST_AUTO_TEST_SUITE(method_options)

BOOST_AUTO_TEST_CASE(cards_are_filled_in) {
  for (auto& [name, entry] : methods()) {
    const MethodCard& card = entry.card;
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(card.name == name);
      BOOST_TEST(!card.label.empty());
      BOOST_TEST(!card.formula.empty());
      BOOST_TEST(!card.trains.empty());
      BOOST_TEST(card.rate > 0.);
      BOOST_TEST(!card.rate_because.empty());
      BOOST_TEST(!card.tries.empty());
      BOOST_TEST(card.peft_type.empty() == (entry.from_peft == nullptr));
      for (const NotPromised& n : card.not_promised) BOOST_TEST(!n.because.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(options_and_their_errors) {
  auto method = make_method(parse_method("lora:rank=16,targets=q_proj+v_proj"));
  auto options = method->in_force.options;
  BOOST_TEST(options["rank"] == "16");
  BOOST_TEST(options["alpha"] == "16");
  BOOST_TEST(options["targets"] == "q_proj+v_proj");
  BOOST_TEST(options["dropout"] == "0");
  BOOST_TEST(options["rslora"] == "false");
  // PEFT's names mean the same.
  BOOST_TEST(parse_method("lora:r=4,lora_alpha=8,target_modules=all-linear,rank_pattern=up_proj:2")
                 .options ==
             parse_method("lora:rank=4,alpha=8,targets=all,ranks=up_proj:2").options);
  // Of single methods too: whatever has another name is taken by a method.
  for (const char* text :
       {"road:group_size=8", "vblora:num_vectors=4,vector_length=8,topk=3",
        "unilora:theta_d_length=9,proj_seed=1,save_indices=true", "shira:random_seed=2",
        "tinylora:weight_tying=0.5,projection_seed=1", "osf:effective_rank=4",
        "randlora:randlora_alpha=3,projection_prng_key=1,save_projection=false",
        "glora:config_A_B=vector,config_C=none,config_D_E=vector",
        "ptuning:encoder_hidden_size=4,encoder_num_layers=1", "prefix:prefix_projection=true"})
    BOOST_TEST(!make_method(parse_method(text))->in_force.options.empty(), text);
  auto fails = [](const std::string& text, std::initializer_list<std::string> words) {
    check_error([&] { make_method(parse_method(text)); }, words);
  };
  fails("lora:r=8,rank=8", {"'rank'", "twice"});
  fails("lora:rank=8,r=8", {"'rank'", "twice", "r is another name"});
  fails("", {"name is expected"});
  fails("lroa", {"'lroa'", "did you mean 'lora'", "full"});
  fails("lora:rnak=8", {"'rnak'", "did you mean 'rank'", "alpha"});
  fails("full:rank=8", {"'rank'", "it takes none"});
  fails("lora:rank", {"'rank'", "key=value"});
  fails("lora:", {"key=value"});
  fails("lora:rank=8,rank=8", {"'rank'", "twice"});
  for (const char* rank : {"0", "-1", "8.5", "8x", "", " 8", "99999999999999999999"})
    fails(std::string("lora:rank=") + rank, {"rank=", "integer from 1"});
  for (const char* dropout : {"1", "-0.1", "nan", "a"})
    fails(std::string("lora:dropout=") + dropout, {"dropout=", "number from 0 to 0.99"});
  fails("lora:rslora=yes", {"true or false"});
  fails("lora:targets=q_proj++v_proj", {"empty item"});
  fails("lora:ranks=q_proj", {"q_proj:16"});
}

BOOST_AUTO_TEST_CASE(patterns_that_match_nothing) {
  auto fails = [](const std::string& text, std::initializer_list<std::string> words) {
    check_error([&] { tiny_model(tiny_path("llama"), text); }, words);
  };
  fails("lora:targets=q_porj+v_proj", {"'q_porj'", "did you mean 'q_proj'", "up_proj"});
  fails("lora:targets=c_attn", {"'c_attn'", "model.layers.0.self_attn.q_proj"});
  fails("ia3:targets=lm_head,feedforward=none", {"'lm_head'"});
  fails("lora:targets=q_proj,ranks=v_proj:4", {"ranks", "'v_proj'"});
  fails("ia3:targets=k_proj,feedforward=zz", {"feedforward", "'zz'", "none of the targets"});
}

BOOST_AUTO_TEST_CASE(patterns) {
  const std::string path = "model.layers.10.mlp.up_proj";
  for (const char* yes : {"up_proj", "mlp.up_proj", "*.mlp.*", "mlp.*", "layers.1*.up_proj",
                          path.c_str(), "*", "re:.*\\.(up|down)_proj"})
    BOOST_TEST(ModulePattern(yes).matches(path), yes);
  for (const char* no : {"p_proj", "up", "mlp", "layers.1.*", "*.mlp", "re:up_proj", "re:.*up"})
    BOOST_TEST(!ModulePattern(no).matches(path), no);
}

BOOST_AUTO_TEST_CASE(dropout_takes_part_in_training_alone) {
  Batch batch("llama");
  auto model = moved("llama", "lora:dropout=0.5"), plain = moved("llama", "lora");
  auto loss = [&](Model& of, bool training, int64_t step, uint64_t seed) {
    Inputs inputs = batch.rows();
    inputs.training = training;
    inputs.step = step;
    inputs.seed = seed;
    return of.loss(inputs, batch.scale).total.item();
  };
  BOOST_TEST(loss(*model, false, 1, 1) == loss(*plain, true, 1, 1));
  BOOST_TEST(loss(*model, true, 1, 1) == loss(*model, true, 1, 1));
  BOOST_TEST(loss(*model, true, 1, 1) != loss(*plain, true, 1, 1));
  BOOST_TEST(loss(*model, true, 1, 1) != loss(*model, true, 2, 1));
  BOOST_TEST(loss(*model, true, 1, 1) != loss(*model, true, 1, 2));
  Inputs unkeyed = batch.rows();
  unkeyed.keys = Tensor();
  check_error([&] { model->loss(unkeyed, 1.); }, {"dropout", "samples"});
}

BOOST_AUTO_TEST_CASE(lora_counts_and_begins_as_peft) {
  auto model = tiny_model(tiny_path("llama"), "lora:rank=4,targets=q_proj+down_proj");
  int64_t trained = 0;
  for (const Parameter* p : model->parameters->trained()) {
    trained += p->shape.size();
    std::vector<float> values = p->exact().values();
    float most = 0.f, bound = 1.f / std::sqrt(float(p->shape[1]));
    for (float v : values) most = std::max(most, std::fabs(v));
    if (p->name.ends_with("lora_B.weight")) BOOST_TEST(most == 0.f);
    else BOOST_TEST((most <= bound && most > 0.9f * bound), p->name);
  }
  BOOST_TEST(trained == 2 * 4 * (32 + 32 + 48 + 32));
  auto again = tiny_model(tiny_path("llama"), "lora:rank=4,targets=q_proj+down_proj"),
       other = tiny_model(tiny_path("llama"), "lora:rank=4,targets=q_proj+down_proj", {.seed = 1});
  auto& p = *model->parameters->trained()[0];
  BOOST_TEST((again->parameters->find(p.name)->exact().values() == p.exact().values()));
  BOOST_TEST((other->parameters->find(p.name)->exact().values() != p.exact().values()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
