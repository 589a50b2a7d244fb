// What a sentence is by its form alone: an order, a reply, a short form.
#pragma once
#include <string_view>
#include <vector>

#include "data/checks/words.h"

namespace afina {

bool is_yes_or_no(std::string_view lower_word);
// Begins with yes or no, or with what stands for them: a question of that kind is answered by that
// alone.
bool says_yes_or_no(std::string_view text);
// Has the word an apostrophe within?
bool has_apostrophe(std::string_view word);
// Does the sentence tell the reader to do something: does it begin with a verb, as far as it shows?
// words: split_words() of the text.
bool is_order(std::string_view text, const std::vector<Word>& words);
// How many of its words stand for something that is not named: it, that, where, somehow.
int pronouns_in(std::string_view text, const std::vector<Word>& words);

}  // namespace afina
