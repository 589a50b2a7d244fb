// Personal data that words tell: numbers of documents and accounts, and addresses of homes.
#pragma once
#include <string>
#include <string_view>

namespace afina {

// Ends of what begins at `at`, the first byte of a word; 0: nothing. low: the text in lower case,
// byte for byte as long.
// "passport no. PAB 771204": the name of a document, then a number of six digits or more.
size_t document_at(std::string_view text, std::string_view low, size_t at);
// "40-12-76, account 30918254": a British sort code near the number of an account.
size_t sort_code_at(std::string_view text, std::string_view low, size_t at);
// "14 Larkspur Close", "BD23 6DD", "calle Labradores, 34".
size_t address_at(std::string_view text, std::string_view low, size_t at);
// Does one of some words stand in the 60 bytes before `at`?
bool tells_account(std::string_view low, size_t at);
bool tells_card(std::string_view low, size_t at);

}  // namespace afina
