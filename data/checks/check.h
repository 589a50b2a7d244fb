// A check: looks at records and says which of them do not fit together, or are not fit to learn
// from. Each has a file in data/checks/ that registers itself.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/checks/corpus.h"

namespace afina {

enum class Severity : uint8_t { note, warning, error };
const char* word_of_severity(Severity severity);

// A piece of a record's text; a turn of no_turn means the whole record.
struct PiecePlace {
  uint32_t record, turn = no_turn, begin = 0, end = 0;
};
// What a check has found. The first place is the record to look at, the others are what it
// disagrees with.
struct Finding {
  const struct Check* check = nullptr;
  double score = 1;  // 0 to 1: how certain
  std::vector<PiecePlace> places;
  std::string found, expected;  // in a few words; `expected` may be empty
};

struct Check {
  std::string name;   // as --only takes it: "near-duplicate"
  std::string group;  // duplicates, consistency, form, content, privacy, splits
  Severity severity;
  std::string summary;  // one line: what it finds
  std::string why;      // why it matters for fine-tuning
  std::string advice;   // what to do
  // nullptr: it needs a model, and is run where models are known (tools/checks/with_model.h).
  void (*run)(const Corpus& corpus, std::vector<Finding>& out);
  // Takes longest and holds most: begins before the others, when what they share is not there yet.
  bool first = false;
};
// A static object of this type adds a check.
struct RegisterCheck {
  explicit RegisterCheck(Check check);
};
// All checks, sorted by name.
const std::vector<Check>& checks();
// The checks that are asked for: names and groups, with commas between them; an empty `only` means
// all. An Error for a name that is none, with the nearest.
std::vector<const Check*> chosen_checks(const std::string& only, const std::string& skip);

// Findings as bytes, in their order, without their checks: what waits for other checks to end takes
// a third of the room. unpack adds them to `out`.
std::string packed(const std::vector<Finding>& findings);
void unpack(std::string_view bytes, std::vector<Finding>& out);

// Runs those that need no model; findings by severity, then score, then place. `corpus` is
// finished.
std::vector<Finding> run_checks(const Corpus& corpus, const std::vector<const Check*>& chosen);
// In that order.
void sort_findings(std::vector<Finding>& findings);

}  // namespace afina
