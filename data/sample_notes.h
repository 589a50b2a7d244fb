// What is said of samples: keys that nothing reads, records that were left out.
#pragma once
#include <string>
#include <vector>

#include "data/batches.h"

namespace afina {

// Notes on what nothing has read: keys of records, and keys of turns that the template does not
// mention. Each once, with the number of records or turns that have it. answers: are answers
// trained alone?
std::vector<std::string> notes_on(const std::vector<Example>& examples, const ChatTemplate& chat,
                                  bool answers);

}  // namespace afina
