// Target tokens that pretraining never saw: counted, named.
#include "tools/runs/unseen_targets.h"

#include <algorithm>
#include <map>
#include <set>

#include "model/unseen_rows.h"
#include "tools/text/format.h"

namespace afina {

namespace {

std::vector<UnseenTarget> unseen_in(const std::vector<Tensor>& tables, const Samples& samples) {
  std::map<int32_t, int64_t> counts;
  for (const Sample& sample : samples.rows)
    for (size_t i = 0; i < sample.tokens.size(); ++i)
      if (sample.trained[i]) ++counts[sample.tokens[i]];
  std::vector<int32_t> asked;
  for (auto& [id, count] : counts) asked.push_back(id);
  std::set<int32_t> found;
  for (const Tensor& table : tables)
    for (int32_t id : unseen_rows(table, asked)) found.insert(id);
  std::vector<UnseenTarget> all;
  for (int32_t id : found) all.push_back({id, counts[id]});
  std::stable_sort(all.begin(), all.end(),
                   [](const UnseenTarget& a, const UnseenTarget& b) { return a.count > b.count; });
  return all;
}

}  // namespace

std::vector<UnseenTarget> unseen_targets(const Model& model, const Samples& samples) {
  const TokenEnds& ends = model.ends();
  std::vector<Tensor> tables = {ends.head()};
  if (!ends.tied()) tables.push_back(ends.table().value);
  return unseen_in(tables, samples);
}

std::vector<UnseenTarget> unseen_targets(WeightSource& source, const Model& model,
                                         const Samples& samples) {
  const TokenEnds& ends = model.ends();
  std::vector<Tensor> tables;
  for (const Parameter* table : {&ends.head_table(), &ends.table()}) {
    if (!tables.empty() && ends.tied()) continue;
    if (table->shape.size() > int64_t(1) << 30) return {};
    Parameter read =
        make_parameter(table->name, table->shape, table->init, false, Dtype::bf16, Device::cpu);
    read.stored_transposed = table->stored_transposed;
    source.expect(read.name, read.shape, read.stored_transposed);
    source.read(read);
    tables.push_back(read.value);
  }
  return unseen_in(tables, samples);
}

std::string unseen_note(const Model& model, const std::string& label,
                        const std::vector<UnseenTarget>& unseen, int64_t targets,
                        const Tokenizer& tokenizer) {
  if (unseen.empty() || model.ends().trains_head()) return {};
  const std::vector<int32_t>& trained = model.method->beside.tokens();
  std::string named, numbers;
  int64_t count = 0;
  size_t left = 0;
  for (const UnseenTarget& one : unseen) {
    if (std::find(trained.begin(), trained.end(), one.id) != trained.end()) continue;
    count += one.count;
    if (++left > 8) continue;
    named += (named.empty() ? "" : ", ") + harmless(tokenizer.token_text(one.id)) + " (token " +
             std::to_string(one.id) + ", " +
             (one.count == 1 ? "once)" : format_grouped(one.count) + " times)");
    numbers += (numbers.empty() ? "" : "+") + std::to_string(one.id);
  }
  if (!left) return {};
  if (left > 8) named += " and " + std::to_string(left - 8) + " more";
  return label + ": pretraining seems never to have seen " +
         (left == 1 ? "a token that is" : "tokens that are") + " learnt here: " + named + ", " +
         format_percent(double(count) / double(targets)) +
         " of all targets. The rows of such tokens are nearly equal to one another, and this "
         "method "
         "leaves them so; train these rows as well (tokens=" +
         numbers + "), or whole tables (" +
         (model.config.tied ? "save=embedding,tie=true" : "save=head+embedding") +
         "), or choose the method embeddings or full";
}

}  // namespace afina
