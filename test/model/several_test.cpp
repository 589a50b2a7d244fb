// Several adapters over one model's weights: the bits of each alone, the base's bits, and what
// merging one of them leaves of the others.
#include "model/several.h"

#include "engine/random.h"
#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "model/merge.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// An adapter of this method on a tiny model, moved away from its start, as files.
std::string stored_adapter(const ScratchFolder& folder, const std::string& base,
                           const std::string& method, uint64_t seed) {
  auto model = tiny_model(tiny_path(base), method);
  for (Parameter& p : model->parameters->all) {
    if (p.aside || !in_adapter(p, model->method->stored())) continue;
    std::vector<float> values = p.exact().values();
    Random random(seed, "several", p.name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1f * random.normal(i);
    p.assign(values.data());
  }
  const std::string path = folder / ("adapter-" + std::to_string(seed));
  save_adapter(path, *model, tiny_path(base));
  return path;
}

std::unique_ptr<Model> alone(const std::string& base, const std::string& path,
                             const BuildOptions& options) {
  ModelFiles files = open_model(tiny_path(base));
  const AdapterFiles adapter = load_adapter(path);
  auto model = build_model(files.config, *files.source, make_method(adapter.method), options);
  adapter.apply(*model);
  return model;
}
std::unique_ptr<Model> untouched(const std::string& base, const BuildOptions& options) {
  ModelFiles files = open_model(tiny_path(base));
  return build_model(files.config, *files.source, std::make_unique<Untouched>(), options);
}

std::map<std::string, uint64_t> sums(const Model& model) {
  std::map<std::string, uint64_t> all;
  for (const Parameter& p : model.parameters->all) all[p.name] = checksum(p.value);
  return all;
}

const std::vector<int32_t> tokens = {3, 14, 15, 9, 2, 6, 5, 35, 8, 1};

std::vector<float> logits_of(Model& model) { return model.logits(make_inputs(tokens)).values(); }

// Of every kind: beside layers, a changed weight, a start that changes the base (PiSSA), biases,
// whole modules, rows of tokens, an end, points, virtual tokens.
const std::vector<std::string> kinds = {"lora:rank=3",
                                        "ia3",
                                        "prompt:tokens=3",
                                        "lora:start=pissa,rank=2",
                                        "dora:start=pissa,rank=2",
                                        "osf",
                                        "bitfit",
                                        "norms",
                                        "last:k=1",
                                        "embeddings",
                                        "prefix:tokens=2",
                                        "bottleneck",
                                        "lora:rank=2,save=head,targets=*.mlp.*",
                                        "lora:rank=2,bias=lora_only",
                                        "lora:rank=2,tokens=7+1",
                                        "lora:rank=2,targets=embedding+head",
                                        "vera"};

}  // namespace

BOOST_AUTO_TEST_SUITE(several)

BOOST_AUTO_TEST_CASE(each_has_the_bits_it_has_alone) {
  for (const std::string base : {"qwen2", "gpt2"})
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      const BuildOptions options{.dtype = dtype};
      ScratchFolder folder;
      LiveAdapters live(untouched(base, options));
      const auto before = sums(live.base());
      const std::vector<float> of_base = logits_of(live.active_model());
      std::map<std::string, std::vector<float>> expected;
      uint64_t seed = 0;
      for (const std::string& kind : kinds) BOOST_TEST_CONTEXT(kind << " on " << base) {
          const std::string path = stored_adapter(folder, base, kind, ++seed);
          const AdapterFiles adapter = load_adapter(path);
          auto model = built_beside(live.base(), make_method(adapter.method));
          adapter.apply(*model);
          expected[kind] = logits_of(*alone(base, path, options));
          live.add(kind, std::move(model));
        }
      // In turn, forth and back, with a merged one among them.
      for (int round = 0; round < 2; ++round)
        for (const std::string& kind : kinds) BOOST_TEST_CONTEXT(kind << " on " << base) {
            live.activate(kind);
            BOOST_TEST(live.active() == kind);
            BOOST_TEST((logits_of(live.active_model()) == expected[kind]));
          }
      for (const std::string& kind : kinds) {
        Model& model = live.model(kind);
        if (!model.method->why_not_mergeable().empty()) continue;
        MergedAdapters merged(model);
        BOOST_TEST((logits_of(live.model("ia3")) == expected["ia3"]) == (kind != "ia3"));
        merged.unmerge();
        BOOST_TEST((logits_of(model) == expected[kind]), kind);
      }
      live.activate(LiveAdapters::none);
      BOOST_TEST((logits_of(live.active_model()) == of_base));
      BOOST_TEST((sums(live.base()) == before));
    }
}

// The memory of a second adapter is its own matrices.
BOOST_AUTO_TEST_CASE(weights_are_held_once) {
  auto base = untouched("llama", {});
  auto model = built_beside(*base, make_method(parse_method("lora:rank=2,targets=q_proj")));
  for (const Parameter& p : model->parameters->all) {
    const Parameter* own = base->parameters->find(p.name);
    BOOST_TEST(bool(own) == !p.added, p.name);
    if (own) BOOST_TEST(p.value.data<void>() == own->value.data<void>(), p.name);
  }
  // They outlive the base that lent them.
  const std::vector<float> expected = logits_of(*model);
  base.reset();
  BOOST_TEST((logits_of(*model) == expected));
}

BOOST_AUTO_TEST_CASE(names_and_their_errors) {
  LiveAdapters live(untouched("llama", {}));
  auto lora = [&] { return built_beside(live.base(), make_method(parse_method("lora:rank=2"))); };
  live.add("small", lora());
  check_error([&] { live.add("small", lora()); }, {"two adapters", "'small'"});
  check_error([&] { live.add("base", lora()); }, {"'base'", "without an adapter"});
  check_error([&] { live.add("", lora()); }, {"needs a name"});
  check_error([&] { live.activate("smal"); }, {"'smal'", "did you mean 'small'", "base, small"});
  BOOST_TEST(live.active() == "base");
  BOOST_TEST(live.names() == std::vector<std::string>{"small"});
  check_error([&] { LiveAdapters wrong(tiny_model(tiny_path("llama"), "lora:rank=2")); },
              {"pretrained one alone", "lora_A"});
  check_error([&] { built_beside(*tiny_model(tiny_path("llama")), std::make_unique<Untouched>()); },
              {"is trained"});
}

BOOST_AUTO_TEST_SUITE_END()
