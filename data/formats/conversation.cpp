// Shared by the two formats that hold whole conversations.
#include "data/formats/conversation.h"

#include "engine/files/json.h"

namespace afina {

namespace {

std::string translated(const std::string& role) {
  if (role == "human") return "user";
  if (role == "gpt" || role == "chatgpt" || role == "model" || role == "bot") return "assistant";
  return role;
}

}  // namespace

Example read_conversation(const Record& record, const std::string& field,
                          const std::string& role_key, const std::string& content_key) {
  Example example;
  if (record.has("system")) example.messages.push_back({"system", record.text("system")});
  const Json& turns = record.list(field);
  for (size_t i = 0; i < turns.size(); ++i) {
    std::string at = field + "[" + std::to_string(i) + "]";
    const Json& turn = turns[i];
    if (!turn.is_object())
      record.fail_field(at, "an object with " + role_key + " and " + content_key, describe(turn));
    auto text = [&](const std::string& key) {
      auto found = turn.find(key);
      if (found == turn.end()) record.fail_field(at + "." + key, "a string", "nothing");
      if (!found->is_string()) record.fail_field(at + "." + key, "a string", describe(*found));
      return found->get<std::string>();
    };
    Message message{translated(text(role_key)), text(content_key)};
    bool first = example.messages.empty();
    bool known = message.role == "user" || message.role == "assistant" ||
                 (message.role == "system" && first);
    if (!known)
      record.fail_field(at + "." + role_key, "user or assistant, or system in the first turn",
                        "\"" + message.role + "\"");
    example.messages.push_back(std::move(message));
  }
  return example;
}

}  // namespace afina
