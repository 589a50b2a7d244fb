// report: a comparison shown again, comparisons of several machines as one, and tables and figures
// for papers.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "engine/files/atomic_file.h"
#include "engine/nearest.h"
#include "model/words.h"
#include "tools/options/command.h"
#include "tools/options/groups.h"
#include "tools/options/options.h"
#include "tools/report/charts.h"
#include "tools/report/report.h"
#include "tools/report/tables.h"
#include "tools/results/foreign.h"
#include "tools/results/merge.h"
#include "tools/text/colour.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    "Shows finished comparisons again. Several folders become one report when model, records, "
    "options and retention text are the same by their\n"
    "digests: methods, rates and seeds add up, and the same run made twice counts once. A JSON "
    "file of the method_comparison in PEFT's\n"
    "repository becomes a row of its own, marked as another program's.\n\n"
    "  afina report runs/first\n"
    "  afina report runs/laptop runs/server --out runs/both\n"
    "  afina report runs/first lora--llama-3.2-3B-rank32.json --out runs/beside\n"
    "  afina report runs/first --csv first.csv --latex first.tex --figure loss.svg\n\n"
    "With --out it writes results.json, summary.md and report.html into a new folder. Where --out "
    "is the one comparison itself, its\n"
    "summary.md and report.html are written anew and its results.json stays. Nothing else is "
    "overwritten, but for files that this command made.";

constexpr const char* latex_mark = "% made by afina report";
constexpr const char* svg_mark =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by afina report -->\n";
constexpr const char* csv_mark = "program,model,method,spec,learning_rate,seeds,rows,";

struct ReportOptions {
  std::vector<std::string> from, figures;
  std::string out, title, csv, latex;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("from", o.from, Bits::keep,
      "folder of a comparison, its results.json, or a result of PEFT's method_comparison; may be "
      "given more than once, and '--from' may be left out",
      required.naming(Names::files));
    v("out,o", o.out, Bits::keep, "folder for the report", naming(Names::folders));
    v("title", o.title, Bits::keep, "title of the report");
    v("csv", o.csv, Bits::keep, "file for a table of all figures, a line for each method",
      naming(Names::files));
    v("latex", o.latex, Bits::keep,
      "file for a LaTeX table (booktabs) of losses with intervals and costs", naming(Names::files));
    v("figure", o.figures, Bits::keep,
      "NAME.svg: file for a chart as SVG, which its name chooses; may be given more than once");
  }
};

// Options whose value the bits of a run follow from: merged comparisons have them in common.
struct Conditions {
  std::set<std::string> names;
  template <class T>
  void operator()(const char* name, const T&, Bits bits, const char*, Default = {}) {
    if (bits == Bits::follow) names.insert(long_name(name));
  }
};
std::set<std::string> conditions() {
  Conditions found;
  const ModelOptions model;
  const DataOptions data;
  const RunOptions run;
  ModelOptions::each(model, found);
  DataOptions::each(data, found);
  RunOptions::each(run, found);
  return found.names;
}

// A file that is written anew must have been made by this command: it begins with the mark.
void require_ours(const std::string& path, const char* mark) {
  if (!fs::exists(path)) return;
  require(fs::is_regular_file(path), path, ": is no file; choose another name");
  require(read_text_file(path).starts_with(mark), path,
          ": is there already, and 'afina report' has not made it; choose another name, or remove "
          "it");
}

struct Output {
  std::string path, text;
};

class Report {
 public:
  explicit Report(const ReportOptions& asked) : asked_(asked) {}

  void read() {
    for (const std::string& path : asked_.from) {
      require(fs::exists(path), path, ": there is no such file or folder");
      if (!fs::is_directory(path)) {
        const Json json = parse_json_file(path);
        if (is_peft_result(json)) {
          foreign_.push_back(foreign_from_peft(json, path));
          continue;
        }
      }
      require(!fs::is_directory(path) || fs::exists(path + "/results.json"), path,
              ": holds no results.json; ",
              fs::exists(path + "/runs") ? "its comparison is not finished: go on with --resume"
                                         : "expected the folder of a finished comparison");
      for (const NamedComparison& known : found_)
        require(!fs::equivalent(known.path, folder_of(path)), path, ": is named twice");
      found_.push_back({folder_of(path), read_comparison(path)});
    }
    require(!found_.empty(),
            "no comparison of afina is among what is named; results of other programs stand beside "
            "one");
  }

  Comparison combined(const std::string& command) const {
    Comparison c =
        found_.size() == 1 ? found_[0].comparison : merged(found_, conditions(), asked_.out);
    c.foreign.insert(c.foreign.end(), foreign_.begin(), foreign_.end());
    if (!asked_.title.empty()) c.title = asked_.title;
    if (found_.size() == 1) return c;
    c.command = command;
    c.created = utc_now();
    return c;
  }

  // Names that say what is drawn, before any file is read.
  void check_names() const {
    for (const std::string& path : asked_.figures) {
      const bool known = std::any_of(charts().begin(), charts().end(), [&](const Chart& chart) {
        return chart.name == chart_of(path);
      });
      require(path.ends_with(".svg") && known, "--figure ", path, ": expected NAME.svg",
              known ? "" : did_you_mean(chart_of(path), chart_names()), "; NAME is one of ",
              joined(chart_names()));
    }
  }

  // What may not be written is said before anything is.
  void check_outputs() const {
    const std::string& out = asked_.out;
    require(out.empty() || !fs::exists(out) || shows_itself() ||
                (fs::is_directory(out) && fs::is_empty(out)),
            out, ": is there already",
            fs::exists(out + "/results.json") ? " and holds a comparison" : "",
            "; a report goes into a new folder, or into that of the one comparison that it shows. "
            "Choose another --out");
    if (!asked_.csv.empty()) require_ours(asked_.csv, csv_mark);
    if (!asked_.latex.empty()) require_ours(asked_.latex, latex_mark);
    for (const std::string& path : asked_.figures) require_ours(path, svg_mark);
  }

  // All files beside the report, made before the first is written.
  std::vector<Output> outputs(const Comparison& c) const {
    const Facts facts(c);
    std::vector<Output> all;
    if (!asked_.csv.empty()) all.push_back({asked_.csv, csv_table(facts)});
    if (!asked_.latex.empty()) all.push_back({asked_.latex, latex_table(facts)});
    for (const std::string& path : asked_.figures) all.push_back({path, figure(facts, path)});
    return all;
  }

  void write(const Comparison& c, const std::vector<Output>& outputs) const {
    if (!asked_.out.empty()) write_folder(c);
    for (const Output& one : outputs) {
      write_text_file(one.path, one.text);
      std::cout << "written to " << one.path << "\n";
    }
  }

 private:
  static std::vector<std::string> chart_names() {
    std::vector<std::string> names;
    for (const Chart& chart : charts()) names.push_back(chart.name);
    return names;
  }
  static std::string chart_of(const std::string& path) { return fs::path(path).stem().string(); }
  static std::string figure(const Facts& facts, const std::string& path) {
    const std::string svg = draw_chart(facts, chart_of(path), svg::Medium::file);
    require(!svg.empty(), "--figure ", path, ": the results have nothing to draw as '",
            chart_of(path), "'",
            chart_of(path) == "loss-by-time" && !facts.all_times_compare
                ? ": the runs were made on several machines, whose times do not compare"
                : "");
    return svg_mark + svg.substr(svg.find('\n') + 1);
  }

  static std::string folder_of(const std::string& path) {
    if (fs::is_directory(path)) return path;
    const std::string parent = fs::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
  }

  // --out is the one comparison.
  bool shows_itself() const {
    return fs::exists(asked_.out) && found_.size() == 1 && foreign_.empty() &&
           fs::equivalent(asked_.out, found_[0].path);
  }

  void write_folder(const Comparison& c) const {
    const std::string& out = asked_.out;
    std::vector<std::string> failed;
    if (shows_itself()) {
      failed = write_views(c, out);
    } else {
      fs::create_directories(out);
      failed = write_comparison(c, out);
    }
    for (const std::string& note : failed) std::cout << "Note: " << note << "\n";
    if (failed.empty())
      std::cout << "Report: " << out << "/report.html (opens in a browser, offline)\n";
  }

  const ReportOptions& asked_;
  std::vector<NamedComparison> found_;
  std::vector<ForeignResult> foreign_;
};

int report(const std::vector<std::string>& words) {
  ReportOptions asked;
  Options options("report", intro);
  options.add("Report", asked);
  options.may_lead("from");
  if (!begin(options, options.with_name("from", words))) return 0;
  Report report(asked);
  report.check_names();
  report.read();
  report.check_outputs();
  std::string command = "afina report";
  for (const std::string& word : words) command += " " + word;
  const Comparison c = report.combined(command);
  const std::vector<Output> outputs = report.outputs(c);
  std::cout << terminal_table(c, stdout_has_colour(), stdout_columns()) << foreign_terminal(c)
            << "\n";
  report.write(c, outputs);
  std::cout << std::flush;
  return 0;
}

REGISTER_COMMAND("report", "show comparisons again: of several machines, as tables, as figures",
                 report);

}  // namespace

}  // namespace afina
