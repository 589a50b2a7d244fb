// Conversations in the chat API form: {"messages": [{"role": "user", "content": ...}, ...]}.
#include "data/formats/conversation.h"

namespace afina {

static Example read(const Record& record) {
  return read_conversation(record, "messages", record.name("role"), record.name("content"));
}

static const RegisterFormat registered(
    {"messages", {"messages", "role", "content", "system"}, {"messages"}, read});

}  // namespace afina
