// judge: are the answers right? Rules applied to a model's answers on held-out records.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "tools/commands/judge_votes.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/vote_page.h"
#include "tools/runs/draft.h"
#include "tools/runs/judging.h"
#include "tools/runs/numeric_answer.h"
#include "tools/runs/replay.h"
#include "tools/runs/speakers.h"
#include "tools/runs/subject.h"
#include "tools/text/colour.h"
#include "tools/text/progress.h"
#include "tools/text/table.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"text(Lets a model answer records that it was not trained on, and judges the answers by rules.
A table has the share of answers that pass each rule, with its 95 % interval, for the base model and
for each adapter, and how much that is more than the base's on the same rows.

  afina judge runs/support --rules rules.json --out judged
  afina judge --model data/pocket --adapter runs/a/adapter --adapter runs/b/adapter \
      --data held_out.jsonl --rule number

A run is judged on the held-out rows that nothing was chosen by. Answers are greedy. Without --rule
and --rules they have to be exact: the expected answer but for white space; where every expected
answer ends in '#### n', its number is compared as well.

Rules of your own are a JSON file, one rule an object:

  [{"name": "greeting", "matches": "^(Hi|Hello)"},
   {"name": "order kept", "keeps": "QC-[0-9]+"},
   {"name": "no new order", "adds_no": "QC-[0-9]+"},
   {"name": "no excuses", "lacks": "(?i)unfortunately"},
   {"name": "language", "language": "same"},
   {"name": "length", "words": [10, 90]}]

'keeps': every match in the conversation before the answer (system text, user, earlier answers;
with "from": "question" in the user's turns, with "expected" in the expected answer) stands in the
answer; rows without one are not counted. 'adds_no': every match in the answer stands in that
conversation. 'language' is that of the expected answer, or one by name ("en").
"characters": [20, 600], "exact": true and "number": true are the others.

--out is a new folder: answers.jsonl has every answer with its verdicts and the row's loss,
judgement.json the table; with two models or more votes.html shows pairs of answers without saying
whose they are, and saves a reader's votes as votes.json.

  afina judge --votes anna.json --votes ben.json

counts them: how often either model was the better one, with intervals, and how far the readers
agree. 'afina train' and 'afina compare' judge as well, by the same rules (--rule, --rules).)text";

struct JudgeOptions {
  std::string run, rules, out;
  std::vector<std::string> rule, votes;
  int64_t most = 256;
  uint64_t seed = 1;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("run", o.run, Bits::keep,
      "folder of a run, of which the base and what was trained are judged; '--run' may be left out",
      naming(Names::folders));
    v("rule", o.rule, Bits::keep, "exact or number; may be given more than once", shown(""));
    v("rules", o.rules, Bits::keep, "JSON file of rules", naming(Names::files));
    v("max-tokens", o.most, Bits::keep, "maximum number of tokens of an answer");
    v("out,o", o.out, Bits::keep, "new folder for answers.jsonl, judgement.json and votes.html",
      naming(Names::folders));
    v("votes", o.votes, Bits::keep,
      "votes.json that votes.html saved, in place of a model; once for each reader",
      naming(Names::files));
    v("seed", o.seed, Bits::keep, "seeds the order of the answers in votes.html");
  }
};

std::string percent(double share, bool sign) {
  char text[16];
  std::snprintf(text, sizeof text, sign ? "%+.1f" : "%.1f", 100. * share);
  return text;
}
std::string cell(const Share& share) {
  if (!share.known()) return "-";
  return percent(share.share(), false) + " % [" + percent(share.low(), false) + ", " +
         percent(share.high(), false) + "]";
}
std::string cell(const PairedShares& pair) {
  if (!pair.known()) return "-";
  return percent(pair.change(), true) + " [" + percent(pair.low(), true) + ", " +
         percent(pair.high(), true) + "]";
}

struct Judge : JudgeOptions {
  LiveOptions load;
  ReadOptions read;

  // A model with its adapters. name: what the model without an adapter is called.
  struct Group {
    std::string model, name;
    std::vector<std::string> adapters;
  };
  std::vector<Group> groups;
  std::vector<Example> examples;
  std::string described;

  void check(const Options& given) const {
    check_out();
    if (!votes.empty()) {
      for (const char* other : {"run", "model", "adapter", "data", "rule", "rules"})
        if (given.given(other))
          throw UsageError(std::string("afina judge: --votes counts votes and asks no model; "
                                       "leave --") +
                           other + " out");
      return;
    }
    if (run.empty() == load.model.empty())
      throw UsageError(
          "afina judge: give either the folder of a run, or --model with --data; see 'afina judge "
          "--help'");
    if (!run.empty() && !load.adapters.empty())
      throw UsageError("afina judge: a run has its own adapter; --adapter goes with --model");
    if (run.empty() && read.path.empty())
      throw UsageError(
          "afina judge: --model needs --data FILE: records that it was not trained on");
    if (!run.empty() && read.path.empty() && (given.given("limit") || given.given("fields")))
      throw UsageError("afina judge: --limit and --fields belong to --data");
    require(most > 0, "--max-tokens ", most, ": expected at least 1");
  }
  void check_out() const {
    std::error_code ignored;
    require(out.empty() || !fs::exists(out, ignored) ||
                (fs::is_directory(out, ignored) && fs::is_empty(out, ignored)),
            out, ": is there already; choose another --out");
  }

  std::vector<Rule> all_rules(const std::vector<JudgedRow>& rows) const {
    std::vector<Rule> all = rules_asked(rule, rules);
    if (!all.empty()) return all;
    all.push_back(built_in_rule("exact"));
    bool marked = true;
    for (const JudgedRow& row : rows) marked = marked && has_marked_number(row.expected);
    if (marked) all.push_back(built_in_rule("number"));
    return all;
  }

  void open_run() {
    const Subject subject = open_subject({run, "", ""});
    if (load.base == BaseForm::plain && subject.base.form != BaseForm::plain) {
      load.base = subject.base.form;
      load.base_ends = subject.base.ends ? OnOff::on : OnOff::off;
    }
    const std::string where = subject.run + "/manifest.json";
    std::string name = fs::path(subject.run).filename().string();
    if (name.empty() || name == LiveAdapters::none || name.find('=') != name.npos) name = "trained";
    if (!subject.adapter.empty()) {
      groups = {{subject.model, LiveAdapters::none, {name + "=" + subject.adapter}}};
    } else {
      const Json& model = member(subject.manifest, "model", where);
      groups = {{get<std::string>(model, "path", where), LiveAdapters::none, {}},
                {subject.model, name, {}}};
    }
    if (!read.path.empty()) return;
    Replay replay = parse_replay(subject.manifest, where);
    replay.run.samples = INT64_MAX;
    const Workbench bench = open_workbench(replay.model, replay.data, replay.run);
    const std::string changed = changed_data(subject.manifest, bench);
    require(changed.empty(), subject.run, ": ", changed,
            ", so that its held-out rows are not known; give records with --data");
    examples = bench.prompts;
    described = "held-out rows of " + subject.run;
    static_cast<RecordOptions&>(read) = replay.data;
  }

  void print(const std::vector<JudgedRow>& rows, const std::vector<Rule>& asked,
             const std::vector<Judged>& judged) const {
    Table table("l" + std::string(1 + 2 * judged.size(), 'r'));
    const bool several = judged.size() > 1;
    std::vector<std::string> heads = {"passes", "rows"};
    for (const Judged& of : judged) heads.push_back(of.name);
    for (size_t i = 1; i < judged.size(); ++i)
      heads.push_back(judged[i].name + " - " + judged[0].name);
    table.add(heads);
    auto add = [&](const std::string& name, size_t rule) {
      auto share = [&](const Judged& of) {
        return rule < asked.size() ? of.passed(rule) : of.passed_all();
      };
      std::vector<std::string> line = {name, format_grouped(share(judged[0]).of)};
      for (const Judged& of : judged) line.push_back(cell(share(of)));
      for (size_t i = 1; i < judged.size(); ++i)
        line.push_back(cell(change(judged[0], judged[i], rule)));
      table.add(line);
    };
    for (size_t rule = 0; rule < asked.size(); ++rule) add(asked[rule].name, rule);
    if (asked.size() > 1) add("all of them", asked.size());
    std::vector<std::string> losses = {"loss per target", format_grouped(int64_t(rows.size()))};
    for (const Judged& of : judged) losses.push_back(format_loss(of.loss));
    for (size_t i = 1; i < judged.size(); ++i)
      losses.push_back(format_difference(judged[i].loss - judged[0].loss));
    table.add(losses);
    std::cout << format_grouped(int64_t(rows.size())) << " rows: " << harmless(described) << "\n";
    table.print(std::cout, size_t(stdout_columns()));
    std::cout << "Shares and their 95 % intervals in per cent"
              << (several ? "; differences over the same rows, in percentage points" : "") << "\n";
    for (const Judged& of : judged) {
      int64_t cut = 0;
      for (Generated::End end : of.ends) cut += end != Generated::stop;
      if (cut)
        std::cerr << "note: " << counted(cut, "answer") << " of " << harmless(of.name)
                  << " did not end by itself within --max-tokens " << most << "\n";
    }
  }

  void write(const std::vector<JudgedRow>& rows, const std::vector<Rule>& asked,
             const std::vector<Judged>& judged, Draft* draft) const {
    if (!draft) return;
    const std::string& out = draft->path();
    write_text_file(out + "/answers.jsonl", judged_lines(rows, asked, judged));
    write_text_file(out + "/judgement.json",
                    to_text(judgement_json(rows, asked, judged, described)) + "\n");
    std::string written = "answers.jsonl, judgement.json";
    if (judged.size() > 1) {
      std::vector<VoteRow> votes;
      for (size_t row = 0; row < rows.size(); ++row) {
        VoteRow one{rows[row].example.place, {}, {}};
        for (const Message& turn : rows[row].prompt) one.turns.push_back({turn.role, turn.content});
        for (const Judged& of : judged) one.answers.push_back({of.name, of.answers[row]});
        votes.push_back(std::move(one));
      }
      const VotePage page = vote_page(votes, described, seed);
      write_text_file(out + "/votes.html", page.html);
      written += ", votes.html (" + counted(page.pairs, "pair") + ")";
    }
    draft->keep();
    std::cout << "written to " << harmless(this->out) << ": " << written << "\n";
  }

  Judged judge_one(OpenedModels& models, const OpenedModels::Opened& one, const std::string& name,
                   const ModelFiles& files, const std::vector<JudgedRow>& rows,
                   const std::vector<Rule>& asked) const {
    const Tokenizer tokenizer = tokenizer_of(files);
    RecordOptions reading = read;
    reading.length = read.row_length(files.config);
    GenerateOptions greedy;
    greedy.most = most;
    const Speaker speaker =
        make_speaker(one, tokenizer, ends_of(files, tokenizer), greedy, reading.template_choice());
    const Contender contender{name, models.use(one), tokenizer, *speaker.format, speaker.options};
    Progress progress("answers of " + harmless(name), int64_t(rows.size()));
    const SampleOptions samples = reading.samples();
    return judge(contender, rows, asked, &samples, [&](int64_t done) { progress.update(done); });
  }

  void go() {
    // Before any work: where it cannot be written is said now.
    std::optional<Draft> draft;
    if (!out.empty()) draft.emplace(out, true);
    if (run.empty()) groups = {{load.model, LiveAdapters::none, load.adapters}};
    else open_run();
    if (!read.path.empty()) {
      check_field_files(read.fields, {read.path});
      examples = read_examples(read.path, read.examples(read.path));
      described = read.path;
    }
    int64_t left_out = 0;
    const std::vector<JudgedRow> rows =
        judged_rows(std::move(examples), read.on_problem == OnProblem::skip, left_out);
    if (left_out)
      std::cerr << "note: " << counted(left_out, "record") << " left out: no question and answer\n";
    const std::vector<Rule> asked = all_rules(rows);
    try_rules(asked, rows);
    std::vector<Judged> judged;
    for (const Group& group : groups) {
      ModelFiles files = open_model(group.model);
      LiveOptions options = load;
      options.adapters = group.adapters;
      OpenedModels models(files, options, true);
      for (const std::string& note : models.notes())
        std::cerr << "note: " << harmless(note) << "\n";
      std::vector<OpenedModels::Opened> all = models.adapters();
      if (models.live()) all.insert(all.begin(), models.find(LiveAdapters::none));
      for (const OpenedModels::Opened& one : all)
        judged.push_back(judge_one(models, one,
                                   one.name == LiveAdapters::none ? group.name : one.name, files,
                                   rows, asked));
    }
    print(rows, asked, judged);
    for (const Judged& of : judged)
      for (const std::string& why : of.undecided) std::cerr << "note: " << harmless(why) << "\n";
    write(rows, asked, judged, draft ? &*draft : nullptr);
  }
};

int judge_command(const std::vector<std::string>& words) {
  Judge command;
  Options options("judge", intro);
  options.add("Judging", command);
  options.add("Model", command.load);
  options.add("Data", command.read);
  options.at("model").required = false;
  options.at("length").shown = ReadOptions::length_shown;
  options.may_lead("run");
  if (!begin(options, words)) return 0;
  command.check(options);
  if (!command.votes.empty()) {
    judge_votes(command.votes, command.out);
    return 0;
  }
  const ComputeScope scope = command.load.scope();
  command.go();
  return 0;
}

REGISTER_COMMAND("judge", "answers of a model judged by rules, with intervals", judge_command);

}  // namespace

}  // namespace afina
