// Answers, verdicts and shares.
#include "tools/runs/judge.h"

#include <cmath>
#include <limits>

#include "data/tokenizer/utf8.h"
#include "engine/counted.h"
#include "engine/error.h"
#include "tools/results/machine.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/evaluate.h"

namespace afina {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

const char* word_of(Generated::End end) {
  switch (end) {
    case Generated::stop: return "end token";
    case Generated::length: return "--max-tokens";
    case Generated::context: return "context";
    case Generated::caller: return "interrupted";
  }
  return "";
}

// Losses of the rows that have one with this template and length.
void measure(const Contender& contender, const std::vector<JudgedRow>& rows,
             const SampleOptions& options, Judged& out) {
  std::vector<Example> examples;
  for (const JudgedRow& row : rows) examples.push_back(row.example);
  const Samples samples = make_samples(examples, contender.tokenizer, contender.chat, options);
  const Evaluation e = evaluate(contender.model, samples, 8, options.length + options.length % 2);
  for (size_t i = 0; i < samples.rows.size(); ++i) {
    const auto row = size_t(samples.rows[i].example);
    out.losses[row] = e.losses[i];
    out.targets[row] = e.tokens[i];
  }
  out.loss = e.mean;
}

// What a model has answered is kept even where a rule cannot be applied to it.
void apply(const Rule& rule, const std::vector<JudgedRow>& rows, Judged& out, size_t number) {
  bool said = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    Verdict verdict = Verdict::undecided;
    try {
      verdict = rule.judge({rows[i].question, rows[i].expected, out.answers[i], rows[i].context});
    } catch (const Error& why) {
      if (!said)
        out.undecided.push_back("rule '" + rule.name + "' could not be applied to the answer of " +
                                out.name + " to " + rows[i].example.place + ": " + why.what());
      said = true;
    }
    out.verdicts[number].push_back(verdict);
  }
}

Share share_of(size_t rows, const std::function<double(size_t)>& value) {
  Share share;
  for (size_t row = 0; row < rows; ++row) {
    const double one = value(row);
    if (std::isnan(one)) continue;
    share.passed += one > 0;
    ++share.of;
  }
  return share;
}

Json json_of(const Share& share) {
  if (!share.known()) return {{"passed", 0}, {"of", 0}};
  return {{"passed", share.passed},
          {"of", share.of},
          {"share", share.share()},
          {"low", share.low()},
          {"high", share.high()}};
}
Json json_of(const PairedShares& pair) {
  if (!pair.known()) return {};
  return {{"change", pair.change()},
          {"low", pair.low()},
          {"high", pair.high()},
          {"gained", pair.after},
          {"lost", pair.before}};
}

}  // namespace

std::vector<JudgedRow> judged_rows(std::vector<Example> examples, bool skip, int64_t& left_out) {
  std::vector<JudgedRow> rows;
  left_out = 0;
  for (Example& example : examples) {
    std::string problem = example.problem;
    size_t last = example.messages.size();
    while (last > 0 && example.messages[last - 1].role != "assistant") --last;
    if (problem.empty() && example.is_text())
      problem = example.place + ": is plain text, and an answer is judged by the one in the record";
    else if (problem.empty() && last < 2) problem = example.place + ": has no answer to a question";
    if (!problem.empty()) {
      require(skip, problem, "; --on-problem skip leaves such records out");
      ++left_out;
      continue;
    }
    JudgedRow row;
    row.prompt.assign(example.messages.begin(), example.messages.begin() + int64_t(last) - 1);
    for (const Message& turn : row.prompt) {
      std::string& said = turn.role == "user" ? row.question : row.context;
      if (!turn.content.empty()) said += (said.empty() ? "" : "\n") + valid_utf8(turn.content);
      // What a call of a tool was given is read as well.
      if (auto calls = turn.more.find("tool_calls"); calls != turn.more.end())
        said += (said.empty() ? "" : "\n") + valid_utf8(to_text(Json(*calls), -1));
    }
    row.expected = valid_utf8(example.messages[last - 1].content);
    row.example = std::move(example);
    rows.push_back(std::move(row));
  }
  require(!rows.empty(), "there is no record with a question and an answer to judge by");
  return rows;
}

double Judged::value(size_t rule, size_t row) const {
  const Verdict one = verdicts[rule][row];
  if (one == Verdict::not_asked || one == Verdict::undecided) return nothing;
  return one == Verdict::passed ? 1. : 0.;
}
double Judged::value_of_all(size_t row) const {
  double all = nothing;
  for (size_t rule = 0; rule < verdicts.size(); ++rule) {
    const double one = value(rule, row);
    if (!std::isnan(one)) all = std::isnan(all) ? one : std::min(all, one);
  }
  return all;
}
Share Judged::passed(size_t rule) const {
  return share_of(answers.size(), [&](size_t row) { return value(rule, row); });
}
Share Judged::passed_all() const {
  return share_of(answers.size(), [&](size_t row) { return value_of_all(row); });
}

Judged judge(const Contender& contender, const std::vector<JudgedRow>& rows,
             const std::vector<Rule>& rules, const SampleOptions* samples,
             const std::function<void(int64_t)>& done) {
  Judged out;
  out.name = contender.name;
  out.verdicts.resize(rules.size());
  out.losses.assign(rows.size(), nothing);
  out.targets.assign(rows.size(), 0);
  // All prompts first, so that one that does not fit costs nobody an hour.
  std::vector<std::vector<int32_t>> prompts;
  const int64_t context = contender.model.context();
  for (const JudgedRow& row : rows) {
    prompts.push_back(
        contender.tokenizer.encode(contender.chat.text(row.prompt, true, row.example.input)));
    require(int64_t(prompts.back().size()) < context, row.example.place, ": its question of ",
            prompts.back().size(), " tokens fills the context of ", contender.name, ", ", context,
            " tokens; leave the record out");
  }
  if (samples) measure(contender, rows, *samples, out);
  for (size_t i = 0; i < rows.size(); ++i) {
    const GivenAnswer answer =
        continue_tokens(contender.model, contender.tokenizer, prompts[i], contender.options,
                        [](const std::string&) { return true; });
    out.answers.push_back(valid_utf8(answer.text));
    out.ends.push_back(answer.generated.end);
    done(int64_t(i) + 1);
  }
  for (size_t rule = 0; rule < rules.size(); ++rule) apply(rules[rule], rows, out, rule);
  return out;
}

void try_rules(const std::vector<Rule>& rules, const std::vector<JudgedRow>& rows) {
  for (const Rule& rule : rules)
    for (const JudgedRow& row : rows)
      rule.judge({row.question, row.expected, row.expected, row.context});
}

PairedShares change(const Judged& before, const Judged& after, size_t rule) {
  PairedShares pair;
  auto value = [rule](const Judged& of, size_t row) {
    return rule < of.verdicts.size() ? of.value(rule, row) : of.value_of_all(row);
  };
  for (size_t row = 0; row < before.answers.size(); ++row) {
    const double was = value(before, row), is = value(after, row);
    if (std::isnan(was) || std::isnan(is)) continue;
    ++(was > 0 ? (is > 0 ? pair.both : pair.before) : (is > 0 ? pair.after : pair.neither));
  }
  return pair;
}

std::string judged_lines(const std::vector<JudgedRow>& rows, const std::vector<Rule>& rules,
                         const std::vector<Judged>& judged) {
  std::string lines;
  for (size_t row = 0; row < rows.size(); ++row)
    for (const Judged& of : judged) {
      Json verdicts = Json::object();
      for (size_t rule = 0; rule < rules.size(); ++rule) {
        const Verdict one = of.verdicts[rule][row];
        verdicts[rules[rule].name] = one == Verdict::undecided   ? Json("undecided")
                                     : one == Verdict::not_asked ? Json()
                                                                 : Json(one == Verdict::passed);
      }
      Json line{{"row", int64_t(row)},
                {"place", valid_utf8(rows[row].example.place)},
                {"model", of.name},
                {"question", rows[row].question},
                {"expected", rows[row].expected},
                {"answer", of.answers[row]},
                {"ended_by", word_of(of.ends[row])},
                {"rules", verdicts},
                {"targets", of.targets[row]}};
      if (of.targets[row]) line["loss"] = of.losses[row];
      if (!rows[row].context.empty()) line["context"] = rows[row].context;
      lines += to_text(line, -1) + "\n";
    }
  return lines;
}

Json judgement_json(const std::vector<JudgedRow>& rows, const std::vector<Rule>& rules,
                    const std::vector<Judged>& judged, const std::string& described) {
  Json all{{"afina", version()}, {"records", described}, {"rows", int64_t(rows.size())}};
  Json asked = Json::array(), models = Json::array();
  for (const Rule& rule : rules) asked.push_back({{"name", rule.name}, {"asks", rule.says}});
  for (const Judged& of : judged) {
    Json model{{"name", of.name}, {"loss", of.loss}, {"all_rules", json_of(of.passed_all())}};
    Json shares = Json::object(), changes = Json::object();
    for (size_t rule = 0; rule < rules.size(); ++rule) {
      shares[rules[rule].name] = json_of(of.passed(rule));
      if (&of != &judged[0]) changes[rules[rule].name] = json_of(change(judged[0], of, rule));
      // What results of other programs call accuracy: the share of right answers.
      if (rules[rule].name == "number" ||
          (rules[rule].name == "exact" && !model.contains("accuracy")))
        model["accuracy"] = of.passed(rule).share();
    }
    model["rules"] = shares;
    if (&of != &judged[0]) model["against_" + judged[0].name] = changes;
    models.push_back(model);
  }
  all["rules"] = asked;
  all["models"] = models;
  return all;
}

}  // namespace afina
