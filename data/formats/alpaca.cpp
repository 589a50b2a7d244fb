// Alpaca records: {"instruction": ..., "input": ..., "output": ...}; the input may be empty or
// absent.
#include "data/examples.h"

namespace afina {

static Example read(const Record& record) {
  Example example;
  if (record.has("system")) example.messages.push_back({"system", record.text("system")});
  std::string input = record.text_or("input", "");
  example.messages.push_back(
      {"user", record.text("instruction") + (input.empty() ? "" : "\n\n" + input)});
  example.messages.push_back({"assistant", record.text("output")});
  return example;
}

static const RegisterFormat registered(
    {"alpaca", {"instruction", "input", "output", "system"}, {"instruction", "output"}, read});

}  // namespace afina
