// The known chat templates, written as the text before and after each turn.
#pragma once
#include <vector>

namespace afina {

// Text before and after the content of a turn.
struct TurnMarks {
  const char *before = "", *after = "";
};

// {bos} and {eos} in a text stand for the tokenizer's tokens.
struct ChatLayout {
  const char* name;
  // A Jinja template is recognised as this layout if it contains all of `marks` and none of
  // `others`.
  std::vector<const char*> marks = {}, others = {};
  const char* begin = "";
  TurnMarks system = {}, user = {};
  const char* assistant = "";
  // Begins an answer. A target like the answer itself, because it forms one token with the
  // first word.
  const char* lead = "";
  const char* stop = "{eos}";  // ends an answer; a target
  const char* gap = "";        // between an answer and the next turn; not a target
  // Used when the messages have no system turn; null: then there is no system turn.
  const char* default_system = nullptr;
  const char* system_lead = "";  // begins every system text
  bool trims = false;            // strips white space around each message
  bool system_in_user = false;   // the system text is part of the first user turn
  // For layouts without marks: a turn that does not end in white space is followed by a
  // newline.
  bool separates_turns = false;
};

// All layouts in the order in which recognition tries them: stricter ones before more general ones.
const std::vector<ChatLayout>& chat_layouts();

}  // namespace afina
