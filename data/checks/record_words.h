// A record's whole text and words, for checks that compare records.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

// All turns, white space squeezed, each behind a mark of its role.
std::string record_text(const Corpus& corpus, uint32_t record);
// The words of all turns in their order, without marks.
void record_words(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out);
// What the record's people ask: the words of all turns before the last answer, without names.
void question_words(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out);
// Are the two answers about things of other names: has each a name, in what was asked and in its
// body, that the other has not there?
bool about_other_things(const Corpus& corpus, const Answer& one, const Answer& other);
// Each pair of neighbours of a list as one number, sorted, without repeats.
void shingles(const std::vector<uint64_t>& words, std::vector<uint64_t>& out);

}  // namespace afina
