// Ollama's Modelfile for a GGUF file beside it.
#pragma once
#include <string>
#include <vector>

#include "data/chat_template.h"

namespace afina {

// What a chat template writes around turns, found by rendering conversations with it: Ollama's
// templates are another language, and it does not run the one in the GGUF file.
struct TurnTexts {
  std::string first;         // before the first question, without a system text
  std::string system, ask;   // with one: before it, and between it and the first question
  std::string answer, next;  // between a question and its answer, an answer and the next question
  std::string open;          // after the last question: where the answer begins
};
// An Error where the template does more than that (another text for later turns, other words in a
// system text, today's date), so that no such texts say it.
TurnTexts turn_texts(const ChatTemplate& chat);
// Does the template take blanks off the ends of what was said? Ollama's cannot.
bool trims_turns(const ChatTemplate& chat);
// A conversation of a question, an answer, a question, ... with these texts, as the Go template
// puts it together. system: may be empty.
std::string with_turn_texts(const TurnTexts& texts, const std::string& system,
                            const std::vector<std::string>& turns);

struct ModelfileOptions {
  std::string file;                // "model.gguf", in the same folder
  std::vector<std::string> stops;  // texts of all tokens at which an answer ends
  std::string bos;                 // text of a token that Ollama puts before the prompt; or empty
  Json generation;                 // generation_config.json; null: none
};
// The Modelfile's text. chat: nullptr for a model without a template: then it has no TEMPLATE, and
// Ollama gives the model what is typed. Errors: those of turn_texts, and texts that a Modelfile
// cannot quote.
std::string modelfile(const ChatTemplate* chat, const ModelfileOptions& options);

}  // namespace afina
