// Modelfiles: FROM, TEMPLATE (a Go template) and PARAMETER.
#include "tools/runs/modelfile.h"

#include <cstdio>

#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

// Contents by which a rendered text is cut; no template has these words of its own.
const std::string system_text = "Qsystemq",
                  ends[] = {"Qoneq", "Qtwoq", "Qthreeq", "Qfourq", "Qfiveq"};

std::vector<Message> conversation(const std::string& system,
                                  const std::vector<std::string>& turns) {
  std::vector<Message> all;
  if (!system.empty()) all.push_back({"system", system});
  for (size_t i = 0; i < turns.size(); ++i) all.push_back({i % 2 ? "assistant" : "user", turns[i]});
  return all;
}

// The texts between `marks`, which must come once each and in this order.
std::vector<std::string> between(const std::string& text, const std::vector<std::string>& marks,
                                 const std::string& name) {
  std::vector<std::string> pieces;
  size_t from = 0;
  for (const std::string& mark : marks) {
    const size_t at = text.find(mark, from);
    require(
        at != text.npos && text.find(mark, at + 1) == text.npos, "the chat template '", name,
        "' does not write every turn once and in order, so that no TEMPLATE of Ollama says it; ",
        "export the GGUF file alone (--to gguf)");
    pieces.push_back(text.substr(from, at - from));
    from = at + mark.size();
  }
  pieces.push_back(text.substr(from));
  return pieces;
}

// Text in a Go template: two braces would begin an action.
std::string literal(const std::string& text) {
  require(text.find("\"\"\"") == text.npos,
          "the chat template writes three quotation marks, which ",
          "a Modelfile cannot quote; export the GGUF file alone (--to gguf)");
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "{{") != 0) {
      out += text[i];
      continue;
    }
    out += "{{ \"{{\" }}";
    ++i;
  }
  return out;
}

// The same without a beginning that the program puts there itself.
std::string without(const std::string& text, const std::string& beginning) {
  return !beginning.empty() && text.starts_with(beginning) ? text.substr(beginning.size()) : text;
}

std::string parameters(const Json& generation) {
  if (!generation.is_object()) return "";
  std::string out;
  auto put = [&](const char* name, const Json& value) {
    if (!value.is_number()) return;
    char text[40];
    std::snprintf(text, sizeof text, "PARAMETER %s %g\n", name, value.get<double>());
    out += text;
  };
  // transformers draws only where do_sample says so; else it takes the likeliest token.
  const Json draws = generation.value("do_sample", Json());
  if (draws.is_boolean() && !draws.get<bool>()) put("temperature", Json(0));
  else
    for (auto [key, name] : {std::pair("temperature", "temperature"), std::pair("top_k", "top_k"),
                             std::pair("top_p", "top_p"), std::pair("min_p", "min_p")})
      put(name, generation.value(key, Json()));
  put("repeat_penalty", generation.value("repetition_penalty", Json()));
  return out;
}

}  // namespace

std::string with_turn_texts(const TurnTexts& texts, const std::string& system,
                            const std::vector<std::string>& turns) {
  std::string out;
  for (size_t i = 0; i < turns.size(); ++i) {
    if (i % 2) out += texts.answer;
    else if (i > 0) out += texts.next;
    else out += system.empty() ? texts.first : texts.system + system + texts.ask;
    out += turns[i];
  }
  return out + texts.open;
}

TurnTexts turn_texts(const ChatTemplate& chat) {
  const std::string& name = chat.name();
  const std::vector<std::string> three(ends, ends + 3), five(ends, ends + 5);
  TurnTexts texts;
  std::vector<std::string> plain = between(chat.text(conversation("", three), true), three, name);
  texts.first = plain[0];
  texts.answer = plain[1];
  texts.next = plain[2];
  texts.open = plain[3];
  bool takes_system = true;
  try {
    std::vector<std::string> marks = {system_text};
    marks.push_back(ends[0]);
    const std::string text = chat.text(conversation(system_text, {ends[0]}), true);
    std::vector<std::string> with = between(text, marks, name);
    texts.system = with[0];
    texts.ask = with[1];
  } catch (const Error&) {
    takes_system = false;  // such a text goes before the first question
    texts.system = texts.first;
    texts.ask = "\n\n";
  }
  for (const std::string& system : {std::string(), system_text})
    for (size_t turns : {1, 3, 5}) {
      if (!system.empty() && !takes_system) continue;
      const std::vector<std::string> some(ends, ends + turns);
      require(chat.text(conversation(system, some), true) == with_turn_texts(texts, system, some),
              "the chat template '", name, "' writes other texts in a conversation of ", turns,
              " turns", system.empty() ? "" : " with a system text",
              " than in a short one, so that no TEMPLATE of Ollama says it; export the GGUF file ",
              "alone (--to gguf)");
    }
  // Ollama's templates have no date that is written as this one writes it.
  require(
      chat.date_note().empty(), "the chat template '", name,
      "' writes today's date (strftime_now), which a TEMPLATE of Ollama would hold at one day; ",
      "export the GGUF file alone (--to gguf), or train with a template that writes none");
  return texts;
}

bool trims_turns(const ChatTemplate& chat) {
  const std::string blanks = " " + ends[0] + " ";
  return chat.text(conversation("", {blanks}), true).find(blanks) == std::string::npos;
}

std::string modelfile(const ChatTemplate* chat, const ModelfileOptions& options) {
  std::string out = "# Made by afina; 'ollama create NAME -f Modelfile' in this folder.\nFROM ./" +
                    options.file + "\n";
  if (chat) {
    const TurnTexts texts = turn_texts(*chat);
    const std::string first = literal(without(texts.first, options.bos)),
                      system = literal(without(texts.system, options.bos));
    // Ollama gives the system text apart and among the messages, where it is passed over.
    out +=
        "TEMPLATE \"\"\"{{ $first := true }}{{ range .Messages }}{{ if eq .Role \"user\" }}"
        "{{ if $first }}{{ if $.System }}" +
        system + "{{ $.System }}" + literal(texts.ask) + "{{ else }}" + first +
        "{{ end }}{{ else }}" + literal(texts.next) + "{{ end }}{{ $first = false }}" +
        "{{ .Content }}{{ else if eq .Role \"assistant\" }}" + literal(texts.answer) +
        "{{ .Content }}{{ end }}{{ end }}" + literal(texts.open) + "\"\"\"\n";
  }
  for (const std::string& stop : options.stops) {
    require(
        stop.find_first_of("\"\n\r\\") == stop.npos, "the end token ", stop,
        " has a character that a Modelfile cannot quote; export the GGUF file alone (--to gguf)");
    out += "PARAMETER stop \"" + stop + "\"\n";
  }
  return out + parameters(options.generation);
}

}  // namespace afina
