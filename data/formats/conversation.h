// Shared by the formats that hold whole conversations.
#pragma once
#include "data/examples.h"

namespace afina {

// Reads the turns of `field`: an array of objects with the role under `role` and the text under
// `content`, or, where --fields name neither and the turns have neither, under the names of the
// other of the two common forms (role and content; from and value). Role names of other tools
// ("human", "gpt", ...) are translated. A text may be a number, or parts of type text, which are
// joined. A turn's weight, train or loss says whether it is trained; its other keys are kept for
// the template. Throws on unknown roles, and on marks that mean neither yes nor no.
Example read_conversation(const Record& record, const std::string& field, const std::string& role,
                          const std::string& content);
// The turns of a field alone, which are added to the example.
void read_turns(const Record& record, const std::string& field, const std::string& role,
                const std::string& content, Example& example);

// The turns before of `history`, which pairs questions and answers: [["Q", "A"], ...].
void read_history(const Record& record, Example& example);

}  // namespace afina
