// A step that is looked into: it is the step that training makes, and what is said of it adds up.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <sstream>

#include "engine/files/json.h"
#include "test/scratch.h"
#include "test/tools/look/bench.h"
#include "test/tools/runs/runs.h"
#include "tools/look/align.h"
#include "tools/look/look_at.h"
#include "tools/look/step_page.h"
#include "tools/runs/step.h"

using namespace afina;

namespace {

SeenStep look(const std::string& method, const Workbench& bench, int64_t number = 1) {
  return look_at_step(bench, parse_method(method), 1e-3, number);
}
const SeenOperation& find(const SeenStep& step, const std::string& name, const std::string& place,
                          SeenKind kind = SeenKind::forward) {
  for (const SeenOperation& op : step.operations)
    if (op.name == name && op.place == place && op.kind == kind) return op;
  BOOST_FAIL("no " << name << " at " << place);
  throw 0;
}
std::vector<std::string> saved_of(const SeenStep& step, const std::string& name,
                                  const std::string& place) {
  std::vector<std::string> all;
  for (const SavedTensor& s : find(step, name, place, SeenKind::backward).saved)
    all.push_back(s.what + " " + s.shape);
  return all;
}
int64_t count(const SeenStep& step, SeenKind kind) {
  return std::count_if(step.operations.begin(), step.operations.end(),
                       [&](const SeenOperation& op) { return op.kind == kind; });
}

// The same step without anybody looking: what it costs by the ledger that runs keep.
Costs costs_of(const Workbench& bench, const std::string& method) {
  auto model = build(bench, make_method(parse_method(method)), bench.run.seed);
  Trainer trainer(model->parameters->trained(), bench.run.train(1e-3), model->method.get());
  Costs costs;
  Steps steps(*model, trainer, bench.train, batch_options(bench.run, bench.data, bench.run.seed),
              bench.run.steps, costs);
  steps.run(0);
  return costs;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(look_at_steps)

// look_at_step itself compares the watched step with the unwatched one; here it is compared with
// 'afina train'.
BOOST_AUTO_TEST_CASE(it_is_the_step_of_train) {
  ScratchFolder folder;
  for (const char* checkpoint : {"none", "block"}) {
    const std::string digest =
        digest_of_run(folder / "run", {"--method", "lora:rank=4,lr=1e-3", "--steps", "1",
                                       "--length", "64", "--checkpoint", checkpoint});
    const Workbench bench =
        small_bench(Precision::f32, parse_word<Checkpointing>("checkpoint", checkpoint), 1);
    BOOST_TEST(look("lora:rank=4", bench).digest == digest, checkpoint);
  }
}

// FLOPs and the peak of memory are those of the ledger, for every way to compute.
BOOST_AUTO_TEST_CASE(work_and_memory_add_up) {
  for (Precision dtype : {Precision::f32, Precision::bf16})
    for (Checkpointing c : {Checkpointing::none, Checkpointing::mlp, Checkpointing::block})
      for (const char* method : {"full", "lora:rank=4"}) {
        if (dtype == Precision::bf16 && (c != Checkpointing::block || *method == 'f')) continue;
        BOOST_TEST_CONTEXT(method << ", " << word_of(dtype) << ", " << word_of(c)) {
          const Workbench bench = small_bench(dtype, c);
          const SeenStep step = look(method, bench);
          const Costs costs = costs_of(bench, method);
          BOOST_TEST(double(step.flops(SeenKind::forward)) == costs.flops.forward);
          BOOST_TEST(double(step.flops(SeenKind::backward) + step.flops(SeenKind::recomputed)) ==
                     costs.flops.backward);
          BOOST_TEST((count(step, SeenKind::recomputed) > 0) == (c != Checkpointing::none));
          BOOST_REQUIRE(step.peak() >= 0);
          BOOST_TEST(step.operations[size_t(step.peak())].held_in_all() == costs.memory.peak());
          int64_t now = 0;
          for (int64_t bytes : step.before) now += bytes;
          for (const SeenBuffer& b : step.buffers) {
            BOOST_TEST((b.died < 0 || b.born <= b.died));
            now += b.died < 0 ? b.bytes : 0;
          }
          BOOST_TEST(now > 0);
        }
      }
}

// Full fine-tuning has a gradient for each weight; with LoRA a frozen weight keeps no input.
BOOST_AUTO_TEST_CASE(what_is_saved_is_seen) {
  const Workbench bench = small_bench();
  const SeenStep full = look("full", bench), lora = look("lora:rank=4", bench);
  const std::string o = "model.layers.1.self_attn.o_proj", down = "model.layers.1.mlp.down_proj";
  const std::vector<std::string> full_o = saved_of(full, "linear", o),
                                 lora_o = saved_of(lora, "linear_lora", o);
  const SeenOperation& attention = find(full, "attention", "model.layers.1.self_attn");
  const Shape& shape = attention.shape;  // (B, T, heads, head_dim)
  const std::string input =
      "its input 1 " + Shape({shape[0], shape[1], shape[2] * shape[3]}).text() + " f32";
  BOOST_TEST((std::find(full_o.begin(), full_o.end(), input) != full_o.end()));
  BOOST_TEST(
      (std::find(full_o.begin(), full_o.end(), o + ".weight (128, 128) f32") != full_o.end()));
  BOOST_TEST((std::find(lora_o.begin(), lora_o.end(), input) != lora_o.end()));  // A's gradient
  // The product of gate and up is recomputed from what swiglu saves, not saved itself.
  bool again = false;
  for (const SeenKernel& k : find(full, "linear", down, SeenKind::backward).kernels)
    again = again || (k.again && k.name == "swiglu");
  BOOST_TEST(again);
  for (const std::string& one : saved_of(full, "linear", down))
    BOOST_TEST(!one.starts_with("its input"), one);
}

BOOST_AUTO_TEST_CASE(parents_places_and_lines_are_known) {
  const SeenStep step = look("lora:rank=4", small_bench());
  const SeenOperation& o = find(step, "linear_lora", "model.layers.2.self_attn.o_proj");
  BOOST_TEST(o.defined.starts_with("engine/ops/low_rank.cpp:"), o.defined);
  BOOST_TEST(o.called.starts_with("model/layers.h:"), o.called);
  std::vector<std::string> parents;
  for (const SeenInput& in : o.inputs)
    parents.push_back(in.parameter >= 0   ? step.parameters[size_t(in.parameter)].name
                      : in.operation >= 0 ? step.operations[size_t(in.operation)].name
                                          : "?");
  const std::vector<std::string> expected = {"reshape", "reshape", o.place + ".weight",
                                             o.place + ".lora_A.weight",
                                             o.place + ".lora_B.weight"};
  BOOST_TEST(parents == expected, boost::test_tools::per_element());
  const SeenOperation& view = step.operations[size_t(o.inputs[0].operation)];
  BOOST_REQUIRE(view.inputs[0].operation >= 0);
  BOOST_TEST(step.operations[size_t(view.inputs[0].operation)].name == "attention");
}

// In the first step LoRA's B is zero, and so is the gradient of A; B's is not.
BOOST_AUTO_TEST_CASE(gradients_and_moves_of_parameters) {
  const Workbench bench = small_bench();
  for (int64_t number : {1, 2}) {
    const SeenStep step = look("lora:rank=4", bench, number);
    double squares = 0;
    for (const SeenParameter& p : step.parameters) {
      BOOST_TEST(p.gradient.has_value() == p.trained, p.name);
      if (!p.trained) continue;
      squares += p.gradient->norm * p.gradient->norm;
      const bool a = p.name.find("lora_A") != p.name.npos;
      BOOST_TEST((p.gradient->norm == 0.) == (a && number == 1), p.name << ", step " << number);
      BOOST_TEST((p.moved.has_value() && std::isfinite(*p.moved)), p.name);
      if (!a) BOOST_TEST(*p.moved > 0., p.name);
    }
    BOOST_TEST(std::fabs(std::sqrt(squares) - step.gradient_norm) < 1e-6 * step.gradient_norm);
  }
}

BOOST_AUTO_TEST_CASE(the_page_holds_all_of_it) {
  const Workbench bench = small_bench();
  const std::vector<SeenStep> steps = {look("full", bench), look("lora:rank=4", bench)};
  const StepConditions conditions{"<b>model", "data", {{"batch", "2 rows"}}};
  const std::string page = step_page(steps, conditions);
  BOOST_TEST(page.size() < 600'000);
  size_t addresses = 0;
  for (size_t at = page.find("://"); at != page.npos; at = page.find("://", at + 1)) ++addresses;
  BOOST_TEST(addresses == 1);  // the name of SVG's elements, which nothing is read from
  BOOST_TEST(page.find("<b>model") == page.npos);
  const Json data = Json::parse(step_data(steps, conditions));
  BOOST_TEST(data.at("model").get<std::string>() == "<b>model");
  const size_t words = data.at("words").size();
  std::vector<size_t> rows(2, 0);
  for (const Json& row : data.at("rows"))
    for (size_t s = 0; s < 2; ++s) rows[s] += row.at(s).get<int64_t>() >= 0;
  for (size_t s = 0; s < 2; ++s) {
    const Json& ops = data.at("steps").at(s).at("ops");
    BOOST_TEST(ops.size() == steps[s].operations.size());
    BOOST_TEST(rows[s] == ops.size());
    for (const Json& op : ops) BOOST_TEST(op.at(1).get<size_t>() < words);
  }
  std::ostringstream text;
  print_steps(text, steps, conditions, false);
  for (const char* part : {"layer 5", "linear_lora", "held at the peak, activations", "update"})
    BOOST_TEST(text.str().find(part) != std::string::npos, part);
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) BOOST_TEST(line.size() <= 110, line);
}

BOOST_AUTO_TEST_CASE(steps_stand_side_by_side) {
  auto step = [](std::vector<std::pair<std::string, std::string>> operations) {
    SeenStep s;
    for (auto& [name, place] : operations) {
      SeenOperation op;
      op.name = name;
      op.place = place;
      s.operations.push_back(op);
    }
    return s;
  };
  const auto rows = aligned({step({{"norm", "a"}, {"linear", "q"}, {"linear", "k"}, {"loss", ""}}),
                             step({{"norm", "a"},
                                   {"lora_low", "a"},
                                   {"linear_lora", "q"},
                                   {"linear_lora", "k"},
                                   {"scale", "k"},
                                   {"loss", ""}}),
                             step({{"other", "x"}, {"linear", "k"}})});
  const std::vector<std::vector<int64_t>> expected = {
      {-1, -1, 0}, {0, 0, -1}, {-1, 1, -1}, {1, 2, -1}, {2, 3, 1}, {-1, 4, -1}, {3, 5, -1}};
  BOOST_REQUIRE(rows.size() == expected.size());
  std::vector<int64_t> last(3, -1);
  for (const auto& row : rows)
    for (size_t s = 0; s < 3; ++s)
      if (row[s] >= 0) {
        BOOST_TEST(row[s] == last[s] + 1);
        last[s] = row[s];
      }
  size_t found = 0;
  for (const auto& row : expected) found += size_t(std::count(rows.begin(), rows.end(), row));
  BOOST_TEST(found == expected.size());
}

BOOST_AUTO_TEST_CASE(statistics_of_values) {
  const float inf = INFINITY;
  const Tensor t =
      Tensor::from(std::vector<float>{0, -3, 1, 5, 0, inf, 2, NAN}, {2, 4}, Dtype::f32);
  const ValueStats s = stats_of(t);
  BOOST_TEST(s.count == 8);
  BOOST_TEST(s.zeros == 2);
  BOOST_TEST(s.not_finite == 2);
  BOOST_TEST(s.least == -3.);
  BOOST_TEST(s.most == 5.);
  BOOST_TEST(std::fabs(s.norm - std::sqrt(39.)) < 1e-12);
  BOOST_TEST(std::fabs(s.mean - 5. / 6.) < 1e-12);
  int64_t all = 0;
  for (int64_t n : s.histogram) all += n;
  BOOST_TEST(all == 6);
  BOOST_TEST(s.histogram[0] == 1);
  BOOST_TEST(s.histogram[ValueStats::bins - 1] == 1);
  BOOST_TEST(s.highest[0].value == 5.);
  BOOST_TEST(index_text(t.shape(), s.highest[0].at) == "[0, 3]");
  BOOST_TEST(s.lowest[0].at == 1);
  BOOST_TEST(stats_of(Tensor::from(std::vector<float>(5, 2.f), {5})).histogram[0] == 5);
  BOOST_TEST(layer_of("model.layers.12.mlp") == 12);
  BOOST_TEST(layer_of("transformer.h.3.attn") == 3);
  BOOST_TEST(layer_of("model.norm") == -1);
  BOOST_TEST(without_layer("model.layers.12.mlp.experts.3") == "model.layers.*.mlp.experts.3");
}

BOOST_AUTO_TEST_SUITE_END()
