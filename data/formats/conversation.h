// Shared by the two formats that hold whole conversations.
#pragma once
#include "data/examples.h"

namespace afina {

// Reads the turns of `field`: an array of objects with the role under `role` and the text under
// `content`. Role names of other tools ("human", "gpt", ...) are translated. A turn's weight, train
// or loss says whether it is trained; its other keys are kept for the template. Throws on unknown
// roles, and on marks that mean neither yes nor no.
Example read_conversation(const Record& record, const std::string& field, const std::string& role,
                          const std::string& content);

}  // namespace afina
