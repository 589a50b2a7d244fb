// what-if: the same training without a row, and what that does to the held-out loss.
#include <charconv>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "engine/files/folder.h"
#include "engine/random.h"
#include "tools/commands/what_if_folder.h"
#include "tools/commands/what_if_rows.h"
#include "tools/commands/what_if_tables.h"
#include "tools/options/command.h"
#include "tools/report/what_if_page.h"
#include "tools/results/machine.h"
#include "tools/runs/folder_lock.h"
#include "tools/runs/identity.h"
#include "tools/runs/influence.h"
#include "tools/runs/interrupt.h"
#include "tools/runs/judging.h"
#include "tools/runs/rates.h"
#include "tools/runs/token_words.h"
#include "tools/text/colour.h"
#include "tools/text/progress.h"
#include "tools/text/table.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Trains again without a row of the training data, everything else equal to the bit, and says
how the held-out loss changes: what that row did. Its tokens stay in their batch and are no
targets, so that no other row moves.

Without some records, by their numbers in the file (as 'afina show' and messages count them):

  afina what-if --model data/pocket --data data/samples/support_inconsistent.jsonl \
      --method lora:rank=8,lr=6e-3 --steps 120 --batch 2 --without 301,735-740 --out runs/without

One run for each of 20 rows, or for 'all', and how well cheap estimates (loss, TracIn, LESS, ...)
rank the rows by what they truly did:

  afina what-if --model data/pocket --data data/samples/support_inconsistent.jsonl \
      --method lora:rank=8,lr=6e-3 --steps 120 --batch 2 --leave-one-out 20 --out runs/one-out

--part 2/4 makes the second quarter of the runs: copy the folders of all parts together and run the
command with --resume for the table. The table, and report.html, have all rows of which --out holds
a run. --findings shows what 'afina check' found in each of them:

  afina check --data data/samples/support_inconsistent.jsonl --out checked
  afina what-if ... --leave-one-out 20 --out runs/one-out --resume --findings checked)";

struct WhatIfOptions {
  std::string method, out, without, leave_one_out, findings, part = "1/1";
  std::optional<double> lr;
  int64_t states = 8;
  OnOff estimates = OnOff::on;
  bool resume = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("method", o.method, Bits::special,
      "the method with its options: full:lr=1e-3, lora:rank=8,lr=6e-3",
      required.naming(Names::methods));
    v("lr", o.lr, Bits::special, "learning rate, unless the method names it");
    v("out,o", o.out, Bits::keep, "folder for everything that is written",
      required.naming(Names::folders));
    v("without", o.without, Bits::keep,
      "numbers of records of --data that are left out together: 5,16-17");
    v("leave-one-out", o.leave_one_out, Bits::keep,
      "one run without each of so many rows, drawn by --seed, or of 'all'");
    v("estimates", o.estimates, Bits::keep,
      "on: compute estimates of each row's influence and their rank correlation with the truth; "
      "off");
    v("states", o.states, Bits::keep,
      "states of the run to keep in memory, from which runs without a row go on and at which "
      "estimates are taken");
    v("findings", o.findings, Bits::keep,
      "what 'afina check' found in --data: its --out, or a findings.jsonl; shown with each row",
      naming(Names::files));
    v("part", o.part, Bits::keep, "which part of the runs to make, as in 2/4");
    v("resume", o.resume, Bits::keep, "keep the runs that --out holds and make those missing");
  }
};

// "5,16-17" -> {5, 16, 17}
std::set<int64_t> parse_numbers(const std::string& text) {
  std::set<int64_t> numbers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const char *at = part.data(), *end = at + part.size();
    int64_t first = 0, last = 0;
    auto [middle, error] = std::from_chars(at, end, first);
    bool good = error == std::errc();
    last = first;
    if (good && middle < end && *middle == '-') {
      auto [rest, again] = std::from_chars(middle + 1, end, last);
      good = again == std::errc();
      middle = rest;
    }
    require(good && middle == end && first > 0 && last >= first && last - first < 1000000,
            "--without '", text, "': expected numbers of records and ranges, as in 5,16-17");
    for (int64_t n = first; n <= last; ++n) numbers.insert(n);
  }
  require(!numbers.empty(), "--without '", text, "': expected numbers of records, as in 5,16-17");
  return numbers;
}

// The number at the end of "train.jsonl, line 12"; 0 where there is none.
int64_t number_of(const std::string& place) {
  const size_t digits = place.find_last_not_of("0123456789") + 1;
  return digits < place.size() ? std::atoll(place.c_str() + digits) : 0;
}

struct WhatIf : WhatIfOptions {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  int64_t part_number = 1, parts = 1;
  std::string command;

  void check() {
    if (without.empty() == leave_one_out.empty())
      throw UsageError(
          "afina what-if: give one of --without and --leave-one-out; see 'afina what-if --help'");
    if (!without.empty()) parse_numbers(without);
    int read = 0;
    require(std::sscanf(part.c_str(), "%ld/%ld%n", &part_number, &parts, &read) == 2 &&
                size_t(read) == part.size() && part_number >= 1 && part_number <= parts,
            "--part '", part, "': expected which of how many, as in 2/4");
    require(states >= 1 && states <= 1000, "--states ", states, ": expected 1 to 1000");
  }

  // The rows that the run uses, in the order that the seed draws.
  std::vector<int64_t> drawn(const Counterfactual& runs, int64_t rows) const {
    std::vector<int64_t> used;
    for (int64_t row = 0; row < rows; ++row)
      if (runs.uses(row) > 0) used.push_back(row);
    const Random random(run.seed, "leave one out");
    for (size_t i = used.size(); i > 1; --i)
      std::swap(used[i - 1], used[random.below(i, uint32_t(i))]);
    return used;
  }
  // How many of them are asked for.
  size_t asked(size_t all) const {
    if (leave_one_out == "all") return all;
    int64_t count = 0;
    const char *at = leave_one_out.data(), *end = at + leave_one_out.size();
    auto [rest, error] = std::from_chars(at, end, count);
    require(error == std::errc() && rest == end && count >= 1, "--leave-one-out '", leave_one_out,
            "': expected a number of rows, or all");
    return std::min(all, size_t(count));
  }
  // What is in the folder already must be of this run.
  void check_folder(const Json& identity) const {
    const std::string path = out + "/identity.json";
    if (fs::exists(path)) {
      require(resume, out, ": holds results already; add --resume to go on with them, or choose ",
              "another --out");
      require_same_run(identity, parse_json(read_text_file(path), path), path);
      return;
    }
    for (const auto& entry : fs::directory_iterator(out))
      require(entry.path().filename() == ".afina-lock", out, ": holds ", entry.path().filename(),
              ", which 'afina what-if' did not write; choose another --out");
    make_folder(out + "/rows", "choose another --out");
    write_text_file(path, to_text(identity, 1) + "\n");
  }

  Evaluation with_all(Counterfactual& runs) const {
    Progress progress("with all rows", run.steps);
    runs.progress = [&](int64_t step) { progress.update(step, {}); };
    Evaluation all = runs.with_all();
    progress.finish();
    runs.progress = {};
    return all;
  }

  int leave_out_together(const Workbench& bench, Counterfactual& runs) const {
    const std::set<int64_t> asked = parse_numbers(without);
    require(data.data.size() == 1,
            "--without counts the records of one file, and --data names several; join them first");
    std::set<int64_t> rows, found;
    for (size_t i = 0; i < bench.train.rows.size(); ++i) {
      const int64_t number = number_of(bench.train_places.at(size_t(bench.train.rows[i].example)));
      if (!asked.count(number)) continue;
      rows.insert(int64_t(i));
      found.insert(number);
    }
    std::string missing;
    for (int64_t number : asked)
      if (!found.count(number)) missing += (missing.empty() ? "" : ", ") + std::to_string(number);
    require(missing.empty(), data.data[0], ": no training row is made of record ", missing,
            ": it is held out, was left out, or is not there; --held-out and --seed decide which "
            "are held out");
    require(!fs::exists(out + "/rows") || fs::is_empty(out + "/rows"), out,
            ": holds runs of --leave-one-out; choose another --out for --without");
    require(!fs::exists(out + "/what-if.json"), out,
            "/what-if.json: is there already, of this or other rows; choose another --out");
    const Evaluation all = with_all(runs);
    const std::string with_digest = runs.digest();
    Progress progress("without " + counted(int64_t(rows.size()), "row"), run.steps);
    runs.progress = [&](int64_t step) { progress.update(step, {}); };
    const Evaluation less = runs.without(rows);
    progress.finish();
    int64_t uses = 0;
    for (int64_t row : rows) uses += runs.uses(row);
    Json json = {{"without", Json::array()},
                 {"uses", uses},
                 {"with", all.mean},
                 {"heldout_without", less.mean},
                 {"change", less.mean - all.mean},
                 {"losses_with", all.losses},
                 {"losses_without", less.losses},
                 {"digest_with", with_digest},
                 {"digest_without", runs.digest()}};
    for (int64_t number : found) json["without"].push_back(number);
    write_text_file(out + "/what-if.json", to_text(json, 1) + "\n");
    Table table("lr");
    table.add({"held-out loss", ""});
    table.add({"with all rows", format_loss(all.mean)});
    table.add({"without " + counted(int64_t(rows.size()), "row") + ", used " +
                   counted(uses, "time") + " in " + counted(run.steps, "step"),
               format_loss(less.mean)});
    table.add({"difference", format_difference(less.mean - all.mean)});
    table.print(std::cout);
    std::cout << (uses == 0 ? "No step uses these rows: nothing can change. More --steps would.\n"
                  : less.mean < all.mean
                      ? "The model is better on the held-out rows without them.\n"
                      : "The model is worse on the held-out rows without them: they helped.\n");
    std::cout << "written to " << out << "/what-if.json\n";
    return 0;
  }

  int leave_one_by_one(const Workbench& bench, Counterfactual& runs) const {
    const WhatIfFolder folder{out};
    folder.refuse_other_table();
    const std::vector<int64_t> used = drawn(runs, int64_t(bench.train.rows.size())),
                               rows = folder.table_rows(used, asked(used.size()));
    std::set<int64_t> earlier;
    Estimates found = folder.read_estimates(rows, states, estimates == OnOff::on, earlier);
    std::optional<Influence> influence;
    if (estimates == OnOff::on && found.rows.empty() && part_number == 1) {
      std::vector<int64_t> all = rows;
      for (int64_t row : rows) earlier.erase(row);
      all.insert(all.end(), earlier.begin(), earlier.end());
      influence.emplace(runs, bench, all);
    }
    const Evaluation all = with_all(runs);
    const std::string digest = runs.digest();
    if (influence) {
      Progress progress("estimates", 0);
      const Estimates made =
          influence->finish([&](int64_t done, int64_t) { progress.update(done, {}); });
      progress.finish();
      folder.write_estimates(made, states);
      found = folder.read_estimates(rows, states, estimates == OnOff::on, earlier);
    }
    InterruptScope signals;
    std::vector<int64_t> own;
    int64_t kept = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (int64_t(i) % parts != part_number - 1) continue;
      if (fs::exists(WhatIfFolder{out}.row_file(rows[i]))) ++kept;
      else own.push_back(rows[i]);
    }
    if (kept) std::cout << "kept " << counted(kept, "run") << " of " << out << "\n";
    int64_t steps = 0, done = 0;
    for (int64_t row : own) steps += runs.steps_for({row});
    Progress progress(counted(int64_t(own.size()), "run") + " without a row", steps);
    runs.progress = [&](int64_t) { progress.update(++done, {}); };
    for (int64_t row : own) {
      if (interrupted()) throw Interrupted("interrupted; go on with the same command and --resume");
      const std::clock_t began = std::clock();
      const Evaluation less = runs.without({row});
      const Json json = {
          {"row", row},
          {"record", bench.train_places.at(size_t(bench.train.rows[size_t(row)].example))},
          {"uses", runs.uses(row)},
          {"with", all.mean},
          {"without", less.mean},
          {"change", less.mean - all.mean},
          {"processor_seconds", double(std::clock() - began) / CLOCKS_PER_SEC}};
      write_text_file(WhatIfFolder{out}.row_file(row), to_text(json, 1) + "\n");
    }
    progress.finish();
    return report(bench, rows, found, digest, all.mean);
  }

  // The table, when all runs are there.
  int report(const Workbench& bench, const std::vector<int64_t>& rows, const Estimates& found,
             const std::string& digest, double with) const {
    std::vector<double> change;
    Json list = Json::array();
    int64_t missing = 0;
    WhatIfResult result;
    for (int64_t row : rows) {
      if (!fs::exists(WhatIfFolder{out}.row_file(row))) {
        ++missing;
        continue;
      }
      list.push_back(parse_json(read_text_file(WhatIfFolder{out}.row_file(row)),
                                WhatIfFolder{out}.row_file(row)));
      change.push_back(list.back().at("change").get<double>());
      result.rows.push_back({bench.train_places.at(size_t(bench.train.rows[size_t(row)].example)),
                             "", "", change.back(), list.back().at("uses").get<int64_t>()});
    }
    if (missing) {
      std::cout << counted(missing, "run") << " of " << rows.size()
                << " not made yet, by other parts: copy their folders 'rows' into " << out
                << "/rows, then run this with --resume\n";
      return 0;
    }
    Json json = {{"digest_with", digest}, {"rows", list}, {"estimates", Json::object()}};
    print_changes(std::cout, bench, rows, change);
    if (!found.values.empty())
      json["estimates"] = print_estimates(std::cout, found, change, result.estimates);
    add_texts(result, data);
    if (!findings.empty()) {
      add_findings(result, findings);
      json["findings"] = kind_effects_json(result);
      print_kinds(std::cout, result);
    }
    write_text_file(out + "/what-if.json", to_text(json, 1) + "\n");
    describe(result, bench, with);
    write_text_file(out + "/report.html", what_if_page(result));
    std::cout << "written to " << out << ": what-if.json, report.html\n";
    return 0;
  }
  void describe(WhatIfResult& result, const Workbench& bench, double with) const {
    result.model = bench.described.name;
    result.method = label_of(parse_method(method));
    for (const std::string& path : data.data)
      result.data += (result.data.empty() ? "" : " and ") + path;
    result.command = command;
    result.created = utc_now();
    result.version = version();
    result.steps = run.steps;
    result.held_out_rows = int64_t(bench.final.rows.size());
    result.loss = with;
    result.notes = bench.notes;
  }

  int go() {
    check();
    MethodSpec spec = parse_method(method);
    const std::vector<double> rates = take_rates(spec, lr.value_or(0.));
    require(rates.size() == 1, "what-if takes one learning rate; 'afina compare' finds a good one");
    make_method(spec);
    const FolderLock lock(out);
    const ComputeScope scope = model.scope();
    Workbench bench = open_workbench(model, data, run);
    run = bench.run;
    spec = with_token_numbers(spec, bench.tokenizer);
    RunPlan plan;
    plan.method = spec;
    plan.lr = rates[0];
    plan.seed = run.seed;
    check_folder(identity_of(plan, bench));
    std::cout << "train: " << bench.train.summary()
              << "\nheld out: " << counted(int64_t(bench.final.rows.size()), "row") << "\n"
              << std::flush;
    for (const std::string& note : bench.notes)
      std::cout << filled("note: " + note, size_t(stdout_columns()), 2) << "\n";
    Counterfactual runs(bench, spec, rates[0], states);
    return without.empty() ? leave_one_by_one(bench, runs) : leave_out_together(bench, runs);
  }
};

int what_if(const std::vector<std::string>& words) {
  WhatIf o;
  Options options("what-if", intro);
  options.add("Counterfactual", o);
  options.add("Model", o.model);
  options.add("Data", o.data);
  options.add("Training", o.run);
  options.leave_out("adapter");
  if (!begin(options, words)) return 0;
  require_rules(options, o.run);
  options.not_both("steps", "epochs");
  o.command = "afina what-if";
  for (const std::string& word : words)
    if (word != "--resume")
      o.command +=
          " " + (word.find_first_of(" *'\"$") == std::string::npos ? word : "'" + word + "'");
  return o.go();
}

REGISTER_COMMAND("what-if", "train again without a row, and what that does to the held-out loss",
                 what_if);

}  // namespace

}  // namespace afina
