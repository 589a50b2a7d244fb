// Alpaca records: {"instruction": ..., "input": ..., "output": ...}; the input may be empty or
// absent, and history may hold the turns before.
#include "data/formats/conversation.h"

namespace afina {

static bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

// The question is the parts that have text, with an empty line between two.
static Example read(const Record& record) {
  Example example;
  if (record.says("system")) example.messages.push_back({"system", record.text("system")});
  read_history(record, example);
  std::string input = record.text_or("input", "");
  std::string question = is_blank(input) ? record.text("instruction")  // must be there then
                                         : record.text_or("instruction", "");
  if (is_blank(question) && !is_blank(input)) question = std::move(input);
  else if (!is_blank(input)) question += "\n\n" + input;
  example.messages.push_back({"user", std::move(question)});
  example.messages.push_back({"assistant", record.text("output")});
  return example;
}

static const RegisterFormat registered({"alpaca",
                                        {"instruction", "input", "output", "system", "history"},
                                        {"instruction", "output"},
                                        read});

}  // namespace afina
