// Records for tests of the checks, and which of them a check names.
#pragma once
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/checks/check.h"
#include "data/checks/personal_patterns.h"

namespace afina {

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline Corpus corpus_of(const Pairs& pairs, const Pairs& held_out = {}) {
  auto examples = [](const Pairs& all) {
    std::vector<Example> made;
    for (auto& [question, answer] : all) {
      Example example;
      example.messages = {{"user", question}, {"assistant", answer}};
      example.place = "rows.jsonl, line " + std::to_string(made.size() + 1);
      made.push_back(example);
    }
    return made;
  };
  Corpus corpus;
  corpus.add("rows.jsonl", examples(pairs), false);
  if (!held_out.empty()) corpus.add("held.jsonl", examples(held_out), true);
  corpus.finish();
  return corpus;
}

// Numbers of the records that the check names.
inline std::set<uint32_t> named_by(const std::string& check, const Corpus& corpus) {
  std::set<uint32_t> rows;
  for (const Finding& finding : run_checks(corpus, chosen_checks(check, "")))
    rows.insert(corpus.record(finding.places[0].record).number);
  return rows;
}
inline std::set<uint32_t> named_by(const std::string& check, const Pairs& pairs) {
  return named_by(check, corpus_of(pairs));
}

// Answers of one shop about some things, all alike: 24 of them.
inline Pairs shop() {
  Pairs pairs;
  const char* names[] = {"Ada", "Ben", "Cleo", "Dan", "Eva", "Finn"};
  const char* things[] = {"kettle", "toaster", "lamp", "mixer"};
  for (const char* thing : things)
    for (const char* name : names)
      pairs.emplace_back(std::string("I want to return the ") + thing + ". " + name,
                         std::string("Hello ") + name + ",\nYou can return the " + thing +
                             " within 30 days. Order AB-" + std::to_string(41000 + pairs.size()) +
                             " is open. The parcel goes to our store.\nYours truly,\nThe Shop");
  return pairs;
}
inline void replace(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  BOOST_REQUIRE(at != text.npos);
  text.replace(at, from.size(), to);
}
using Rows = std::set<uint32_t>;

// Kinds of personal data in a text, each with a semicolon.
inline std::string kinds(const std::string& text) {
  std::vector<PersonalPiece> pieces;
  find_personal(text, pieces);
  std::string all;
  for (const PersonalPiece& piece : pieces) all += std::string(piece.kind) + ";";
  return all;
}

}  // namespace afina
