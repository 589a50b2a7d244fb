// Shared by the formats that hold whole conversations.
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

// Where a turn is: the record, its field with the turns, and which one it is.
struct TurnPlace {
  const Record& record;
  const std::string& field;
  size_t index;
  std::string text() const { return field + "[" + std::to_string(index) + "]"; }
};

// Parts of type text, joined: what a list of them means when there is nothing but text. Keys that
// parts have beside their text are added to `unread`.
std::string text_of_parts(const TurnPlace& place, const std::string& key, const Json& parts,
                          std::vector<std::string>& unread) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string at = place.text() + "." + key + "[" + std::to_string(i) + "]";
    const Json& part = parts[i];
    if (!part.is_object())
      place.record.fail_field(at, "a part {\"type\": \"text\", \"text\": ...}", describe(part));
    auto type = part.find("type"), own = part.find("text");
    if (type == part.end() || !(*type == "text"))
      place.record.fail_field(at + ".type", "\"text\", as a model of text takes no other parts",
                              type == part.end() ? "nothing" : describe(*type), &part);
    if (own == part.end() || !own->is_string())
      place.record.fail_field(at + ".text", "a string",
                              own == part.end() ? "nothing" : describe(*own), &part);
    text += own->text();
    for (auto& [name, value] : part.items())
      if (name != "type" && name != "text" && !value.is_null())
        unread.push_back(key + "[]." + name);
  }
  return text;
}

// One turn: its text, whether it is trained, and what else it has.
class TurnReader {
 public:
  TurnReader(const TurnPlace& place, const Json& turn, const std::string& content_key)
      : place_(place),
        record_(place.record),
        turn_(turn),
        at_(place.text()),
        content_key_(content_key) {}

  std::string text(const std::string& key, std::vector<std::string>& unread) const {
    auto found = turn_.find(key);
    if (found == turn_.end()) record_.fail_field(at_ + "." + key, "a string", "nothing", &turn_);
    if (found->is_array() && key == content_key_) return text_of_parts(place_, key, *found, unread);
    return text_of(record_, at_ + "." + key, *found,
                   [&] { return record_.exact(place_.field)[place_.index][key]; });
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
  const TurnPlace& place_;
  const Record& record_;
  const Json& turn_;
  std::string at_;
  const std::string& content_key_;
};

// Names of role and content: those of the format, or those of the other form, where the turn has
// these and nobody has named any.
struct TurnKeys {
  std::string role, content;
};
TurnKeys keys_of(const Record& record, const Json& turn, const std::string& role,
                 const std::string& content) {
  if (turn.contains(role) || turn.contains(content)) return {role, content};
  if (record.named("role") || record.named("content") || record.named("from") ||
      record.named("value"))
    return {role, content};
  for (const TurnKeys& other : {TurnKeys{"role", "content"}, TurnKeys{"from", "value"}})
    if (turn.contains(other.role) && turn.contains(other.content)) return other;
  return {role, content};
}

// A turn with the names of both forms must say the same by both: which of two texts was meant is
// not for us to guess. Names that somebody gave are a choice.
void refuse_two_texts(const Record& record, const std::string& at, const Json& turn,
                      const TurnKeys& used) {
  if (record.named("role") || record.named("content") || record.named("from") ||
      record.named("value"))
    return;
  auto same = [&](const std::string& key, const std::string& other, bool roles) {
    auto one = turn.find(key), two = turn.find(other);
    if (key == other || one == turn.end() || two == turn.end() || one->is_null() || two->is_null())
      return;
    bool equal = *one == *two;
    if (roles && one->is_string() && two->is_string())
      equal = translated(one->get<std::string>()) == translated(two->get<std::string>());
    if (!equal)
      record.fail_field(at + "." + other,
                        "what " + key + " says (" + describe(*one) + "), or one of the two alone",
                        describe(*two), &turn);
  };
  for (const char* other : {"role", "from"}) same(used.role, other, true);
  for (const char* other : {"content", "value"}) same(used.content, other, false);
}

}  // namespace

void read_turns(const Record& record, const std::string& field, const std::string& role_name,
                const std::string& content_name, Example& example) {
  const Json& turns = record.list(field);
  OrderedJson ordered;  // read when a turn has keys beside role and content
  for (size_t i = 0; i < turns.size(); ++i) {
    const TurnPlace place{record, field, i};
    const std::string at = place.text();
    const Json& turn = turns[i];
    if (!turn.is_object())
      record.fail_field(at, "an object with " + role_name + " and " + content_name, describe(turn));
    const auto [role_key, content_key] = keys_of(record, turn, role_name, content_name);
    refuse_two_texts(record, at, turn, {role_key, content_key});
    const TurnReader reader(place, turn, content_key);
    Message message{translated(reader.text(role_key, example.unread)), ""};
    if (!is_role(message.role))
      record.fail_field(at + "." + role_key, "user or assistant, system or tool",
                        "\"" + message.role + "\"");
    if (!reader.has_no_text()) message.content = reader.text(content_key, example.unread);
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
}

Example read_conversation(const Record& record, const std::string& field, const std::string& role,
                          const std::string& content) {
  Example example;
  if (!record.has("system")) {
    read_turns(record, field, role, content, example);
    return example;
  }
  example.messages.push_back({"system", record.text("system")});
  read_turns(record, field, role, content, example);
  if (example.messages.size() < 2 || example.messages[1].role != "system") return example;
  // Said twice alike it is one system text; of two that differ no template knows the meaning.
  if (example.messages[1].content != example.messages[0].content)
    record.fail_field("system", "one system text, in this field or in the first turn of " + field,
                      "two that differ");
  example.messages.erase(example.messages.begin());
  return example;
}

void read_history(const Record& record, Example& example) {
  if (!record.filled("history")) return;
  const Json& pairs = record.list("history");
  for (size_t i = 0; i < pairs.size(); ++i) {
    const Json& pair = pairs[i];
    const std::string at = "history[" + std::to_string(i) + "]";
    if (!pair.is_array() || pair.size() != 2)
      record.fail_field(at, "a pair [question, answer]", describe(pair));
    for (size_t k = 0; k < 2; ++k)
      example.messages.push_back({k == 0 ? "user" : "assistant",
                                  text_of(record, at + "[" + std::to_string(k) + "]", pair[k],
                                          [&] { return record.exact("history")[i][k]; })});
  }
}

}  // namespace afina
