// What the two formats of whole conversations have in common.
#pragma once
#include "data/examples.h"

namespace afina {

// The turns of `field`, each an object with its role under `role` and its text under `content`;
// role names of other tools are translated.
Example read_conversation(const Record& record, const std::string& field, const std::string& role,
                          const std::string& content);

}  // namespace afina
