// Shared by the two formats that hold whole conversations.
#include "data/formats/conversation.h"

#include <algorithm>

#include "engine/files/json.h"

namespace afina {

namespace {

std::string translated(const std::string& role) {
  if (role == "human") return "user";
  if (role == "gpt" || role == "chatgpt" || role == "model" || role == "bot") return "assistant";
  return role;
}

// Roles that a model's template may have a place for; whether it has is seen when it is rendered.
bool is_role(const std::string& role) {
  for (const char* known : {"user", "assistant", "system", "tool", "developer"})
    if (role == known) return true;
  return false;
}

// Keys by which other tools say whether a turn is trained.
constexpr const char* training_marks[] = {"weight", "train", "loss", "training"};
bool is_training_mark(const std::string& key) {
  for (const char* mark : training_marks)
    if (key == mark) return true;
  return false;
}

// One turn: its text, whether it is trained, and what else it has.
class TurnReader {
 public:
  TurnReader(const Record& record, const Json& turn, std::string at, const std::string& content_key)
      : record_(record), turn_(turn), at_(std::move(at)), content_key_(content_key) {}

  std::string text(const std::string& key) const {
    auto found = turn_.find(key);
    if (found == turn_.end()) record_.fail_field(at_ + "." + key, "a string", "nothing");
    if (!found->is_string()) record_.fail_field(at_ + "." + key, "a string", describe(*found));
    return found->get<std::string>();
  }

  // Where an assistant calls tools the text may be null or absent.
  bool has_no_text() const {
    auto found = turn_.find(content_key_), calls = turn_.find("tool_calls");
    const bool none = found == turn_.end() || found->is_null();
    return none && calls != turn_.end() && calls->is_array() && !calls->empty();
  }

  bool trained(const std::string& role) const {
    bool trained = true;
    for (const char* mark : training_marks) {
      auto found = turn_.find(mark);
      if (found == turn_.end() || found->is_null()) continue;
      const std::string name = at_ + "." + mark;
      const bool number = found->is_number() && (*found == 0 || *found == 1);
      if (!number && !found->is_boolean())
        record_.fail_field(name, "0 or 1, true or false (a turn is trained or it is not)",
                           describe(*found));
      const bool yes = number ? *found == 1 : found->get<bool>();
      if (yes && role != "assistant")
        record_.fail_field(
            name, "0 or false for a turn of " + role + ", as only an assistant's turns are trained",
            describe(*found));
      trained &= yes;
    }
    // Parts of a turn that are trained are not supported.
    if (auto found = turn_.find("train_detail"); found != turn_.end() && !found->is_null())
      record_.fail_field(at_ + ".train_detail", "nothing (parts of a turn cannot be chosen)",
                         describe(*found));
    return trained;
  }

  bool has_more(const std::string& role_key) const {
    for (auto& [key, value] : turn_.items())
      if (key != role_key && key != content_key_ && !value.is_null() && !is_training_mark(key))
        return true;
    return false;
  }

 private:
  const Record& record_;
  const Json& turn_;
  std::string at_;
  const std::string& content_key_;
};

}  // namespace

Example read_conversation(const Record& record, const std::string& field,
                          const std::string& role_key, const std::string& content_key) {
  Example example;
  if (record.has("system")) example.messages.push_back({"system", record.text("system")});
  const Json& turns = record.list(field);
  OrderedJson ordered;  // read when a turn has keys beside role and content
  for (size_t i = 0; i < turns.size(); ++i) {
    std::string at = field + "[" + std::to_string(i) + "]";
    const Json& turn = turns[i];
    if (!turn.is_object())
      record.fail_field(at, "an object with " + role_key + " and " + content_key, describe(turn));
    const TurnReader reader(record, turn, at, content_key);
    Message message{translated(reader.text(role_key)), ""};
    if (!is_role(message.role))
      record.fail_field(at + "." + role_key, "user or assistant, system or tool",
                        "\"" + message.role + "\"");
    if (!reader.has_no_text()) message.content = reader.text(content_key);
    message.trained = reader.trained(message.role);
    if (reader.has_more(role_key)) {
      if (ordered.is_null()) ordered = record.in_order(field);
      message.more = OrderedJson::object();
      for (auto& [key, value] : ordered[i].items())
        if (key != role_key && key != content_key && !value.is_null() && !is_training_mark(key))
          message.more[key] = value;
      if (reader.has_no_text()) message.more["content"] = nullptr;
    }
    example.messages.push_back(std::move(message));
  }
  return example;
}

}  // namespace afina
