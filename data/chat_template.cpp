// Chat templates: which one is taken, and what it tells about its turns.
#include "data/chat_template.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "data/builtin_templates.h"
#include "data/chat_state.h"
#include "data/jinja/dates.h"
#include "data/tokenizer/template_files.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

namespace afina {

namespace {

constexpr const char* own_name = "the model's chat template";
constexpr size_t largest_file = size_t(4) << 20;

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// Looks at a short conversation: the special tokens around its turns and the one that ends an
// answer. A template that cannot render it tells nothing.
void look_at_turns(ChatTemplate::State& state, const Tokenizer& tokenizer) {
  for (const AddedToken& token : tokenizer.added_tokens())
    if (token.special && !token.content.empty()) state.special.push_back(token.content);
  std::stable_sort(state.special.begin(), state.special.end(),
                   [](auto& a, auto& b) { return a.size() > b.size(); });
  const std::string answer = "afina-answer";
  std::string text, prompt;
  try {
    const Rendering turns(state, {{"user", "afina-question"}, {"assistant", answer}}, {});
    text = turns.whole().text;
    prompt = turns.first(1, true).text;
  } catch (const Error&) { return; }
  state.asked_for_date = false;
  const size_t at = text.rfind(answer);
  // What the prompt for an answer leaves to the model before the answer itself.
  const size_t asked = prompt.size();
  if (at != text.npos && text.starts_with(prompt) && asked <= at &&
      !state.main.jinja->marks_generation())
    state.lead = text.substr(asked, at - asked);
  if (at != text.npos) state.after_answer = text.substr(at + answer.size());
  const std::string& after = state.after_answer;
  size_t first = after.npos;
  auto try_end = [&](const std::string& token, int32_t id) {
    const size_t place = token.empty() ? after.npos : after.find(token);
    if (place == after.npos || place > first) return;
    if (place == first && token.size() <= state.end_text.size()) return;
    first = place;
    state.end_text = token;
    state.end_of_turn = id;
  };
  for (const AddedToken& token : tokenizer.added_tokens()) {
    try_end(token.content, token.id);
    if (token.special && !token.content.empty() && text.find(token.content) != text.npos)
      state.marks.push_back(token.id);
  }
  if (tokenizer.eos() >= 0) try_end(tokenizer.token_text(tokenizer.eos()), tokenizer.eos());
  if (state.end_of_turn < 0)
    if (const std::string all = trimmed(after); tokenizer.id_of(all) >= 0)
      try_end(all, tokenizer.id_of(all));
}

bool contains_word(std::string_view text, std::string_view word) {
  auto in_word = [&](size_t at) {
    return at < text.size() && (std::isalnum(uint8_t(text[at])) || text[at] == '_');
  };
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1))
    if (!(at > 0 && in_word(at - 1)) && !in_word(at + word.size())) return true;
  return false;
}

std::string names_of(const std::vector<NamedTemplate>& templates) {
  std::string text;
  for (auto& one : templates) text += (text.empty() ? "" : ", ") + one.name;
  return text;
}

using Maker = std::shared_ptr<ChatTemplate::State>;

void set_date(ChatTemplate::State& state, const std::string& date) {
  state.date = date;
  try {
    state.now = jinja::seconds_of_date(date);
  } catch (const Error& error) { fail("--date: ", error.what()); }
}

// A template of the model, of its adapter or of a file: with the tokens that the files name.
Maker of_text(const std::string& name, const std::string& source, const Tokenizer& tokenizer,
              const std::string& date) {
  auto state = std::make_shared<ChatTemplate::State>(name, source);
  set_date(*state, date);
  for (auto& [role, token] : tokenizer.named_tokens()) state->tokens.set(role, token);
  look_at_turns(*state, tokenizer);
  return state;
}

// A built-in template for a tokenizer that puts a token before every text writes that token, where
// it does not begin with it anyway: then it stands in the template that is written, too.
std::string begun(const std::string& jinja, const Tokenizer& tokenizer) {
  const std::vector<int32_t>& before = tokenizer.before_text();
  if (before.empty() || contains_word(jinja, "bos_token")) return jinja;
  ChatTemplate::State as_it_is("built-in", jinja);
  std::string first;
  for (int32_t id : before) first += tokenizer.token_text(id);
  as_it_is.tokens.set("eos_token", "");
  const std::string text =
      Rendering(as_it_is, {{"user", "a"}, {"assistant", "b"}}, {}).whole().text;
  if (text.starts_with(first)) return jinja;
  if (before == std::vector<int32_t>{tokenizer.bos()}) return "{{- bos_token -}}\n" + jinja;
  return "{{- " + to_text(Json(first), -1) + " -}}\n" + jinja;
}

Maker of_name(const std::string& name, const Tokenizer& tokenizer, const std::string& date) {
  const BuiltinTemplate* found = builtin_template(name);
  require(found, "there is no template \"", name, "\"; known are ", builtin_template_names());
  auto state = std::make_shared<ChatTemplate::State>(found->name, begun(found->jinja, tokenizer));
  state->builtin = state->chosen = true;
  set_date(*state, date);
  auto give = [&](const char* role, int32_t id, const char* does) {
    if (id >= 0) state->tokens.set(role, tokenizer.token_text(id));
    require(id >= 0 || !contains_word(found->jinja, role), "the template \"", name, "\" ", does,
            ", but the tokenizer has none that is known; name it in tokenizer_config.json (", role,
            ")");
  };
  give("bos_token", tokenizer.bos(), "begins with the token that begins a text");
  give("eos_token", tokenizer.eos(), "ends an answer with the end-of-text token");
  look_at_turns(*state, tokenizer);
  // If the mark were spelled letter by letter, the model could not learn to emit it and generation
  // could not detect it.
  require(state->end_of_turn >= 0, "the template \"", name, "\" ends an answer with ",
          trimmed(state->after_answer), ", which is no token of this tokenizer; choose another ",
          "with --template: ", builtin_template_names());
  return state;
}

// One of the model's own templates; the one called "default" where `name` is empty.
Maker of_model(const std::string& name, const Tokenizer& tokenizer, const std::string& date) {
  const auto& all = tokenizer.chat_templates();
  const std::string wanted = name.empty() ? "default" : name;
  auto found = std::find_if(all.begin(), all.end(), [&](auto& t) { return t.name == wanted; });
  if (found == all.end()) {
    auto state = std::make_shared<ChatTemplate::State>(own_name, "");
    state->main.broken = "the model has several chat templates (" + names_of(all) +
                         ") and none called default; choose one with --template";
    set_date(*state, date);
    return state;
  }
  const bool is_default = wanted == "default";
  auto state = of_text(is_default ? own_name : own_name + (" \"" + wanted + "\""), found->text,
                       tokenizer, date);
  state->chosen = !is_default;
  if (name.empty())
    for (auto& one : all)
      if (one.name == "tool_use")
        state->with_tools =
            std::make_unique<ParsedTemplate>(own_name + std::string(" \"tool_use\""), one.text);
  return state;
}

Maker chosen_state(const TemplateChoice& choice, const Tokenizer& tokenizer) {
  const auto& own = tokenizer.chat_templates();
  if (const std::string& name = choice.name; !name.empty()) {
    auto called = [&](auto& one) { return one.name == name; };
    if (std::any_of(own.begin(), own.end(), called)) return of_model(name, tokenizer, choice.date);
    if (builtin_template(name)) return of_name(name, tokenizer, choice.date);
    std::error_code ignored;
    require(std::filesystem::is_regular_file(name, ignored), "--template: there is no template \"",
            name, "\" and no file of this name; known are ",
            own.empty() ? "" : names_of(own) + " (the model's own), ", builtin_template_names());
    Maker state = of_text(name, read_text_file(name, largest_file), tokenizer, choice.date);
    state->chosen = true;
    return state;
  }
  if (!choice.adapter.empty())
    for (auto& one : templates_of_folder(choice.adapter))
      if (one.name == "default") {
        Maker state =
            of_text("the chat template of " + choice.adapter, one.text, tokenizer, choice.date);
        state->chosen = one.text != tokenizer.chat_template();
        return state;
      }
  if (!own.empty()) return of_model("", tokenizer, choice.date);
  Maker state = of_name("plain", tokenizer, choice.date);
  state->chosen = false;
  return state;
}

}  // namespace

ParsedTemplate::ParsedTemplate(std::string n, std::string text)
    : name(std::move(n)), source(std::move(text)) {
  try {
    jinja = std::make_unique<afina::jinja::Template>(source, name);
  } catch (const Error& error) {
    broken = std::string(error.what()) + ". Another is chosen with --template";
  }
}

const jinja::Template& ParsedTemplate::usable() const {
  require(broken.empty(), broken);
  return *jinja;
}

ChatTemplate ChatTemplate::choose(const TemplateChoice& choice, const Tokenizer& tokenizer) {
  return ChatTemplate(chosen_state(choice, tokenizer));
}

ChatTemplate ChatTemplate::named(std::string_view name, const Tokenizer& tokenizer) {
  return ChatTemplate(of_name(std::string(name), tokenizer, TemplateChoice::default_date));
}

ChatTemplate ChatTemplate::own(const Tokenizer& tokenizer) { return choose({}, tokenizer); }

std::vector<std::string> ChatTemplate::names() {
  std::vector<std::string> all;
  for (auto& one : builtin_templates()) all.push_back(one.name);
  return all;
}

const std::string& ChatTemplate::name() const { return state_->main.name; }
const std::string& ChatTemplate::source() const { return state_->main.source; }
bool ChatTemplate::chosen() const { return state_->chosen; }
int32_t ChatTemplate::end_of_turn() const { return state_->end_of_turn; }
const std::vector<int32_t>& ChatTemplate::marks() const { return state_->marks; }

bool ChatTemplate::mentions(const std::string& key) const {
  auto is = [&](const char* name) { return key == name; };
  if (std::any_of(std::begin(reasoning_keys), std::end(reasoning_keys), is))
    return std::any_of(std::begin(reasoning_keys), std::end(reasoning_keys),
                       [&](const char* name) { return mentions_word(name); });
  return mentions_word(key);
}

bool ChatTemplate::mentions_word(const std::string& key) const {
  return contains_word(state_->main.source, key) ||
         (state_->with_tools && contains_word(state_->with_tools->source, key));
}

std::string ChatTemplate::lead_note() const {
  if (trimmed(state_->lead).empty()) return "";
  std::string lead;  // on one line
  for (char c : state_->lead) lead += c == '\n' ? std::string("\\n") : std::string(1, c);
  return state_->main.name + " begins an answer with \"" + lead +
         "\", which the prompt for it does not have: the model learns to write that";
}

std::string ChatTemplate::date_note() const {
  if (!state_->asked_for_date) return "";
  return "the chat template writes today's date; " + state_->date +
         " is put there, so that the same data gives the same tokens on every day (--date "
         "YYYY-MM-DD: another)";
}

}  // namespace afina
