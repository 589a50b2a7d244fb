// What checks found, for people and for programs: a table, findings.jsonl, report.html, and a copy
// of the data with the safe repairs.
#pragma once
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "data/checks/check.h"
#include "engine/files/json_value.h"

namespace afina {

// A finding with the texts that it names.
struct ShownPiece {
  std::string place;                // "train.jsonl, line 12"
  std::string role;                 // "answer"; empty for a whole record
  std::string before, text, after;  // the piece, and some of what stands around it
};
ShownPiece shown_piece(const Corpus& corpus, const PiecePlace& place);

// What a model says of a record's last answer: losses in nats per token, each over the same tokens;
// below 0: not measured.
struct RecordMeasures {
  double loss = -1;              // of the untouched model, below its own question
  double without_question = -1;  // the same below "?" in place of all turns before it
  double elsewhere = -1;         // the same below the questions of other records, mean of two
  double warmed = -1;   // below its own, by a model warmed up on the other half of the file
  double trained = -1;  // below its own, by the model of a run (--run)
};
// Of the records that a model has read.
using RecordLosses = std::map<uint32_t, RecordMeasures>;

// One line of findings.jsonl; docs/data.md has its keys.
Json finding_json(const Corpus& corpus, const Finding& finding, const RecordLosses& losses = {});

// How many findings and records each check has, most severe first.
struct CheckCount {
  const Check* check;
  int64_t findings = 0, records = 0;
};
std::vector<CheckCount> counted_checks(const std::vector<Finding>& findings);

// The table, and the `worst` first findings of each check. width: of the terminal; 0: unlimited.
void print_findings(std::ostream& out, const Corpus& corpus, const std::vector<Finding>& findings,
                    int64_t worst, size_t width);

// The page: self-contained, opens offline. files: names for its title.
std::string findings_page(const Corpus& corpus, const std::vector<Finding>& findings,
                          const std::vector<std::string>& files, const std::string& command,
                          const RecordLosses& losses = {});

// Lines "found -> expected", a line each; '#' begins a comment. An Error for any other line.
struct Term {
  std::string from, to;
};
std::vector<Term> read_glossary(const std::string& path);
// The terms that the check `term` proposes, each behind '#', for the user to confirm.
std::string proposed_glossary(const std::vector<Finding>& findings);
// The text with each term replaced where it stands as words of their own; a capital letter at its
// beginning and the plural's s are kept.
std::string with_terms(const std::string& text, const std::vector<Term>& terms);

struct FixCounts {
  int64_t records = 0, duplicates = 0, terms = 0;
};
// Before the work: an Error where write_fixed could not write `out` in the end, by its name, its
// folder, or what the files are.
void check_fix(const std::vector<std::string>& files, const std::string& out);
// Writes the records of the files as JSON lines to `out`, without exact duplicates and with the
// terms replaced in answers. Fields that nothing reads stay. An Error for plain text, and where
// `out` is one of the files or there already (check_fix).
FixCounts write_fixed(const std::vector<std::string>& files, const ExampleOptions& options,
                      const std::vector<Finding>& findings, const Corpus& corpus,
                      const std::vector<Term>& terms, const std::string& out);

}  // namespace afina
