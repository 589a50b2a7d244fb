// What is said of samples.
#include "data/sample_notes.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "engine/counted.h"

namespace afina {

namespace {

// How to read a key that other tools have for something that a format knows under another name.
std::string hint_for(const std::string& key) {
  for (const char* name : {"system_prompt", "system_message", "sys_prompt"})
    if (key == name) return "; as the system's text it is read with --fields system=" + key;
  return "";
}

}  // namespace

std::vector<std::string> notes_on(const std::vector<Example>& examples, const ChatTemplate& chat,
                                  bool answers) {
  std::map<std::string, int64_t> records, turns;
  for (const Example& example : examples) {
    for (const std::string& key : example.unread) ++records[key];
    for (const Message& message : example.messages)
      if (message.more.is_object())
        for (auto& [key, value] : message.more.items())
          if (!value.is_null()) ++turns[key];
  }
  std::vector<std::string> notes;
  for (auto& [key, count] : records)
    notes.push_back("the key \"" + key + "\" of " + counted(count, "record") + " is not read" +
                    hint_for(key));
  for (auto& [key, count] : turns)
    if (!chat.mentions(key))
      notes.push_back("the key \"" + key + "\" of " + counted(count, "turn") + " is not read by " +
                      chat.name());
  if (std::string date = chat.date_note(); !date.empty()) notes.push_back(date);
  if (std::string lead = chat.lead_note(); answers && !lead.empty()) notes.push_back(lead);
  return notes;
}

std::vector<Example> take_unread(std::vector<Example>& examples) {
  auto read = std::stable_partition(examples.begin(), examples.end(),
                                    [](const Example& one) { return one.problem.empty(); });
  std::vector<Example> unread(std::make_move_iterator(read),
                              std::make_move_iterator(examples.end()));
  examples.erase(read, examples.end());
  return unread;
}

std::string why_left_out(const Samples& samples, const SampleOptions& options) {
  std::string text;
  if (samples.too_long > 0)
    text += ": " + std::to_string(samples.too_long) +
            (samples.too_long == 1 ? " is longer than --length " : " are longer than --length ") +
            std::to_string(options.length) + " (the shortest has " +
            counted(samples.shortest_too_long, "token") +
            (options.on_too_long == OnTooLong::cut ? "; what is kept of them has no target)"
                                                   : "; --on-too-long cut keeps their beginning)");
  if (!samples.problems.none())
    text += (text.empty() ? ": " : "; and ") + samples.problems.summary(samples.examples);
  return text;
}

std::string Samples::summary() const {
  std::ostringstream text;
  text << counted(int64_t(rows.size()), "sample") << " from " << counted(examples, "record") << ": "
       << counted(tokens, "token") << ", " << targets
       << (targets == 1 ? " of them a target" : " of them targets");
  if (cut) text << "; " << cut << " cut, losing " << counted(targets_lost, "target");
  if (skipped) text << "; " << skipped << " left out";
  return text.str();
}

}  // namespace afina
