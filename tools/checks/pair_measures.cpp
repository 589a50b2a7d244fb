// Gradients and hidden states of single sentences.
#include "tools/checks/pair_measures.h"

#include <cmath>

#include "tools/checks/gradient_conflict.h"
#include "tools/runs/step.h"

namespace afina {

namespace {

struct Measured {
  GradientFactors gradient;
  std::vector<double> hidden;
};

// The row of the sentence's answer with the sentence's tokens as its only targets.
Sample row_of(const Reader& reader, const FoldReadings& readings, const ReadSentence& sentence) {
  Sample row = reader.rows({sentence.answer}, [](size_t i) { return i; }).rows.at(0);
  const auto& tokens = readings.own[sentence.answer].tokens;
  size_t target = 0;
  for (size_t t = 0; t < row.tokens.size(); ++t) {
    if (!row.trained[t]) continue;
    const ReadToken& token = tokens.at(target++);
    row.trained[t] =
        token.begin >= sentence.begin && token.begin < sentence.end && token.begin < token.end;
  }
  return row;
}

std::vector<double> hidden_of(Model& model, const Sample& row) {
  Samples samples;
  samples.rows.push_back(row);
  BatchOptions options;
  options.length = (int64_t(row.tokens.size()) + 7) / 8 * 8;
  options.shuffle = options.pack = false;
  const Batch batch = BatchSource(samples, options).once().at(0);
  const Tensor x = model.hidden(inputs_of(batch, 0, -1, model.parameters->device));
  const std::vector<double> values = x.values64();
  std::vector<double> mean(size_t(x.columns()), 0.);
  for (size_t t = 0; t + 1 < row.tokens.size(); ++t)
    if (row.trained[t + 1])
      for (size_t d = 0; d < mean.size(); ++d) mean[d] += values[t * mean.size() + d];
  return mean;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0.;
}

}  // namespace

std::vector<PairMeasures> measure_pairs(const Reader& reader, Model& model,
                                        const Surprise& surprise, const FoldReadings& readings,
                                        const std::vector<FactPair>& pairs,
                                        const std::function<void(int64_t)>& done) {
  std::vector<PairMeasures> all;
  auto measured = [&](size_t k) {
    const Sample row = row_of(reader, readings, surprise.sentences()[k]);
    return Measured{gradient_factors(model, row), hidden_of(model, row)};
  };
  for (const FactPair& pair : pairs) {
    const Measured one = measured(pair.one), other = measured(pair.other);
    all.push_back(
        {gradient_cosine(one.gradient, other.gradient), cosine(one.hidden, other.hidden)});
    if (done) done(int64_t(all.size()));
  }
  return all;
}

}  // namespace afina
