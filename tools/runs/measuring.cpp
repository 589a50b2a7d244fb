// The share of a run that measuring takes.
#include "tools/runs/measuring.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/runs/scores.h"
#include "tools/runs/step.h"
#include "tools/text/format.h"

namespace afina {

namespace {

constexpr double share = 0.15, work_of_a_step = 2;  // in readings of as many tokens
constexpr double always_affordable = 1e12;          // FLOPs
constexpr int64_t fewest_rows = 8;
// The untouched model reads both halves of the held-out rows, and the trained one those for the
// final figures; the retention text is read by the untouched model and in every look.
constexpr double halves_beside_looks = 3, retentions_beside_looks = 1, looks_to_afford = 3;

double readings(const LookTokens& look, double looks) {
  return (halves_beside_looks + looks) * look.held_out +
         (retentions_beside_looks + looks) * look.retain;
}

double tokens_of(const Samples& samples) { return double(samples.tokens); }

// By the mean of an epoch.
double tokens_trained(const Workbench& bench) {
  const BatchSource rows(bench.train, batch_options(bench.run, bench.data, bench.run.seed));
  return double(bench.run.steps) / double(rows.steps_per_epoch()) * tokens_of(bench.train);
}

// FLOPs of the products with weights.
double work_of_a_token(const ModelConfig& c) {
  const double heads = double(c.head_dim * 2 * (c.heads + c.kv_heads)),
               ffn = 3. * double(c.ffn_dim);
  return 2. * double(c.dim) * (double(c.layers) * (heads + ffn) + double(c.vocabulary));
}

}  // namespace

double tokens_to_measure(double trained, double token) {
  return std::max(share * work_of_a_step * trained, always_affordable / token);
}

int64_t rows_to_measure(double affordable, int64_t rows, double tokens, bool retain) {
  const LookTokens unit{1, retain ? 1. : 0.};
  const double once = affordable / readings(unit, looks_to_afford);
  if (rows <= fewest_rows || tokens <= once) return rows;
  return std::max(fewest_rows, int64_t(once / tokens * double(rows)));
}

int64_t retention_to_measure(double affordable, double held_out) {
  const double left = affordable - readings({held_out, 0}, looks_to_afford);
  const double each = left / (retentions_beside_looks + looks_to_afford);
  return int64_t(std::clamp(each, 512., double(DataOptions::most_retain_tokens)));
}

int64_t steps_between_looks(double affordable, int64_t steps, const LookTokens& look) {
  const double left = affordable - readings(look, 0);
  const double one = std::max(1., look.held_out + look.retain);
  const auto looks = int64_t(std::clamp(left / one, 1., 10.));
  return (steps + looks - 1) / looks;
}

double tokens_to_measure(const Workbench& bench) {
  return tokens_to_measure(tokens_trained(bench), work_of_a_token(bench.opened->config));
}

void measure_as_before(DataOptions& data, const Json& replay) {
  if (!replay.is_object()) return;
  const Json then = replay.value("data", Json::object());
  auto take = [&](int64_t& field, const char* name) {
    if (field < 0 && then.is_object() && then.contains(name) && then[name].is_number_integer())
      field = then[name].get<int64_t>();
  };
  take(data.eval_rows, "eval-rows");
  take(data.retain_tokens, "retain-tokens");
}

std::string measuring_sentence(const Workbench& bench) {
  int64_t looks = 0;
  for (int64_t step = 1; step <= bench.run.steps; ++step)
    looks += evaluates_after(bench.run, step) ? 1 : 0;
  const LookTokens look{tokens_of(bench.choice), tokens_of(bench.retain)};
  const double share_of_reading = readings(look, double(looks)) / tokens_trained(bench);
  std::ostringstream text;
  text << bench.choice.rows.size() << " rows for the curve and the choice of rates, measured "
       << (looks == 1 ? "at the end" : std::to_string(looks) + " times") << ", and "
       << bench.final.rows.size() << " for the final figures";
  if (bench.held_out_records > 2 * bench.data.eval_rows)
    text << " (of " << bench.held_out_records << " held-out records)";
  if (!bench.retain.rows.empty())
    text << ", " << format_grouped(bench.retain.tokens) << " tokens of retention text";
  text << ": with the untouched model about " << format_percent(share_of_reading / work_of_a_step)
       << " of the work of training a LoRA, " << format_percent(share_of_reading / 3)
       << " of that in full";
  return text.str();
}

}  // namespace afina
