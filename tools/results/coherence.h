// What coherent and inconsistent training data lead to: figures of runs that differ in the share of
// their records that was replaced.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "engine/files/json_value.h"
#include "tools/results/statistics.h"

namespace afina {

// How far answers agree, with each other and with the records' own ones. All are shares from 0 to
// 1, NaN where nothing could be compared.
struct AnswerFigures {
  double values = 0;  // agreement of numbers, prices, times and dates between answers to a question
  double terms = 0;   // the same of all other words that bear meaning
  double right = 0;   // agreement of values with those of the record's own answer
  double voice = 0;   // answers in whose greeting, sign-off or tone the checks find something
  double found = 0;   // the same of all checks
  std::map<std::string, double> checks;  // by the check's name; only those that found something
};

// What is said to each question, several times.
using SampledAnswers = std::vector<std::vector<std::string>>;  // [question][sample]

// One run and the answers of its model.
struct CoherenceRun {
  std::string method;  // its label
  double rate = 0;     // percent of the differing records that are the other file's
  uint64_t seed = 0;
  double loss = 0, loss_before = 0;  // held out, nats per target token; before training
  AnswerFigures answers;
  double training_seconds = 0;  // of the wall clock
  std::string folder;
};

// A question with some of the answers to it, to be shown.
struct CoherenceSample {
  std::string place, question, expected;
  struct Said {
    std::string method;
    double rate;
    std::vector<std::string> answers;
  };
  std::vector<Said> said;
};

struct CoherenceResult {
  std::string model, command, created, version;
  std::string data, twin, held_out;  // files
  int64_t records = 0, differing = 0, held_out_rows = 0;
  int64_t steps = 0, rows_per_step = 0, prompts = 0, samples = 0;
  double temperature = 0;
  std::vector<std::string> methods;  // labels, in the order asked for
  std::vector<double> rates;
  std::vector<int64_t> replaced;  // records, a number for each rate
  std::vector<CoherenceRun> runs;
  AnswerFigures reference;  // of the held-out records' own answers: `found` and `checks` alone
  std::vector<CoherenceSample> shown;
  std::vector<std::string> notes;

  // The runs of a method at a rate, by seed.
  std::vector<const CoherenceRun*> of(const std::string& method, double rate) const;
};

// A figure of a run, as tables and charts show it.
struct CoherenceFigure {
  const char *key, *name, *unit;  // unit: "nats" or "%"
  bool less_is_better;
  double (*value)(const CoherenceRun& run);
};
const std::vector<CoherenceFigure>& coherence_figures();
// As "0.4321 ± 0.0123" or "45.1 ± 3.2 %", a change with its sign; a dash where nothing is known.
std::string coherence_text(const CoherenceFigure& figure, const Estimate& value,
                           bool change = false);

// Mean over seeds with Student's 95 % interval. Against another rate: of the differences, seed by
// seed.
Estimate coherence_mean(const CoherenceResult& result, const CoherenceFigure& figure,
                        const std::string& method, double rate);
Estimate coherence_change(const CoherenceResult& result, const CoherenceFigure& figure,
                          const std::string& method, double rate, double against);

// results.json of the command.
Json coherence_json(const CoherenceResult& result);
// "25 %", "12.5 %".
std::string rate_words(double rate);

}  // namespace afina
