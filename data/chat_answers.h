// The answers of a conversation whose template does not mark them.
#pragma once
#include <string>
#include <vector>

#include "data/chat_state.h"

namespace afina {

// The answers of the wanted turns (numbers from 0, ascending, which `answers` asked for) as bytes
// of `text`, the rendered conversation: found by rendering parts of it. Throws where it is not
// certain which bytes the assistant writes, with what to do.
std::vector<Range> rendered_answers(const ChatTemplate::State& state, const Rendering& rendering,
                                    const std::vector<Message>& messages, const std::string& text,
                                    const std::vector<size_t>& wanted, Answers answers);

}  // namespace afina
