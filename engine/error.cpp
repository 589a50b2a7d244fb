// The text of an Error, from its words.
#include "engine/error.h"

#include <sstream>

namespace afina::error_detail {

void fail(const Word* words, size_t count) {
  std::ostringstream text;
  for (size_t i = 0; i < count; ++i) {
    const Word& word = words[i];
    switch (word.kind) {
      case Word::text: text.write(word.characters, std::streamsize(word.size)); break;
      case Word::letter: text << char(word.integer); break;
      case Word::truth: text << bool(word.integer); break;
      case Word::signed_integer: text << word.integer; break;
      case Word::unsigned_integer: text << word.natural; break;
      case Word::real: text << word.number; break;
      case Word::other: word.print(text, word.object); break;
    }
  }
  throw Error(text.str());
}

}  // namespace afina::error_detail
