// votes.html: which of two answers is better, without saying whose they are.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

// A conversation with the answers of several models.
struct VoteRow {
  struct Turn {
    std::string role, text;
  };
  struct Answer {
    std::string model, text;
  };
  std::string place;
  std::vector<Turn> turns;  // all that the models read before they answered
  std::vector<Answer> answers;
};
struct VotePage {
  std::string html;
  int64_t pairs = 0;  // of answers that are shown
};
// The page, complete in itself and without network. Every pair of answers that differ is shown, in
// an order, and with a left and a right, that follow from the seed; pairs beyond 200 are left out.
// The reader's votes stay in the page until they are saved as votes.json. All texts are put into
// the page as data and shown as text.
VotePage vote_page(const std::vector<VoteRow>& rows, const std::string& described, uint64_t seed);

}  // namespace afina
