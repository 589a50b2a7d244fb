// Question and answer records: {"prompt": ..., "completion": ...}, optionally with "system".
#include "data/examples.h"

namespace afina {

static Example read(const Record& record) {
  Example example;
  if (record.has("system")) example.messages.push_back({"system", record.text("system")});
  example.messages.push_back({"user", record.text("prompt")});
  example.messages.push_back({"assistant", record.text("completion")});
  return example;
}

static const RegisterFormat registered(
    {"prompt-completion", {"prompt", "completion", "system"}, {"prompt", "completion"}, read});

}  // namespace afina
