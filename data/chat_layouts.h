// The chat templates afina knows, as the texts around the turns.
#pragma once
#include <vector>

namespace afina {

struct TurnMarks {
  const char *before = "", *after = "";
};

// {bos} and {eos} stand for those tokens.
struct ChatLayout {
  const char* name;
  // A Jinja text is of this kind if it has all the marks and none of the others.
  std::vector<const char*> marks = {}, others = {};
  const char* begin = "";
  TurnMarks system = {}, user = {};
  const char* assistant = "";
  const char* lead =
      "";  // begins an answer and is learnt with it, because it is one token with the first word
  const char* stop = "{eos}";  // ends an answer and is learnt
  const char* gap = "";        // between an answer and the next turn; not learnt
  const char* default_system =
      nullptr;                   // for messages without a system turn; null: then there is none
  const char* system_lead = "";  // begins every system text
  bool trims = false;            // content loses the white space around it
  bool system_in_user = false;   // the system text is part of the first user turn
  bool parts_turns =
      false;  // without marks: a turn that does not end in white space is followed by a newline
};

// Those that ask for more come before those that ask for less of the same.
const std::vector<ChatLayout>& chat_layouts();

}  // namespace afina
