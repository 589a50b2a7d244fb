// Means, changes and the JSON of a coherence experiment.
#include "tools/results/coherence.h"

#include <cmath>
#include <cstdio>

namespace afina {

namespace {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }
Json json_of(const Estimate& e) {
  Json json = {{"mean", number(e.mean)}, {"count", e.count}};
  if (e.has_interval()) {
    json["low"] = e.low();
    json["high"] = e.high();
  }
  return json;
}
Json json_of(const AnswerFigures& f) {
  Json checks = Json::object();
  for (auto& [name, share] : f.checks) checks[name] = share;
  return {{"values", number(f.values)}, {"terms", number(f.terms)}, {"right", number(f.right)},
          {"voice", number(f.voice)},   {"found", number(f.found)}, {"checks", checks}};
}

}  // namespace

std::vector<const CoherenceRun*> CoherenceResult::of(const std::string& method, double rate) const {
  std::vector<const CoherenceRun*> all;
  for (const CoherenceRun& run : runs)
    if (run.method == method && run.rate == rate) all.push_back(&run);
  return all;
}

const std::vector<CoherenceFigure>& coherence_figures() {
  static const std::vector<CoherenceFigure> all = {
      {"loss", "Held-out loss", "nats", true, [](const CoherenceRun& r) { return r.loss; }},
      {"values", "Answers to one question agree in values", "%", false,
       [](const CoherenceRun& r) { return r.answers.values; }},
      {"terms", "Answers to one question agree in words", "%", false,
       [](const CoherenceRun& r) { return r.answers.terms; }},
      {"right", "Values agree with the record's", "%", false,
       [](const CoherenceRun& r) { return r.answers.right; }},
      {"voice", "Answers in another voice", "%", true,
       [](const CoherenceRun& r) { return r.answers.voice; }},
      {"found", "Answers with any finding", "%", true,
       [](const CoherenceRun& r) { return r.answers.found; }}};
  return all;
}

std::string coherence_text(const CoherenceFigure& figure, const Estimate& value, bool change) {
  if (!value.known() || !std::isfinite(value.mean)) return "–";
  const bool percent = std::string(figure.unit) == "%";
  char text[64];
  if (value.has_interval())
    std::snprintf(text, sizeof text, percent ? "%.1f ± %.1f %%" : "%.4f ± %.4f",
                  value.mean * (percent ? 100 : 1), value.half * (percent ? 100 : 1));
  else
    std::snprintf(text, sizeof text, percent ? "%.1f %%" : "%.4f",
                  value.mean * (percent ? 100 : 1));
  return (change && value.mean >= 0 ? "+" : "") + std::string(text);
}

Estimate coherence_mean(const CoherenceResult& result, const CoherenceFigure& figure,
                        const std::string& method, double rate) {
  std::vector<double> values;
  for (const CoherenceRun* run : result.of(method, rate)) values.push_back(figure.value(*run));
  return estimate(values);
}

Estimate coherence_change(const CoherenceResult& result, const CoherenceFigure& figure,
                          const std::string& method, double rate, double against) {
  std::vector<double> values;
  for (const CoherenceRun* run : result.of(method, rate))
    for (const CoherenceRun* other : result.of(method, against))
      if (run->seed == other->seed) values.push_back(figure.value(*run) - figure.value(*other));
  return estimate(values);
}

Json coherence_json(const CoherenceResult& r) {
  Json json = {{"afina", r.version},
               {"created", r.created},
               {"command", r.command},
               {"model", r.model},
               {"data", r.data},
               {"twin", r.twin},
               {"held_out", r.held_out},
               {"records", r.records},
               {"differing", r.differing},
               {"held_out_rows", r.held_out_rows},
               {"steps", r.steps},
               {"rows_per_step", r.rows_per_step},
               {"prompts", r.prompts},
               {"samples", r.samples},
               {"temperature", r.temperature},
               {"rates", Json::array()},
               {"runs", Json::array()},
               {"means", Json::array()},
               {"held_out_answers",
                {{"voice", number(r.reference.voice)},
                 {"found", number(r.reference.found)},
                 {"checks", json_of(r.reference).at("checks")}}},
               {"notes", r.notes}};
  for (size_t i = 0; i < r.rates.size(); ++i)
    json["rates"].push_back({{"rate", r.rates[i]}, {"replaced", r.replaced[i]}});
  for (const CoherenceRun& run : r.runs)
    json["runs"].push_back({{"method", run.method},
                            {"rate", run.rate},
                            {"seed", run.seed},
                            {"loss", number(run.loss)},
                            {"loss_before", number(run.loss_before)},
                            {"training_seconds", run.training_seconds},
                            {"answers", json_of(run.answers)},
                            {"folder", run.folder}});
  for (const std::string& method : r.methods)
    for (double rate : r.rates) {
      Json one = {{"method", method}, {"rate", rate}};
      for (const CoherenceFigure& figure : coherence_figures()) {
        one[figure.key] = json_of(coherence_mean(r, figure, method, rate));
        if (rate != r.rates[0])
          one[std::string(figure.key) + "_change"] =
              json_of(coherence_change(r, figure, method, rate, r.rates[0]));
      }
      json["means"].push_back(std::move(one));
    }
  return json;
}

std::string rate_words(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, "%g %%", rate);
  return text;
}

}  // namespace afina
