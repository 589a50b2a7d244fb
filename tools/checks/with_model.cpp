// Puts the readings together: what they find, and what they contradict.
#include "tools/checks/with_model.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>

#include "tools/checks/pair_measures.h"
#include "tools/checks/untouched.h"
#include "tools/runs/subject.h"
#include "tools/text/format.h"

namespace afina {

namespace {

const RegisterCheck out_of_place(
    {"out-of-place", "model", Severity::note,
     "sentences that a model which knows the file does not expect, about nothing in it (--model, "
     "--only)",
     "A second tone, an evasion or an instruction nobody can follow is learned like all others.",
     "Say it as the other answers do, or take it out.", nullptr});

// When the warmed-up model bears out a finding of a check without a model: where the piece
// surprises it by at least `above` (Surprise::above), or where it held another token more likely
// than one of the piece's by `margin` nats. Anything else it finds natural, and the finding is left
// out. The bars were chosen on the development sets of docs/data.md. Others are not
// doubted: with `no-answer`, `contradiction` and `self-contradiction` more right findings would go
// than wrong ones, as what is said in the file's own words is expected.
struct Doubt {
  const char* check;
  double above, margin;
};
constexpr double never = 1e9;
constexpr Doubt doubts[] = {
    {"term", never, 3},
    {"unclear", 1, never},
};

class Judgement {
 public:
  Judgement(const Corpus& corpus, const Reader& reader, const FoldReadings& readings)
      : surprise_(corpus, reader, readings), readings_(readings) {
    for (size_t i = 0; i < reader.records().size(); ++i) answer_of_[reader.turn(i)] = i;
  }
  const Surprise& surprise() const { return surprise_; }

  // Does the model find natural what the finding points at?
  bool expects(const Finding& finding) const {
    const Doubt* doubt = nullptr;
    for (const Doubt& one : doubts)
      if (finding.check->name == one.check) doubt = &one;
    if (!doubt) return false;
    return expects(finding.places[0], *doubt);
  }

 private:
  bool expects(const PiecePlace& place, const Doubt& doubt) const {
    const auto answer = answer_of_.find(place.turn);
    if (answer == answer_of_.end()) return false;
    const ReadAnswer& read = readings_.own[answer->second];
    const uint32_t end = place.begin < place.end ? place.end : UINT32_MAX;
    const double loss = read.loss(place.begin, end);
    if (loss < 0) return false;  // not read: cut off, or rewritten by the template
    if (surprise_.above(loss) >= doubt.above) return false;
    for (const ReadToken& token : read.tokens) {
      if (token.end <= place.begin || token.begin >= end) continue;
      if (token.margin() >= doubt.margin) return false;
    }
    return true;
  }

  Surprise surprise_;
  const FoldReadings& readings_;
  std::map<uint32_t, size_t> answer_of_;
};

PiecePlace place_of(const ReadSentence& one) { return {one.record, one.turn, one.begin, one.end}; }

// 0.5 where something is just surprising enough, towards 1 far above it.
double score_above(double above, double bar) {
  return std::clamp(1 - 0.5 * bar / std::max(above, bar), 0., 1.);
}

std::string found_words(const FactPair& pair) {
  return pair.opposite ? "one says yes, the other no" : "another value for the same";
}
std::string words_of(const PairMeasures& measures) {
  char text[96];
  std::snprintf(text, sizeof text, "; cosine of gradients %.2f, of hidden states %.2f",
                measures.conflict, measures.hidden);
  return text;
}

// measures: of each pair, or none.
void add_pairs(const Surprise& surprise, const Check* check, const std::vector<FactPair>& pairs,
               const std::vector<PairMeasures>& measures, std::vector<Finding>& findings) {
  const auto& all = surprise.sentences();
  std::set<uint32_t> told;
  for (const Finding& finding : findings)
    if (finding.check == check)
      for (const PiecePlace& place : finding.places) told.insert(place.record);
  for (size_t p = 0; p < pairs.size(); ++p) {
    const FactPair& pair = pairs[p];
    const ReadSentence &one = all[pair.one], &other = all[pair.other];
    const std::string measured = measures.empty() ? "" : words_of(measures[p]);
    if (told.count(one.record) && told.count(other.record)) {
      for (Finding& finding : findings)
        if (finding.check == check && finding.places.size() > 1 &&
            std::minmax(finding.places[0].record, finding.places[1].record) ==
                std::minmax(one.record, other.record))
          finding.found += measured;
      continue;
    }
    findings.push_back({check,
                        0.5 + 0.5 * pair.alike,
                        {place_of(other), place_of(one)},
                        found_words(pair) + measured,
                        ""});
  }
}

// A sentence that its own answer contradicts contradicts every record that says either.
void drop_told_within(std::vector<Finding>& findings) {
  std::set<std::pair<uint32_t, uint32_t>> within;  // turn, and where the sentence begins
  for (const Finding& finding : findings)
    if (finding.check->name == "self-contradiction")
      for (const PiecePlace& place : finding.places) within.insert({place.turn, place.begin});
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.check->name == "contradiction" &&
           std::any_of(finding.places.begin(), finding.places.end(), [&](const PiecePlace& place) {
             return within.count({place.turn, place.begin}) > 0;
           });
  });
}

}  // namespace

WithModelReport run_with_model(const Corpus& corpus, const std::vector<Example>& examples,
                               const WithModelOptions& options,
                               const std::vector<const Check*>& chosen,
                               std::vector<Finding>& findings, RecordLosses& losses,
                               const std::function<void(const std::string&, double)>& work) {
  WithModelReport report;
  Reader reader(corpus, examples, options.model);
  std::vector<size_t> everything(reader.records().size());
  std::iota(everything.begin(), everything.end(), size_t(0));
  // Four readings cost a third of one epoch's training each.
  WarmUpOptions warm_up = options.warm_up;
  const int64_t parameters = parameters_of(reader);
  if (warm_up.method.empty()) warm_up.method = usual_warm_up(parameters);
  if (warm_up.epochs <= 0) warm_up.epochs = parameters <= small_model ? 2.5 : 1;
  const bool warmed = options.warmed && reader.records().size() >= least_for_halves;
  const double reading = 4. / 3, training = warmed ? warm_up.epochs + 1. / 3 : 0,
               whole = reading + training + (warmed && options.conflict ? warm_up.epochs : 0);
  read_untouched(corpus, reader, chosen, findings, losses, [&](double share) {
    if (work) work("reading by the untouched model", share * reading / whole);
  });
  if (!options.run.empty()) {
    const auto model = open_subject({options.run, "", ""}).load();
    const auto read = reader.read(*model, everything,
                                  reader.rows(everything, [](size_t i) { return i; }), false, {});
    for (size_t i : everything)
      if (!read[i].tokens.empty()) losses[reader.records()[i]].trained = read[i].loss();
  }
  if (warmed) {
    report.warm_up = warm_up;
    const FoldReadings readings = read_two_fold(reader, warm_up, [&](double share) {
      if (work) work("warm-up on halves of the file", (reading + share * training) / whole);
    });
    const Judgement judgement(corpus, reader, readings);
    const Surprise& surprise = judgement.surprise();
    for (size_t i = 0; i < reader.records().size(); ++i)
      if (!readings.own[i].tokens.empty())
        losses[reader.records()[i]].warmed = readings.own[i].loss();
    std::erase_if(findings, [&](const Finding& finding) {
      const bool natural = judgement.expects(finding);
      if (natural) ++report.expected[finding.check->name];
      return natural;
    });
    if (const Check* check = chosen_check(chosen, "out-of-place"))
      for (size_t k : lone_sentences(surprise)) {
        const ReadSentence& one = surprise.sentences()[k];
        findings.push_back({check,
                            score_above(surprise.above(one.loss), surprising_alone),
                            {place_of(one)},
                            "loss " + format_loss(one.loss) +
                                " after a warm-up on the file; of its "
                                "middle sentence " +
                                format_loss(surprise.middle()),
                            ""});
      }
    std::unique_ptr<Model> whole_file;
    if (const Check* check = chosen_check(chosen, "contradiction")) {
      const std::vector<FactPair> pairs = fact_pairs(surprise);
      std::vector<PairMeasures> measures;
      if (options.conflict && !pairs.empty()) {
        if (!whole_file)
          whole_file = warmed_up(
              reader, reader.rows(everything, [](size_t i) { return i; }), warm_up,
              [&](int64_t done, int64_t of) {
                if (work)
                  work("warm-up on the whole file",
                       (reading + training + warm_up.epochs * double(done) / double(of)) / whole);
              });
        measures = measure_pairs(reader, *whole_file, surprise, readings, pairs, {});
      }
      add_pairs(surprise, check, pairs, measures, findings);
    }
    drop_told_within(findings);
  }
  sort_findings(findings);
  return report;
}

}  // namespace afina
