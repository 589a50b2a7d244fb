// Warm-ups on halves of a file.
#include "tools/checks/two_fold.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "engine/error.h"
#include "engine/random.h"
#include "tools/runs/rates.h"
#include "tools/runs/step.h"

namespace afina {

int64_t parameters_of(Reader& reader) {
  BuildOptions build;
  build.device = Device::shapes;
  RandomWeights none(1);
  const auto model = build_model(reader.files().config, none, std::make_unique<Untouched>(), build);
  int64_t count = 0;
  for (const Parameter& p : model->parameters->all) count += p.shape.size();
  return count;
}

std::string usual_warm_up(int64_t parameters) {
  return parameters <= small_model ? "full:lr=2e-3" : "lora:rank=16,alpha=32,lr=1e-3";
}

std::unique_ptr<Model> warmed_up(Reader& reader, const Samples& rows, const WarmUpOptions& options,
                                 const std::function<void(int64_t, int64_t)>& progress) {
  MethodSpec method = parse_method(options.method);
  const auto known = methods().find(method.name);
  const double lr =
      take_rates(method, known == methods().end() ? 1e-4 : known->second.card.rate)[0];
  BuildOptions build;
  build.seed = options.seed;
  auto model =
      build_model(reader.files().config, *reader.files().source, make_method(method), build);
  RunOptions run;
  run.seed = options.seed;
  run.batch = options.batch;
  BatchOptions batches;
  batches.batch = options.batch;
  batches.length = (reader.length() + 7) / 8 * 8;
  batches.seed = options.seed;
  batches.pack = false;
  const BatchSource source(rows, batches);
  run.steps = std::max<int64_t>(
      1, int64_t(std::ceil(options.epochs * double(rows.rows.size()) / double(options.batch))));
  Trainer trainer(model->parameters->trained(), run.train(lr), model->method.get());
  for (int64_t step = 0; step < run.steps; ++step) {
    train_on(source.next_step(step), *model, trainer, options.seed, step);
    if (progress) progress(step + 1, run.steps);
  }
  return model;
}

FoldReadings read_two_fold(Reader& reader, const WarmUpOptions& options,
                           const std::function<void(double)>& work) {
  const size_t n = reader.records().size();
  require(n >= 4, "--model: ", n,
          " records with a question and an answer are too few for two "
          "halves; at least 4 are needed");
  std::vector<size_t> everything(n), order(n);
  for (size_t i = 0; i < n; ++i) everything[i] = order[i] = i;
  const Samples own = reader.rows(everything, [](size_t i) { return i; });
  // Equal rows share a half: what the one says, the other must not give away.
  std::unordered_map<std::string, size_t> first;
  std::vector<size_t> like(n);
  for (size_t i = 0; i < n; ++i) like[i] = i;
  for (const Sample& row : own.rows) {
    std::string key(reinterpret_cast<const char*>(row.tokens.data()),
                    row.tokens.size() * sizeof(int32_t));
    like[size_t(row.example)] = first.emplace(std::move(key), size_t(row.example)).first->second;
  }
  const Random random(options.seed, "halves");
  for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i, uint32_t(i))]);
  std::vector<uint8_t> half(n, 0);
  for (size_t k = 0; k < n; ++k) half[order[k]] = uint8_t(k % 2);
  std::vector<size_t> halves[2];
  for (size_t i = 0; i < n; ++i) halves[half[like[i]]].push_back(i);
  FoldReadings all;
  all.own.resize(n);
  const double training = 3 * options.epochs, whole = 2 * (training + 1);
  double before = 0;
  for (int side = 0; side < 2; ++side) {
    const std::vector<size_t>&seen = halves[side], &unseen = halves[1 - side];
    if (seen.empty() || unseen.empty()) continue;
    Samples rows;
    rows.pad = own.pad;
    for (const Sample& row : own.rows)
      if (half[like[size_t(row.example)]] == side) rows.rows.push_back(row);
    auto model = warmed_up(reader, rows, options, [&](int64_t done, int64_t of) {
      if (work) work((before + training * double(done) / double(of)) / whole);
    });
    before += training;
    std::vector<ReadAnswer> read = reader.read(
        *model, unseen, reader.rows(unseen, [](size_t i) { return i; }), true, [&](int64_t done) {
          if (work) work((before + double(done) / double(unseen.size())) / whole);
        });
    before += 1;
    for (size_t k = 0; k < unseen.size(); ++k) all.own[unseen[k]] = std::move(read[k]);
  }
  return all;
}

}  // namespace afina
