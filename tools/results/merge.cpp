// Merging by digests.
#include "tools/results/merge.h"
#include "tools/results/judgement.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <sstream>
#include <tuple>

#include "engine/error.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

std::string option(const Comparison& comparison, const std::string& name) {
  auto found = comparison.options.find(name);
  return found == comparison.options.end() ? "" : found->second;
}

int64_t rows_per_step(const Comparison& comparison) {
  auto number = [&](const char* name) {
    const std::string text = option(comparison, name);
    return text.empty() ? 1 : std::atoll(text.c_str());
  };
  return number("batch") * number("accumulate");
}

std::string short_digest(const std::string& digest) {
  return digest.empty() ? "none" : digest.substr(0, 12);
}

std::string rate_text(double rate) {
  std::ostringstream out;
  out << rate;
  return out.str();
}

// "intel xeon (avx512, 8 threads)"
std::string described(const Machine& machine) {
  return machine.cpu + " (" + machine.isa + ", " + std::to_string(machine.threads) +
         (machine.threads == 1 ? " thread)" : " threads)");
}

Source source_of(const NamedComparison& one) {
  const Comparison& c = one.comparison;
  Source source{one.path, c.created, c.version, c.commit, c.command, c.machine, {}};
  for (const MethodResult& method : c.methods)
    for (const RunResult& run : method.runs) source.runs.push_back(run.name);
  return source;
}

class Merge {
 public:
  Merge(const NamedComparison& first, const std::string& out)
      : whole_(first.comparison), out_(out) {
    whole_.sources.clear();
    for (MethodResult& method : whole_.methods) {
      for (RunResult& run : method.runs) from_[run.name] = first.path;
      rename_folders(method, first.path);
    }
    add_sources(first);
  }

  void add(const NamedComparison& other) {
    path_ = &other.path;
    check_untouched(other);
    for (const MethodResult& theirs : other.comparison.methods) add_method(theirs);
    for (const std::string& note : other.comparison.notes)
      if (std::find(whole_.notes.begin(), whole_.notes.end(), note) == whole_.notes.end())
        whole_.notes.push_back(note);
    for (const ForeignResult& one : other.comparison.foreign) whole_.foreign.push_back(one);
    // What is not the same everywhere stands in the commands of the sources.
    for (auto option = whole_.options.begin(); option != whole_.options.end();) {
      auto theirs = other.comparison.options.find(option->first);
      const bool same =
          theirs != other.comparison.options.end() && theirs->second == option->second;
      option = same ? std::next(option) : whole_.options.erase(option);
    }
    add_sources(other);
  }

  Comparison done() {
    if (equal_ > 0)
      note(std::to_string(equal_) + (equal_ == 1 ? " run was" : " runs were") +
           " made more than once with equal digests, and " + (equal_ == 1 ? "counts" : "count") +
           " once");
    std::set<std::string> machines, versions;
    for (const Source& source : whole_.sources) {
      machines.insert(described(source.machine));
      versions.insert(source.version + " " + source.commit);
    }
    if (machines.size() > 1) {
      std::string list;
      for (const std::string& one : machines) list += (list.empty() ? "" : "; ") + one;
      note(
          "the runs were made on " + std::to_string(machines.size()) +
          " machines or numbers of threads (" + list +
          "): losses, FLOPs and bytes compare, times only between methods whose runs were all made "
          "on the same one; elsewhere the ratio of times is \u2013");
    }
    if (versions.size() > 1) note("the runs were made by different versions of afina");
    whole_.command.clear();
    return std::move(whole_);
  }

 private:
  void note(const std::string& text) { whole_.notes.push_back(text); }

  void add_sources(const NamedComparison& one) {
    if (!one.comparison.sources.empty())
      for (Source source : one.comparison.sources) whole_.sources.push_back(std::move(source));
    else whole_.sources.push_back(source_of(one));
  }

  // Runs' folders are named from the folder of their results.
  void rename_folders(MethodResult& method, const std::string& path) const {
    for (RunResult& run : method.runs) {
      if (run.folder.empty()) continue;
      const fs::path place = fs::path(path) / run.folder;
      run.folder = place.string();
      if (!out_.empty())
        run.folder = fs::absolute(place)
                         .lexically_normal()
                         .lexically_relative(fs::absolute(out_).lexically_normal())
                         .string();
    }
  }

  // The same model on the same rows: a loss that differs is a fault of one of the machines.
  void check_untouched(const NamedComparison& other) {
    const RunResult *ours = first_run(whole_), *theirs = first_run(other.comparison);
    if (!ours || !theirs) return;
    if (ours->before.heldout != theirs->before.heldout)
      note("the untouched model's held-out loss is " + rate_text(ours->before.heldout) + " in " +
           from_[ours->name] + " and " + rate_text(theirs->before.heldout) + " in " + other.path +
           ", though model and rows are the same");
  }
  static const RunResult* first_run(const Comparison& comparison) {
    for (const MethodResult& method : comparison.methods)
      if (!method.runs.empty()) return &method.runs[0];
    return nullptr;
  }

  void add_method(MethodResult theirs) {
    rename_folders(theirs, *path_);
    auto ours = std::find_if(whole_.methods.begin(), whole_.methods.end(),
                             [&](const MethodResult& m) { return m.label == theirs.label; });
    if (ours == whole_.methods.end()) {
      for (const RunResult& run : theirs.runs) from_[run.name] = *path_;
      whole_.methods.push_back(std::move(theirs));
      return;
    }
    check_options(*ours, theirs);
    settle_rate(*ours, theirs);
    for (RunResult& run : theirs.runs) add_run(*ours, std::move(run));
    std::stable_sort(ours->runs.begin(), ours->runs.end(),
                     [](const RunResult& a, const RunResult& b) { return a.seed < b.seed; });
  }

  void check_options(const MethodResult& ours, const MethodResult& theirs) const {
    std::string differs;
    for (const auto* options : {&ours.options, &theirs.options})
      for (auto& [name, value] : *options) {
        auto text = [&name](const MethodResult& method) {
          auto found = method.options.find(name);
          return found == method.options.end() ? std::string("not given") : found->second;
        };
        const std::string line = name + " is " + text(ours) + " and " + text(theirs);
        if (text(ours) != text(theirs) && differs.find(line) == differs.npos)
          differs += (differs.empty() ? "" : ", ") + line;
      }
    require(differs.empty() && ours.kind == theirs.kind, *path_, ": its method '", theirs.label,
            "' is another than that of the same label in ", path_of(ours), ": ",
            differs.empty() ? "kind " + ours.kind + " and " + theirs.kind : differs,
            "; make a report of each");
  }

  std::string path_of(const MethodResult& method) const {
    auto found = method.runs.empty() ? from_.end() : from_.find(method.runs[0].name);
    return found == from_.end() ? whole_.sources[0].path : found->second;
  }

  // The lowest held-out loss that a search found at this rate.
  static double found_at(const MethodResult& method, double rate) {
    double lowest = std::numeric_limits<double>::infinity();
    for (const SearchRow& row : method.search)
      if (row.learning_rate == rate && !row.diverged && row.heldout < lowest) lowest = row.heldout;
    return lowest;
  }

  // One rate for the runs of both, and one list of all rates that were tried.
  void settle_rate(MethodResult& ours, MethodResult& theirs) {
    const double mine = ours.learning_rate, other = theirs.learning_rate;
    if (mine != other) {
      const double mine_loss = found_at(ours, mine), other_loss = found_at(theirs, other);
      require(std::isfinite(mine_loss) && std::isfinite(other_loss), *path_, ": '", theirs.label,
              "' was run at the learning rate ", rate_text(other), ", and in ", path_of(ours),
              " at ", rate_text(mine),
              ", without a search that chose between them; runs of several rates have no common "
              "mean. Make a report of each");
      const bool keep_ours = mine_loss <= other_loss;
      note(ours.label + ": " + rate_text(mine) + " was the best rate in " + path_of(ours) +
           " and " + rate_text(other) + " in " + *path_ + "; of both the held-out loss of " +
           rate_text(keep_ours ? mine : other) + " is the lower one, and its runs count");
      MethodResult& loser = keep_ours ? theirs : ours;
      loser.runs.clear();
      ours.learning_rate = keep_ours ? mine : other;
    }
    for (SearchRow& row : theirs.search) {
      auto same = [&](const SearchRow& one) {
        return one.learning_rate == row.learning_rate && one.seed == row.seed;
      };
      if (std::none_of(ours.search.begin(), ours.search.end(), same)) ours.search.push_back(row);
    }
    for (SearchRow& row : ours.search) row.chosen = row.learning_rate == ours.learning_rate;
    std::stable_sort(
        ours.search.begin(), ours.search.end(),
        [](const SearchRow& a, const SearchRow& b) { return a.learning_rate < b.learning_rate; });
  }

  void add_run(MethodResult& method, RunResult run) {
    for (const RunResult& known : method.runs) {
      if (known.seed != run.seed) continue;
      if (known.digest == run.digest && known.diverged == run.diverged) equal_++;
      else
        note(method.label + ", seed " + std::to_string(run.seed) + ": the digest is " +
             short_digest(known.digest) + " in " + from_[known.name] + " and " +
             short_digest(run.digest) + " in " + *path_ +
             ", where the same options give the same bits on every machine; the first one counts");
      return;
    }
    from_[run.name] = *path_;
    method.runs.push_back(std::move(run));
  }

  Comparison whole_;
  const std::string& out_;
  const std::string* path_ = nullptr;
  std::map<std::string, std::string> from_;  // by a run's name: the path of its comparison
  int equal_ = 0;
};

}  // namespace

std::string differing_conditions(const NamedComparison& one, const NamedComparison& other,
                                 const std::set<std::string>& options) {
  const Comparison &ours = one.comparison, &theirs = other.comparison;
  std::string all;
  auto add = [&](const std::string& what, const std::string& a, const std::string& b) {
    if (a != b)
      all += (all.empty() ? "" : "; ") + what + " is " + (a.empty() ? "not given" : a) + " and " +
             (b.empty() ? "not given" : b);
  };
  if (ours.model.hash != theirs.model.hash)
    add("the model", ours.model.name + " (" + short_digest(ours.model.hash) + ")",
        theirs.model.name + " (" + short_digest(theirs.model.hash) + ")");
  for (const char* role : {"train", "choice", "final", "retain"}) {
    auto text = [&](const Comparison& c) {
      std::string found;
      for (const DataDescription& data : c.data)
        if (data.role == role)
          found += (found.empty() ? "" : " and ") + data.path + " (" + std::to_string(data.rows) +
                   " rows, " + short_digest(data.hash) + ")";
      return found;
    };
    auto hashes = [&](const Comparison& c) {
      std::string found;
      for (const DataDescription& data : c.data)
        if (data.role == role) found += data.hash + " ";
      return found;
    };
    if (hashes(ours) != hashes(theirs))
      add("what was used for '" + std::string(role) + "'", text(ours), text(theirs));
  }
  for (const std::string& name : options)
    if (ours.options.count(name) && theirs.options.count(name))
      add("--" + name, option(ours, name), option(theirs, name));
  if (rows_per_step(ours) != rows_per_step(theirs))
    add("rows of a step (--batch times --accumulate)", std::to_string(rows_per_step(ours)),
        std::to_string(rows_per_step(theirs)));
  return all;
}

// All runs of a comparison are judged alike.
static Judgement first_judgement(const Comparison& comparison) {
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      if (!run.judgement.rules.empty()) return run.judgement;
  return {};
}

Comparison merged(const std::vector<NamedComparison>& all, const std::set<std::string>& options,
                  const std::string& out) {
  require(!all.empty(), "no comparison to merge");
  for (size_t i = 1; i < all.size(); i++) {
    const std::string differs = differing_conditions(all[0], all[i], options);
    require(differs.empty(), all[0].path, " and ", all[i].path,
            " are different experiments: ", differs, ". Make a report of each");
    const std::string judged =
        judged_otherwise(first_judgement(all[0].comparison), first_judgement(all[i].comparison));
    require(judged.empty(), all[0].path, " and ", all[i].path,
            " judge answers differently: ", judged, ". Make a report of each");
  }
  Merge merge(all[0], out);
  for (size_t i = 1; i < all.size(); i++) merge.add(all[i]);
  return merge.done();
}

bool times_compare(const Comparison& comparison, const MethodResult& one,
                   const MethodResult& other) {
  if (comparison.sources.empty()) return true;
  auto key = [](const Machine& m) {
    return std::tuple(m.cpu, m.isa, m.threads, m.cores, m.memory_bytes);
  };
  const Machine* first = nullptr;
  for (const MethodResult* method : {&one, &other})
    for (const RunResult& run : method->runs) {
      // A run that several made is that of the first of them.
      auto made = [&](const Source& s) {
        return std::find(s.runs.begin(), s.runs.end(), run.name) != s.runs.end();
      };
      const auto source = std::find_if(comparison.sources.begin(), comparison.sources.end(), made);
      if (source == comparison.sources.end()) return false;
      if (!first) first = &source->machine;
      if (key(*first) != key(source->machine)) return false;
    }
  return true;
}

}  // namespace afina
