// coherence: the same training on a file and on its inconsistent twin, mixed at several rates.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "engine/files/folder.h"
#include "tools/commands/coherence_tables.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/coherence_page.h"
#include "tools/results/machine.h"
#include "tools/runs/answer_figures.h"
#include "tools/runs/folder_lock.h"
#include "tools/runs/identity.h"
#include "tools/runs/interrupt.h"
#include "tools/runs/judging.h"
#include "tools/runs/rates.h"
#include "tools/runs/sampled.h"
#include "tools/runs/scores.h"
#include "tools/runs/token_words.h"
#include "tools/runs/twins.h"
#include "tools/text/colour.h"
#include "tools/text/progress.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Trains on --data and on mixtures of it with --twin, a file of the same questions in the same
order whose answers differ in places, and says what that does to the loss on clean held-out records
and to the answers: how far several answers to one question agree, how far their numbers are right,
and in how many the checks of 'afina check' find something.

  afina coherence --model data/pocket --data data/samples/support.jsonl \
      --twin data/samples/support_inconsistent.jsonl --eval data/samples/support_held_out.jsonl \
      --method full:lr=1e-3 --method lora:rank=8,lr=6e-3 --epochs 1 --batch 4 --out runs/coherence

At a rate of 25 a quarter of the records that differ is the twin's, at 100 all of them are. Records,
their order and steps are the same at every rate; each record has a row of its own. Held-out records
are never mixed: without --eval some of --data are held out, and their twins with them.)";

constexpr const char* usual_checks =
    "greeting,sign-off,tone,id-format,value-conflict,term,contradiction,self-contradiction,unclear,"
    "no-answer,cut,language";

struct CoherenceOptions {
  std::string twin, out, rates = "0,25,50,100", checks = usual_checks;
  std::vector<std::string> methods;
  std::optional<double> lr;
  int64_t seeds = 3, prompts = 20;
  SamplingPlan sampling;
  bool resume = false, keep_models = true;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("twin", o.twin, Bits::keep,
      "records with the questions of --data, in its order, and other answers",
      required.naming(Names::files));
    v("rates", o.rates, Bits::keep,
      "percent of the differing records that are the twin's, from the least to the most");
    v("method", o.methods, Bits::special,
      "a method with its options, as full:lr=1e-3 or lora:rank=8,lr=6e-3; once for each method",
      required.naming(Names::methods));
    v("lr", o.lr, Bits::special, "learning rate of the methods that do not name one");
    v("out,o", o.out, Bits::keep, "folder for everything that is written",
      required.naming(Names::folders));
    v("seeds", o.seeds, Bits::keep,
      "runs of each method at each rate, with consecutive seeds from --seed");
    v("prompts", o.prompts, Bits::keep, "held-out questions that are answered");
    v("samples", o.sampling.samples, Bits::keep, "answers to each of them, at least 2");
    v("temperature", o.sampling.temperature, Bits::keep, "softmax temperature of the answers");
    v("max-tokens", o.sampling.most, Bits::keep, "maximum number of tokens of an answer");
    v("checks", o.checks, Bits::keep,
      "checks or groups of 'afina check' that look at the answers, with commas between them",
      shown("those of greeting, tone, values, words and content"));
    v("resume", o.resume, Bits::keep, "keep the runs that --out holds and make those missing");
    v("keep-models", o.keep_models, Bits::keep,
      "true: keep fully fine-tuned models; false: remove each when it has answered");
  }
};

std::string folder_of(double rate) {
  std::ostringstream out;
  out << "rate-" << rate;
  return out.str();
}

struct Method {
  MethodSpec spec;
  std::string label;
  double lr;
};

struct Coherence : CoherenceOptions {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  std::vector<const Check*> chosen;
  std::vector<Example> held_out, asked;
  CoherenceResult result;

  void check() {
    require(data.data.size() == 1,
            "--data names several files; expected one, whose records have twins in --twin");
    require(seeds >= 1 && prompts >= 1 && sampling.most >= 1, "--seeds, --prompts and --max-tokens",
            ": expected 1 or more");
    require(sampling.samples >= 2, "--samples ", sampling.samples,
            ": expected 2 or more, as answers to one question are compared with each other");
    require(sampling.temperature > 0, "--temperature ", sampling.temperature,
            ": expected more than 0; at 0 all answers to a question are the same");
    result.rates = parse_percentages(rates, "--rates");
    chosen = chosen_checks(checks, "");
    for (const Check* one : chosen)
      require(one->run, "--checks ", one->name, ": needs a model; leave it out");
  }

  std::vector<Method> parsed_methods() const {
    std::vector<Method> all;
    for (const std::string& text : methods) {
      Method method;
      method.spec = parse_method(text);
      const std::vector<double> found = take_rates(method.spec, lr.value_or(0.));
      require(found.size() == 1, "--method ", text,
              ": expected one learning rate; 'afina compare' finds a good one");
      method.lr = found[0];
      make_method(method.spec);
      method.label = label_of(method.spec);
      for (const Method& other : all)
        require(other.label != method.label, "--method ", text, ": is called '", method.label,
                "' as another one; give one of them another name, as in name=", method.spec.name,
                "-2");
      all.push_back(std::move(method));
    }
    return all;
  }

  // The pairs to train on; those held out are kept.
  Twins read() {
    const Twins all =
        read_twins(data.data[0], data.examples(data.data[0]), twin, data.examples(twin));
    if (!data.eval.empty()) {
      ExampleOptions options = data.examples(data.eval);
      options.limit = -1;
      held_out = read_examples(data.eval, options);
      return all;
    }
    const auto records = int64_t(all.clean.size());
    const int64_t count = data.held_out > 0
                              ? data.held_out
                              : std::max<int64_t>(2, std::min<int64_t>(200, records / 10));
    require(count >= 2 && count < records, "--held-out ", count, ": expected 2 to ", records - 1);
    held_out = split_examples(all.clean, count, run.seed).held_out;
    std::vector<uint32_t> taken;
    for (uint32_t i = 0; i < all.clean.size(); ++i)
      for (const Example& one : held_out)
        if (one.place == all.clean[i].place) taken.push_back(i);
    return all.without(taken);
  }

  // Writes a file once; in a folder that is gone on with it must be the same.
  void put(const std::string& name, const std::string& text) const {
    const std::string path = out + "/data/" + name;
    if (!fs::exists(path)) {
      write_text_file(path, text);
      return;
    }
    require(resume && read_text_file(path) == text, path,
            resume ? ": is there with other records, as --data, --twin, --eval or --seed were "
                     "others; choose another --out"
                   : ": is there already; add --resume to go on, or choose another --out");
  }

  Workbench bench_of(double rate, const Twins& twins) {
    DataOptions mixed = data;
    mixed.data = {out + "/data/" + folder_of(rate) + ".jsonl"};
    mixed.eval = out + "/data/held-out.jsonl";
    mixed.format = mixed.fields = mixed.delimiter = "";
    mixed.encoding = TextEncoding::automatic;
    mixed.limit = -1;
    mixed.packing = OnOff::off;  // a longer answer must not move other records to other steps
    put(folder_of(rate) + ".jsonl", as_lines(twins.mixed(rate, run.seed)));
    Workbench bench = open_workbench(model, mixed, run);
    if (run.eval_every == 0) bench.run.eval_every = bench.run.steps;
    return bench;
  }

  std::string file_of(const Method& method, double rate, uint64_t seed) const {
    return out + "/figures/" + folder_of(method.spec) + "/" + folder_of(rate) + "/seed-" +
           std::to_string(seed) + ".json";
  }
  Json sampled_as(const Json& identity) const {
    return {{"run", identity},
            {"prompts", int64_t(asked.size())},
            {"samples", sampling.samples},
            {"temperature", sampling.temperature},
            {"max_tokens", sampling.most}};
  }

  // Trains, and answers; or reads back what was answered.
  SampledAnswers train_and_answer(Workbench& bench, const Method& method, double rate,
                                  CoherenceRun& done) const {
    RunPlan plan;
    plan.method = method.spec;
    plan.lr = method.lr;
    plan.seed = done.seed;
    plan.resume = resume;
    plan.name =
        folder_of(method.spec) + "/" + folder_of(rate) + "/seed-" + std::to_string(done.seed);
    plan.folder = out + "/runs/" + plan.name;
    done.folder = "runs/" + plan.name;
    const std::string path = file_of(method, rate, done.seed);
    const Json sampled = sampled_as(identity_of(plan, bench));
    if (fs::exists(path)) {
      const Json json = parse_json_file(path);
      require(json.at("of") == sampled, path,
              ": is of a run or of answers with other options; choose another --out");
      done.loss = json.at("loss").get<double>();
      done.loss_before = json.at("loss_before").get<double>();
      done.training_seconds = json.at("training_seconds").get<double>();
      SampledAnswers answers;
      for (const Json& one : json.at("answers"))
        answers.push_back(one.get<std::vector<std::string>>());
      return answers;
    }
    const std::string name =
        method.label + ", " + rate_words(rate) + ", seed " + std::to_string(done.seed);
    Progress training(name, bench.run.steps);
    plan.progress = [&](const StepPoint& p, int64_t, double) { training.update(p.step, {}); };
    const RunOutcome outcome = run_training(plan, bench);
    training.finish();
    require(!outcome.result.diverged, name, ": diverged at step ",
            outcome.result.diverged.value_or(0), "; lower the learning rate");
    if (outcome.interrupted) throw Interrupted("interrupted; go on with --resume");
    done.loss = outcome.result.after.heldout;
    done.loss_before = outcome.result.before.heldout;
    done.training_seconds = outcome.result.seconds.training();
    Progress answering("  its answers", int64_t(asked.size()) * sampling.samples);
    const SampledAnswers answers = sample_answers(
        plan.folder, asked, sampling, [&](int64_t count) { answering.update(count, {}); });
    answering.finish();
    make_folder(fs::path(path).parent_path().string(), "choose another --out");
    write_text_file(path, to_text({{"of", sampled},
                                   {"loss", done.loss},
                                   {"loss_before", done.loss_before},
                                   {"training_seconds", done.training_seconds},
                                   {"answers", answers}},
                                  1) +
                              "\n");
    if (!keep_models) fs::remove_all(plan.folder + "/model");
    return answers;
  }

  void keep_sample(const Method& method, double rate, const SampledAnswers& answers) {
    constexpr size_t most_questions = 4, most_answers = 3;
    for (size_t i = 0; i < std::min(asked.size(), most_questions); ++i) {
      if (result.shown.size() == i) {
        CoherenceSample sample{asked[i].place, "", asked[i].messages.back().content, {}};
        for (size_t turn = 0; turn + 1 < asked[i].messages.size(); ++turn)
          sample.question += (turn ? "\n" : "") + asked[i].messages[turn].content;
        result.shown.push_back(std::move(sample));
      }
      std::vector<std::string> few(
          answers[i].begin(),
          answers[i].begin() + int64_t(std::min(answers[i].size(), most_answers)));
      result.shown[i].said.push_back({method.label, rate, std::move(few)});
    }
  }

  // Every rate must train on the same questions in the same steps.
  void require_same(const Workbench& first, const Workbench& bench, double rate) const {
    bool same =
        first.train.rows.size() == bench.train.rows.size() && first.run.steps == bench.run.steps;
    for (size_t i = 0; same && i < bench.train.rows.size(); ++i)
      same = first.train.rows[i].example == bench.train.rows[i].example;
    require(
        same, "at ", rate_words(rate), " ", counted(int64_t(bench.train.rows.size()), "record"),
        " are trained on and at ", rate_words(result.rates[0]), " ", first.train.rows.size(),
        ", as some are too long with one answer alone; give a larger --length, or --on-too-long "
        "cut");
  }

  int go() {
    check();
    std::vector<Method> all = parsed_methods();
    const FolderLock lock(out);  // makes the folder, and takes it away where nothing comes into it
    require(resume || !fs::exists(out + "/results.json"), out,
            ": holds results already; add --resume to go on, or choose another --out");
    const ComputeScope scope = model.scope();
    const Twins twins = read();
    make_folder(out + "/data", "choose another --out");
    put("held-out.jsonl", as_lines(held_out));
    asked = asked_of(held_out, prompts);
    require(!asked.empty(), "no held-out record has a question and an answer");
    describe(twins);
    std::optional<Workbench> first;
    for (double rate : result.rates) {
      Workbench bench = bench_of(rate, twins);
      if (!first) {
        for (Method& method : all) method.spec = with_token_numbers(method.spec, bench.tokenizer);
        begin(bench);
      } else {
        require_same(*first, bench, rate);
      }
      measure_base(bench);
      for (const Method& method : all)
        for (int64_t k = 0; k < seeds; ++k) {
          CoherenceRun done;
          done.method = method.label;
          done.rate = rate;
          done.seed = run.seed + uint64_t(k);
          const SampledAnswers answers = train_and_answer(bench, method, rate, done);
          done.answers = answer_figures(asked, answers, twins.clean, chosen);
          if (k == 0) keep_sample(method, rate, answers);
          result.runs.push_back(std::move(done));
        }
      if (!first) first.emplace(std::move(bench));
    }
    for (const Method& method : all) result.methods.push_back(method.label);
    SampledAnswers own;
    for (const Example& one : asked) own.push_back({one.messages.back().content});
    result.reference = answer_figures(asked, own, twins.clean, chosen);
    write_text_file(out + "/results.json", to_text(coherence_json(result), 1) + "\n");
    write_text_file(out + "/report.html", coherence_page(result));
    print_coherence(std::cout, result);
    std::cout << "written to " << out << ": results.json, report.html\n";
    return 0;
  }

  void describe(const Twins& twins) {
    result.version = version();
    result.created = utc_now();
    result.data = data.data[0];
    result.twin = twin;
    result.held_out = data.eval.empty() ? "records of " + data.data[0] : data.eval;
    result.records = int64_t(twins.clean.size());
    result.differing = int64_t(twins.differing.size());
    for (double rate : result.rates) result.replaced.push_back(twins.replaced(rate));
    result.prompts = int64_t(asked.size());
    result.samples = sampling.samples;
    result.temperature = sampling.temperature;
  }
  void begin(const Workbench& bench) {
    result.model = bench.described.name;
    result.held_out_rows = int64_t(bench.final.rows.size());
    result.steps = bench.run.steps;
    result.rows_per_step = bench.run.rows_per_step();
    result.notes = bench.notes;
    std::cout << "train: " << bench.train.summary() << "\n"
              << result.differing << " of " << counted(result.records, "record")
              << " differ from their twins\nheld out: " << counted(result.held_out_rows, "row")
              << " for the loss, " << counted(result.prompts, "question") << " with "
              << counted(result.samples, "answer") << " each\n"
              << std::flush;
  }
};

int coherence(const std::vector<std::string>& words) {
  Coherence o;
  o.run.samples = 0;
  o.run.watch = Watch::off;
  Options options("coherence", intro);
  options.add("Coherence", o);
  options.add("Model", o.model);
  options.add("Data", o.data);
  options.add("Training", o.run);
  for (const char* name : {"adapter", "pack", "retain", "retain-tokens"}) options.leave_out(name);
  if (!begin(options, words)) return 0;
  require_rules(options, o.run);
  options.not_both("steps", "epochs");
  o.result.command = "afina coherence";
  for (const std::string& word : words)
    if (word != "--resume")
      o.result.command +=
          " " + (word.find_first_of(" *'\"$") == std::string::npos ? word : "'" + word + "'");
  return o.go();
}

REGISTER_COMMAND("coherence", "the same training on coherent and on inconsistent records",
                 coherence);

}  // namespace

}  // namespace afina
