// ShareGPT conversations: {"conversations": [{"from": "human", "value": ...}, ...]}.
#include "data/formats/conversation.h"

namespace afina {

static Example read(const Record& record) {
  return read_conversation(record, "conversations", record.name("from"), record.name("value"));
}

static const RegisterFormat registered(
    {"sharegpt", {"conversations", "from", "value", "system"}, {"conversations"}, read});

}  // namespace afina
