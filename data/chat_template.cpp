// Chat templates: the known ones, how they are recognised, and how they render messages.
#include "data/chat_template.h"

#include <algorithm>

#include "data/chat_layouts.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

// Writes every newline the same way: Jinja literals spell it \n, and JSON has already decoded some.
std::string normalised(std::string_view jinja) {
  std::string text;
  for (size_t i = 0; i < jinja.size(); ++i) {
    if (jinja.substr(i, 2) == "\\n") {
      text += '\n';
      ++i;
    } else {
      text += jinja[i];
    }
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    Character first = character_at(text, 0);
    if (!is_white_space(first.code)) break;
    text.remove_prefix(first.bytes);
  }
  for (size_t end = text.size(); end > 0;) {
    size_t before = end - 1;
    while (before > 0 && (uint8_t(text[before]) & 0xC0) == 0x80) --before;
    if (!is_white_space(character_at(text, before).code)) return text.substr(0, end);
    end = before;
    if (end == 0) return {};
  }
  return text;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::vector<std::string> ChatTemplate::names() {
  std::vector<std::string> all;
  for (auto& layout : chat_layouts()) all.push_back(layout.name);
  return all;
}

std::string ChatTemplate::filled(std::string_view part) const {
  std::string text(part);
  for (auto [mark, token] :
       {std::pair<const char*, const std::string&>("{bos}", bos_), {"{eos}", eos_}})
    if (size_t at = text.find(mark); at != text.npos) text.replace(at, 5, token);
  return text;
}

ChatTemplate ChatTemplate::named(std::string_view name, const Tokenizer& tokenizer) {
  auto found = std::find_if(chat_layouts().begin(), chat_layouts().end(),
                            [&](auto& layout) { return layout.name == name; });
  require(found != chat_layouts().end(), "there is no template \"", std::string(name),
          "\"; known are ", list_of(names()));
  ChatTemplate chat;
  chat.layout_ = &*found;
  chat.name_ = found->name;
  chat.default_system_ = found->default_system ? found->default_system : "";
  if (tokenizer.bos() >= 0) chat.bos_ = tokenizer.token_text(tokenizer.bos());
  if (tokenizer.eos() >= 0) chat.eos_ = tokenizer.token_text(tokenizer.eos());
  std::string_view begins = *found->begin ? found->begin : found->user.before;
  require(!chat.bos_.empty() || begins.find("{bos}") == begins.npos, "the template \"", chat.name_,
          "\" begins with the token that begins a text, but the tokenizer has none that is known; "
          "name it in tokenizer_config.json (bos_token)");
  std::string stop(trimmed(chat.filled(found->stop)));
  require(!stop.empty(), "the template \"", chat.name_,
          "\" ends an answer with the end-of-text token, but the tokenizer has none that is known; "
          "name it in tokenizer_config.json (eos_token)");
  // If the mark were spelled letter by letter, the model could not learn to emit it and generation
  // could not detect it.
  chat.end_of_turn_ = tokenizer.id_of(stop);
  require(
      chat.end_of_turn_ >= 0, "the template \"", chat.name_, "\" ends an answer with ", stop,
      ", which is no token of this tokenizer; choose another with --template: ", list_of(names()));
  return chat;
}

ChatTemplate ChatTemplate::recognised(const Tokenizer& tokenizer) {
  if (tokenizer.chat_template().empty()) return named("plain", tokenizer);
  std::string jinja = normalised(tokenizer.chat_template());
  auto has = [&](const char* mark) { return jinja.find(mark) != jinja.npos; };
  for (auto& layout : chat_layouts())
    if (!layout.marks.empty() && std::all_of(layout.marks.begin(), layout.marks.end(), has) &&
        std::none_of(layout.others.begin(), layout.others.end(), has))
      return named(layout.name, tokenizer);
  fail("the model's chat template is none of those known; it begins \"",
       std::string(std::string_view(jinja).substr(0, 80)),
       "\". Choose the one that fits with --template: ", list_of(names()));
}

ChatTemplate ChatTemplate::choose(std::string_view name, const Tokenizer& tokenizer) {
  return name.empty() ? recognised(tokenizer) : named(name, tokenizer);
}

Rendered ChatTemplate::render(const std::vector<Message>& messages, bool ask) const {
  Rendered out;
  auto content_of = [&](const Message& message) {
    return layout_->trims ? trimmed(message.content) : std::string_view(message.content);
  };
  out.text = filled(layout_->begin);
  bool has_system = !messages.empty() && messages[0].role == "system";
  std::string system = layout_->system_lead;
  system += !has_system               ? std::string_view(default_system_)
            : layout_->system_in_user ? messages[0].content
                                      : content_of(messages[0]);
  std::string inserted;  // Llama 2 puts the system text into the first user turn
  if (has_system || layout_->default_system) {
    std::string turn = filled(layout_->system.before) + system + filled(layout_->system.after);
    (layout_->system_in_user ? inserted : out.text) += turn;
  }
  // Looks only at the text so far, so that a prompt is tokenised in generation as it was in
  // training.
  auto separate_turns = [&] {
    bool open = layout_->separates_turns && !out.text.empty() && !out.text.ends_with(eos_);
    if (open && std::string_view(" \t\r\n").find(out.text.back()) == std::string_view::npos)
      out.text += '\n';
  };
  for (size_t i = has_system; i < messages.size(); ++i) {
    const Message& message = messages[i];
    auto content = content_of(message);
    separate_turns();
    if (message.role == "user") {
      std::string with_system = inserted + message.content;
      if (!inserted.empty()) content = trimmed(with_system);
      ((out.text += filled(layout_->user.before)) += content) += filled(layout_->user.after);
      inserted.clear();
    } else if (message.role == "assistant") {
      out.text += filled(layout_->assistant);
      int64_t begin = int64_t(out.text.size());
      ((out.text += layout_->lead) += content) += filled(layout_->stop);
      out.answers.push_back({begin, int64_t(out.text.size())});
      out.text += filled(layout_->gap);
    } else {
      fail("a message has the role \"", message.role, "\" at place ", i + 1,
           "; expected user or assistant, and system only as the first");
    }
  }
  if (ask) {
    separate_turns();
    out.text += filled(layout_->assistant);
  }
  return out;
}

}  // namespace afina
