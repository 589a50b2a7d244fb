// check: finds what is wrong with training records before anything is trained on them.
#include <filesystem>
#include <iostream>
#include <optional>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "data/checks/check.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/folder.h"
#include "tools/checks/findings.h"
#include "tools/checks/with_model.h"
#include "tools/options/command.h"
#include "tools/options/groups.h"
#include "tools/options/options.h"
#include "tools/runs/subject.h"
#include "tools/text/colour.h"
#include "tools/text/format.h"
#include "tools/text/progress.h"
#include "tools/text/table.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    R"(Finds records that contradict each other, or are not fit to learn from: duplicates, values
and terms that differ between similar records, greetings, tone, cut answers, personal data and more.
No model is needed; with one there are more checks, and those without it are right more often: the
model is warmed up on one half of the records and reads the other, and the reverse, so that it knows
what the file says without having seen the answer it reads. docs/data.md says what each check means,
and how often it is right.

  afina check --data data/samples/support_inconsistent.jsonl --out checked
  afina check --data train.jsonl --held-out eval.jsonl --skip length
  afina check --data train.jsonl --model models/smollm2 --out checked
  afina check --data train.csv --fix clean.jsonl --glossary checked/glossary.txt
  afina check --list

Exit status: 0 nothing found, 1 findings, 2 an error.)";

struct CheckOptions {
  std::vector<std::string> data;
  std::string held_out, only, skip, out, fix, glossary, model;
  std::string warm_up, run;
  double warm_up_epochs = 0;
  OnOff conflict = OnOff::off;
  std::string format, fields, delimiter;
  TextEncoding encoding = TextEncoding::automatic;
  int64_t limit = -1, worst = 3;
  bool list = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("data", o.data, Bits::keep,
      "records: .jsonl, .json, .csv, .tsv, .parquet or .txt, also with .gz or .zst; may be given "
      "more than once",
      naming(Names::files));
    v("held-out", o.held_out, Bits::keep, "records to measure on, which must not be among --data",
      naming(Names::files));
    v("only", o.only, Bits::keep, "checks or groups to run, with commas between them",
      shown("all"));
    v("skip", o.skip, Bits::keep, "checks or groups to leave out", shown("none"));
    v("list", o.list, Bits::keep, "list the checks");
    v("model,m", o.model, Bits::keep,
      "Hugging Face folder or .gguf file: losses of answers beside the findings, the checks of the "
      "group model, and findings without a model that it contradicts left out",
      naming(Names::files));
    v("run", o.run, Bits::keep,
      "folder of a finished run: findings beside the losses of their rows after that training; "
      "its base model is --model unless that is given",
      naming(Names::folders));
    v("warm-up", o.warm_up, Bits::keep,
      "how --model learns the file before it reads it: a method with its learning rate, as "
      "lora:rank=16,lr=1e-3, or off to read with the untouched model alone",
      shown("full:lr=2e-3 up to 32 million parameters, else lora:rank=16,alpha=32,lr=1e-3")
          .naming(Names::methods));
    v("warm-up-epochs", o.warm_up_epochs, Bits::keep,
      "times that the warm-up sees each record; more make what the file says often surer, and what "
      "it says once as well",
      shown("2.5 up to 32 million parameters, else 1"));
    v("conflict", o.conflict, Bits::keep,
      "on: one more warm-up, on all records, and beside each contradiction that --model finds the "
      "cosine of its two gradients (below 0: learning one unlearns the other); off");
    v("out,o", o.out, Bits::keep, "new folder for findings.jsonl, report.html and glossary.txt",
      naming(Names::folders));
    v("worst", o.worst, Bits::keep, "findings of each check to print");
    v("fix", o.fix, Bits::keep,
      "new .jsonl file for a copy without exact duplicates and with the terms of --glossary",
      naming(Names::files));
    v("glossary", o.glossary, Bits::keep,
      "file of lines FOUND -> EXPECTED: terms to replace in answers, with --fix",
      naming(Names::files));
    v("format", o.format, Bits::keep,
      "record format: alpaca, messages, prompt-completion, sharegpt or text; detected from the "
      "first record unless given",
      naming(Names::formats));
    v("fields", o.fields, Bits::keep,
      "field names in the file, as in prompt=question,completion=answer");
    v("encoding", o.encoding, Bits::keep,
      "of text files: auto, utf-8, utf-16le, utf-16be, latin-1 or windows-1252");
    v("delimiter", o.delimiter, Bits::keep,
      "what stands between the fields of a CSV file: a character, or tab");
    v("limit", o.limit, Bits::keep, "maximum number of records to read of each file", shown("all"));
  }

  ExampleOptions reading(const std::string& path) const {
    RecordOptions records;
    records.format = format;
    records.fields = fields;
    records.delimiter = delimiter;
    records.encoding = encoding;
    records.limit = limit;
    ExampleOptions options = records.examples(path);
    options.keep_problems = true;
    return options;
  }
};

void list_checks() {
  Table table("lllw");
  table.add({"check", "group", "severity", "what it finds"});
  for (const Check& check : checks())
    table.add({check.name, check.group, word_of_severity(check.severity), check.summary});
  table.print(std::cout, stdout_columns());
}

// Large lists go back to the system as soon as they are freed: what the checks hold at a time, not
// what they have held, decides how much memory they need.
void give_memory_back() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 18);
  mallopt(M_ARENA_MAX, 1);
#endif
}

// A folder that was made for this run: gone again where nothing was written into it.
class OutFolder {
 public:
  explicit OutFolder(const std::string& path) : path_(path) {
    if (!path.empty()) made_ = make_folder(path, "choose another --out");
  }
  ~OutFolder() {
    std::error_code ignored;
    if (made_) fs::remove(path_, ignored);  // an empty one only
  }

 private:
  std::string path_;
  bool made_ = false;
};

// All files or none.
void write_out(const std::string& folder, const Corpus& corpus,
               const std::vector<Finding>& findings, const CheckOptions& asked,
               const std::string& command, const RecordLosses& losses) {
  AtomicFile lines(folder + "/findings.jsonl"), page(folder + "/report.html");
  for (const Finding& finding : findings)
    lines.write(
        finding_json(corpus, finding, losses).dump(-1, ' ', false, Json::error_handler_t::replace) +
        "\n");
  page.write(findings_page(corpus, findings, asked.data, command, losses));
  const std::string glossary = proposed_glossary(findings);
  std::optional<AtomicFile> terms;
  if (!glossary.empty()) terms.emplace(folder + "/glossary.txt").write(glossary);
  lines.commit();
  page.commit();
  if (terms) terms->commit();
  std::cout << "written to " << folder << ": findings.jsonl, report.html"
            << (glossary.empty() ? "" : ", glossary.txt") << "\n";
}

void read_with_model(const Corpus& corpus, const std::vector<Example>& examples,
                     const CheckOptions& asked, const std::vector<const Check*>& chosen,
                     std::vector<Finding>& findings, RecordLosses& losses) {
  WithModelOptions options;
  options.model = asked.model;
  options.run = asked.run;
  options.conflict = asked.conflict == OnOff::on;
  options.warmed = asked.warm_up != "off";
  if (options.warmed) options.warm_up.method = asked.warm_up;
  options.warm_up.epochs = asked.warm_up_epochs;
  // The line shows the time left as soon as the first rows are read.
  constexpr int64_t parts = 1000;
  Progress progress(
      "reading " + format_grouped(int64_t(corpus.records())) + " records with " + asked.model,
      parts);
  const WithModelReport report = run_with_model(
      corpus, examples, options, chosen, findings, losses,
      [&](const std::string&, double share) { progress.update(int64_t(share * parts)); });
  progress.finish();
  for (auto& [check, count] : report.expected)
    std::cout << check << ": " << format_grouped(count) << (count == 1 ? " finding" : " findings")
              << " left out, as the model expects what stands there\n";
}

int run(const CheckOptions& asked, const std::string& command) {
  require(asked.out.empty() || !fs::exists(asked.out) ||
              (fs::is_directory(asked.out) && fs::is_empty(asked.out)),
          asked.out, ": is there already; findings go into a new folder: choose another --out");
  if (!asked.fix.empty()) check_fix(asked.data, asked.fix);
  require(!asked.model.empty() || (asked.warm_up.empty() && asked.warm_up_epochs == 0),
          "--warm-up is for --model; name one");
  require(asked.warm_up_epochs >= 0 && asked.warm_up_epochs <= 100, "--warm-up-epochs ",
          asked.warm_up_epochs, ": expected more than 0, at most 100");
  require(asked.worst >= 0, "--worst ", asked.worst, ": expected 0 or more");
  std::vector<const Check*> chosen = chosen_checks(asked.only, asked.skip);
  // Too many of its findings are wrong in a clean file for a build to stop at (docs/data.md).
  if (asked.only.empty())
    std::erase_if(chosen, [](const Check* check) { return check->name == "out-of-place"; });
  for (const Check* check : chosen)
    require(check->run || !asked.model.empty() || asked.only.empty(), "--only ", check->name,
            ": this check needs a model; name one with --model");
  std::vector<Term> terms;
  if (!asked.glossary.empty()) terms = read_glossary(asked.glossary);
  const OutFolder made(asked.out);
  give_memory_back();
  Corpus corpus;
  auto read = [&](const std::string& path, bool held_out) {
    std::error_code unknown;
    const auto bytes = fs::file_size(path, unknown);
    corpus.read_file(path, asked.reading(path), held_out, unknown ? 0 : size_t(bytes));
  };
  for (const std::string& path : asked.data) read(path, false);
  if (!asked.held_out.empty()) read(asked.held_out, true);
  corpus.finish();
  std::vector<Finding> findings = run_checks(corpus, chosen);
  RecordLosses losses;
  if (!asked.model.empty()) {
    std::vector<Example> examples;
    for (const std::string& path : asked.data)
      for (Example& example : read_examples(path, asked.reading(path)))
        examples.push_back(std::move(example));
    read_with_model(corpus, examples, asked, chosen, findings, losses);
  }
  print_findings(std::cout, corpus, findings, asked.worst, stdout_columns());
  if (!asked.out.empty()) write_out(asked.out, corpus, findings, asked, command, losses);
  if (!asked.fix.empty()) {
    const FixCounts counts =
        write_fixed(asked.data, asked.reading(asked.data[0]), findings, corpus, terms, asked.fix);
    std::cout << "written to " << asked.fix << ": " << format_grouped(counts.records)
              << " records, without " << format_grouped(counts.duplicates)
              << " exact duplicates; terms replaced in " << format_grouped(counts.terms)
              << " answers\n";
  }
  return findings.empty() ? 0 : 1;
}

// The model that a run began with.
std::string base_of(const std::string& run) {
  const Subject subject = open_subject({run, "", ""});
  const std::string where = run + "/manifest.json";
  return get<std::string>(member(subject.manifest, "model", where), "path", where + ": model");
}

int check(const std::vector<std::string>& words) {
  CheckOptions asked;
  Options options("check", intro);
  options.add("Check", asked);
  options.may_lead("data");
  if (!begin(options, options.with_name("data", words))) return 0;
  if (asked.list) {
    list_checks();
    return 0;
  }
  if (asked.data.empty())
    throw UsageError("afina check: --data names no file; see 'afina check --help'");
  if (!asked.glossary.empty() && asked.fix.empty())
    throw UsageError("afina check: --glossary is for --fix; name a file for the repaired copy");
  std::string command = "afina check";
  for (const std::string& word : words) command += " " + word;
  // 1 means findings here, so that an error has to be another number.
  try {
    if (!asked.run.empty() && asked.model.empty()) asked.model = base_of(asked.run);
    return run(asked, command);
  } catch (const std::bad_alloc&) {
    std::cerr << "error: out of memory; check a part of the records with --limit\n";
  } catch (const std::exception& error) {
    std::cerr << "error: " << harmless(error.what()) << "\n";
  }
  return 2;
}

REGISTER_COMMAND("check", "contradictions and other faults in training records", check);

}  // namespace

}  // namespace afina
