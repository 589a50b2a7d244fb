// The answers of a conversation by what its template marks as the assistant's ({% generation %}).
#pragma once
#include <string>
#include <vector>

#include "data/chat_state.h"

namespace afina {

// What messages call turn i (from 0): "turn 2 (assistant)".
std::string turn_name(const std::vector<Message>& messages, size_t i);

// The marks, as bytes of whole.text, that lie in the wanted turns. `whole` is the rendered
// conversation, `assistant` and `wanted` the numbers (ascending, from 0) of the assistant's turns
// and of those that are targets, which `answers` asked for. Throws where nothing is marked in the
// wanted turns, and where it is not certain which turn a mark belongs to.
std::vector<Range> marked_answers(const jinja::Rendered& whole,
                                  const std::vector<size_t>& assistant,
                                  const std::vector<size_t>& wanted, const Rendering& rendering,
                                  const std::vector<Message>& messages, Answers answers);

}  // namespace afina
