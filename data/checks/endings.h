// How texts end: in the middle of a sentence, or as texts do.
#pragma once
#include <unordered_set>

#include "data/checks/corpus.h"

namespace afina {

// What ends a sentence or a text: . ! ? : ) ] } " ' * ` and the like.
bool ends_closed(std::string_view text);

// Tells cut texts from others by what the file's own texts end with.
class Endings {
 public:
  explicit Endings(const Corpus& corpus);
  // How certain it is that the answer stops in the middle; 0: it does not.
  double cut(const Answer& answer) const;
  // The same for a plain text.
  double cut_text(std::string_view text) const;

 private:
  double open_end(std::string_view text, double closed_share) const;
  uint64_t line_hash(std::string_view line) const;
  void find_continued();
  const Corpus& corpus_;
  std::unordered_set<uint64_t> continued_;
  double closed_answers_ = 0, closed_texts_ = 0;
};

}  // namespace afina
