// Question and answer records: {"prompt": ..., "completion": ...}, optionally with "system" and
// "history". Prompt and completion may be lists of turns, as TRL has them: then the completion's
// alone are trained.
#include "data/formats/conversation.h"

namespace afina {

static Example read(const Record& record) {
  Example example;
  if (record.says("system")) example.messages.push_back({"system", record.text("system")});
  read_history(record, example);
  if (record.is_list("prompt")) {
    read_turns(record, "prompt", "role", "content", example);
    for (Message& message : example.messages) message.trained = false;
  } else {
    example.messages.push_back({"user", record.text("prompt")});
  }
  if (record.is_list("completion")) read_turns(record, "completion", "role", "content", example);
  else example.messages.push_back({"assistant", record.text("completion")});
  return example;
}

static const RegisterFormat registered({"prompt-completion",
                                        {"prompt", "completion", "system", "history"},
                                        {"prompt", "completion"},
                                        read});

}  // namespace afina
