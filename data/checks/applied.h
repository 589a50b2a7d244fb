// What an answer says of the case that was asked about, beside what it says in general.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

// Which sentences of an answer apply what it says to the case that was asked about: they have a
// value of the question that no other sentence of the answer has. "Refunds end after 48 hours. With
// nine days to go you get all of it." Sentences that ask claim nothing either.
void find_applied(const Corpus& corpus, const Answer& answer, std::vector<bool>& applied);

}  // namespace afina
