// The sentence of the finding, clause by clause.
#include "tools/report/finding.h"

#include <algorithm>
#include <cmath>

#include "tools/text/names.h"

namespace afina {

namespace {

// Nats below which a fall of the held-out loss is not called learning.
constexpr double slight_learning = 0.001;

// The quotient of a figure over seeds that both have, with the interval over those quotients.
template <class Value>
Estimate over_seeds(const Facts& facts, size_t method, Value value) {
  std::vector<double> values;
  for (const RunResult& ours : facts.comparison.methods[method].runs)
    for (const RunResult& theirs : facts.comparison.methods[facts.reference].runs)
      if (ours.seed == theirs.seed)
        if (std::optional<double> one = value(ours, theirs)) values.push_back(*one);
  return estimate(values);
}
std::optional<double> forgotten_of(const RunResult& run) {
  if (!run.after.retain || !run.before.retain) return {};
  return *run.after.retain - *run.before.retain;
}

// The half-width of the interval of a / b, from those of a, of b and of their difference, by the
// first order of the quotient (the delta method): a and b share rows and seeds, and their
// difference says how much. NaN where one of them has none.
double half_of_quotient(const Estimate& a, const Estimate& b, const Estimate& difference) {
  if (!a.has_interval() || !b.has_interval() || !difference.has_interval()) return std::nan("");
  auto square = [](const Estimate& e) { return e.half * e.half; };
  const double quotient = a.mean / b.mean,
               twice_common = square(a) + square(b) - square(difference),
               spread = square(a) - quotient * twice_common + quotient * quotient * square(b);
  return std::sqrt(std::max(spread, 0.)) / std::fabs(b.mean);
}

// 98.7 %, 40 %, 8.1 %, 0.032 %: `fine` keeps the decimal above ten.
std::string share_text(double share, bool fine = false) {
  char text[32];
  const double percent = 100 * share;
  if (fine && percent < 99.95) std::snprintf(text, sizeof text, "%.1f %%", percent);
  else if (percent >= 9.95) std::snprintf(text, sizeof text, "%.0f %%", percent);
  else std::snprintf(text, sizeof text, "%.2g %%", percent);
  return text;
}
// "40 %", "2.1 times".
std::string as_much(double share) {
  char text[32];
  if (share < 0.005) return "under 1 %";
  if (share < 0.995) return share_text(share);
  if (share < 1.5) std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
  else std::snprintf(text, sizeof text, share < 9.95 ? "%.1f times" : "%.0f times", share);
  return text;
}

std::string capital_letter(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = char(text[0] - 'a' + 'A');
  return text;
}

// What a sentence must know of a method.
struct Standing {
  const Facts& facts;
  size_t method;
  std::string name;
  explicit Standing(const Facts& all, size_t which)
      : facts(all), method(which), name(all.spoken[which]) {}
  const MethodSummary& summary() const { return facts.summaries[method]; }
  bool diverged() const { return summary().diverged || !std::isfinite(summary().gain.mean); }
  bool ran() const { return !facts.comparison.methods[method].runs.empty(); }
  bool learned() const { return !diverged() && summary().gain.mean > slight_learning; }
  double before() const { return facts.comparison.methods[method].runs[0].before.heldout; }
  double forgotten() const { return summary().forgetting.mean; }
  bool forgot_known() const { return summary().forgetting.known() && std::isfinite(forgotten()); }
  std::string diverging() const {
    return name + " " +
           (diverged_sentence(facts, method).empty() ? "diverged"
                                                     : diverged_sentence(facts, method));
  }
  // "lowered the held-out loss from 8.0045 to 1.3328"
  std::string lowering() const {
    const double after = summary().heldout.mean;
    if (learned())
      return "lowered the held-out loss from " + format_loss(before()) + " to " +
             format_loss(after);
    return "did not lower the held-out loss (" + format_loss(before()) + " before, " +
           format_loss(after) + " after)";
  }
  double trained_share() const {
    const double all = double(facts.summaries[facts.reference].trained_parameters);
    return all > 0 ? double(summary().trained_parameters) / all : std::nan("");
  }
};

std::string learned_clause(const Standing& one, const Standing& reference) {
  const Estimate share = learned_share(one.facts, one.method);
  const std::string percent = share_text(share.mean, true);
  if (clear_difference(one.facts, one.method) == Clear::no)
    return "learned as much as " + reference.name + " within the uncertainty (" + percent + ")";
  if (share.mean >= 1.5) return "learned " + as_much(share.mean) + " as much as " + reference.name;
  return "learned " + percent + " of what " + reference.name + " learned";
}

std::string forgotten_clause(const Standing& one, const Standing& reference) {
  if (!one.forgot_known() || !reference.forgot_known()) return "";
  const bool ours = one.forgotten() > slight_forgetting,
             theirs = reference.forgotten() > slight_forgetting;
  if (!ours && !theirs) return "forgot nothing measurable, as did " + reference.name;
  if (!ours)
    return "forgot nothing measurable (" + reference.name + ": " +
           format_difference(reference.forgotten()) + " nats)";
  if (!theirs)
    return "forgot " + format_loss(one.forgotten()) + " nats (" + reference.name +
           " nothing measurable)";
  const double share = one.forgotten() / reference.forgotten();
  if (clear_forgetting(one.facts, one.method) == Clear::no)
    return "forgot as much within the uncertainty (" + share_text(share) + ")";
  return "forgot " + as_much(share) + " as much";
}

std::string trained_clause(const Standing& one) {
  const double share = one.trained_share();
  if (!std::isfinite(share)) return "";
  if (share >= 1.5) return "trained " + as_much(share) + " as many parameters";
  return share == 1 ? "trained as many parameters"
                    : "trained " + share_text(share) + " of the parameters";
}

// Clauses with commas, and "and" before the last one; a subject in front.
std::string clauses(const std::string& subject, std::vector<std::string> all) {
  std::erase(all, "");
  std::string text = subject + " ";
  for (size_t i = 0; i < all.size(); i++)
    text += (i == 0                ? ""
             : i + 1 == all.size() ? (all.size() > 2 ? ", and " : " and ")
                                   : ", ") +
            all[i];
  return text;
}

std::string forgetting_alone(const Standing& one) {
  if (!one.forgot_known()) return "";
  if (std::fabs(one.forgotten()) <= slight_forgetting) return "forgot nothing measurable";
  return std::string(one.forgotten() > 0 ? "raised" : "lowered") +
         " the loss on the retention text by " + format_loss(std::fabs(one.forgotten()));
}

std::string of_one(const Standing& one) {
  if (!one.ran()) return "Nothing was run.";
  if (one.diverged()) return one.diverging() + ": lower its learning rate.";
  const double all = double(one.summary().total_parameters);
  std::string trained;
  if (all > 0)
    trained = "trained " + share_text(double(one.summary().trained_parameters) / all) +
              " of the model's parameters";
  return clauses(one.name, {one.lowering(), forgetting_alone(one), trained}) + ".";
}

// Where a share of what the reference learned says nothing.
std::string without_reference(const Standing& reference, const std::vector<Standing>& others) {
  std::string text = reference.diverged() ? reference.diverging() + ", so that there are no ratios"
                                          : reference.name + " " + reference.lowering();
  const Standing* best = nullptr;
  for (const Standing& one : others)
    if (one.ran() && !one.diverged() &&
        (!best || one.summary().heldout.mean < best->summary().heldout.mean))
      best = &one;
  if (!best) return text + "; nor is there a figure of another method.";
  return text + "; " + (others.size() > 1 ? "of the others, " : "") + best->name + " " +
         best->lowering() + ".";
}

// With one or two names what became of them, else how many there are.
std::string aside(const std::vector<Standing>& all, const char* what) {
  if (all.empty()) return "";
  std::vector<std::string> names;
  for (const Standing& one : all) names.push_back(one.name);
  return "; " + listed(names) + " " + what;
}

std::string percents(const std::vector<Standing>& all, double (*share)(const Standing&),
                     bool fine) {
  std::vector<std::string> words;
  for (const Standing& one : all) words.push_back(share_text(share(one), fine));
  return listed(words);
}

double forgotten_ratio(const Standing& one) {
  return one.forgotten() / one.facts.summaries[one.facts.reference].forgetting.mean;
}
double trained_ratio(const Standing& one) { return one.trained_share(); }

// "they forgot 40 % and 45 % as much", in nats where shares say nothing.
std::string forgotten_by_all(const std::vector<Standing>& all, const Standing& reference) {
  auto known = [](const Standing& one) { return one.forgot_known(); };
  if (!known(reference) || !std::all_of(all.begin(), all.end(), known)) return "";
  auto forgot = [](const Standing& one) { return one.forgotten() > slight_forgetting; };
  if (forgot(reference) && std::all_of(all.begin(), all.end(), forgot)) {
    std::vector<std::string> shares;
    for (const Standing& one : all) shares.push_back(as_much(forgotten_ratio(one)));
    return "forgot " + listed(shares) + " as much";
  }
  std::vector<std::string> words;
  for (const Standing& one : all) words.push_back(format_difference(one.forgotten()));
  return "changed the retention loss by " + listed(words) + " nats (" + reference.name + ": " +
         format_difference(reference.forgotten()) + ")";
}

std::string of_few(const Standing& reference, const std::vector<Standing>& all) {
  std::vector<std::string> words;
  for (const Standing& one : all)
    words.push_back(
        one.name + (words.empty() ? " learned " : " ") +
        share_text(learned_share(one.facts, one.method).mean, true) +
        (clear_difference(one.facts, one.method) == Clear::no ? " (no clear difference)" : ""));
  std::string text = listed(words) + " of what " + reference.name + " learned";
  const std::string forgot = forgotten_by_all(all, reference);
  return text + "; they " + (forgot.empty() ? "" : forgot + " and ") + "trained " +
         percents(all, trained_ratio, false) + " of the parameters";
}

std::string of_many(const Standing& reference, const std::vector<Standing>& all) {
  auto learned = [](const Standing& one) { return learned_share(one.facts, one.method).mean; };
  auto less = [](auto value) {
    return [value](const Standing& a, const Standing& b) { return value(a) < value(b); };
  };
  const Standing& most = *std::max_element(all.begin(), all.end(), less(learned));
  std::string text = "Of " + std::to_string(all.size()) + " methods beside " + reference.name +
                     ", " + most.name + " learned most (" + share_text(learned(most), true) +
                     " of what " + reference.name + " learned)";
  auto known = [](const Standing& one) { return one.forgot_known(); };
  if (known(reference) && std::all_of(all.begin(), all.end(), known)) {
    // Who learned next to nothing forgot next to nothing: that is no merit.
    const Standing* least = nullptr;
    for (const Standing& one : all)
      if (learned(one) >= learned(most) / 2 && (!least || one.forgotten() < least->forgotten()))
        least = &one;
    std::string much = "nothing measurable";
    if (least->forgotten() > slight_forgetting)
      much = reference.forgotten() > slight_forgetting
                 ? share_text(forgotten_ratio(*least)) + " as much"
                 : format_difference(least->forgotten()) + " nats";
    text += least->method == most.method
                ? " and forgot least (" + much + ")"
                : "; of those that learned at least half as much, " + least->name +
                      " forgot least (" + much + ", having learned " +
                      share_text(learned(*least), true) + ")";
  }
  const auto [few, lots] = std::minmax_element(all.begin(), all.end(), less(trained_ratio));
  return text + ". They trained " + share_text(few->trained_share()) + " to " +
         share_text(lots->trained_share()) + " of the parameters";
}

}  // namespace

Estimate learned_share(const Facts& facts, size_t method) {
  const double theirs = facts.summaries[facts.reference].gain.mean;
  const double ours = facts.summaries[method].gain.mean;
  if (!(theirs > slight_learning) || !std::isfinite(ours) || !std::isfinite(theirs)) return {};
  Estimate share = over_seeds(facts, method, [](const RunResult& a, const RunResult& b) {
    const double gain = b.before.heldout - b.after.heldout;
    return gain > 0 ? std::optional((a.before.heldout - a.after.heldout) / gain) : std::nullopt;
  });
  if (const PairedDifference* pair = facts.against_reference(method);
      pair && pair->overall.rows > 0) {
    const double half = half_of_quotient(facts.summaries[method].gain,
                                         facts.summaries[facts.reference].gain, pair->overall);
    if (std::isfinite(half)) {
      share = pair->overall;
      share.half = half;
    }
  }
  share.mean = ours / theirs;
  share.count = std::max(1, share.count);
  return share;
}

Estimate forgotten_share(const Facts& facts, size_t method) {
  const Estimate &ours = facts.summaries[method].forgetting,
                 &theirs = facts.summaries[facts.reference].forgetting;
  if (!ours.known() || !theirs.known() || !(theirs.mean > slight_forgetting) || !(ours.mean > 0))
    return {};
  Estimate share = over_seeds(facts, method, [](const RunResult& a, const RunResult& b) {
    const auto mine = forgotten_of(a), other = forgotten_of(b);
    return mine && other && *other > 0 ? std::optional(*mine / *other) : std::nullopt;
  });
  const Estimate difference = forgetting_difference(facts, method);
  if (const double half = half_of_quotient(ours, theirs, difference);
      difference.rows > 0 && std::isfinite(half)) {
    share = difference;
    share.half = half;
  }
  share.mean = ours.mean / theirs.mean;
  share.count = std::max(1, share.count);
  return share;
}

Estimate forgetting_difference(const Facts& facts, size_t method) {
  const PairedDifference* pair = facts.against_reference(method);
  return pair ? pair->retain : Estimate();
}

Clear clear_difference(const Facts& facts, size_t method) {
  const PairedDifference* pair = facts.against_reference(method);
  if (!pair || !pair->overall.has_interval()) return Clear::unknown;
  return pair->overall.excludes_zero() ? Clear::yes : Clear::no;
}

Clear clear_forgetting(const Facts& facts, size_t method) {
  const Estimate difference = forgetting_difference(facts, method);
  if (!difference.has_interval()) return Clear::unknown;
  return difference.excludes_zero() ? Clear::yes : Clear::no;
}

std::string finding(const Facts& facts) {
  const Standing reference(facts, facts.reference);
  std::vector<Standing> others, compared, diverged, idle;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    if (method == facts.reference) continue;
    const Standing one(facts, method);
    others.push_back(one);
    if (!one.ran()) continue;
    (one.diverged() ? diverged : one.learned() ? compared : idle).push_back(one);
  }
  if (others.empty()) return capital_letter(of_one(reference));
  if (!reference.ran() || !reference.learned())
    return reference.ran() ? capital_letter(without_reference(reference, others))
                           : "There is no run of " + reference.name + " to compare with.";
  std::string text;
  if (compared.empty()) text = reference.name + " " + reference.lowering();
  else if (compared.size() == 1)
    text = clauses(compared[0].name,
                   {learned_clause(compared[0], reference),
                    forgotten_clause(compared[0], reference), trained_clause(compared[0])});
  else text = compared.size() <= 3 ? of_few(reference, compared) : of_many(reference, compared);
  text += aside(idle, "did not lower the held-out loss") + aside(diverged, "diverged");
  return capital_letter(text) + ".";
}

}  // namespace afina
