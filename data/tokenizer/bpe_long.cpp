// Byte-pair encoding of long words in time that grows with their length alone.
//
// A sequence of tokens is what the merges make of a word if, and only if, each two neighbours are
// what the merges make of the text of these two:
// - If they are: no merge ever joined across a boundary between tokens. What happened within two
//   neighbours happened in the order of its ranks, as if they stood alone.
// - If each two are, but the word's tokens were others: take the first merge that joins across a
//   boundary. Up to then all merges within the two tokens at that boundary were those that they see
//   alone, and the next is of the lowest rank in the word, so in the two as well: alone they would
//   have been joined, too.
// So a long word is encoded in windows, and only where two windows meet is anything to be checked.
#include "data/tokenizer/bpe_work.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

// Classes of characters: few enough for a small table of pairs, and the mark for a space alone in
// its own.
constexpr size_t classes = 512;
size_t class_of(uint32_t code) {
  if (code < 128) return code;
  if (code == 0x2581) return 128;
  return 129 + (code * 0x9E3779B1u >> 16) % (classes - 129);
}

size_t first_class(std::string_view text) { return class_of(character_at(text, 0).code); }
size_t last_class(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (uint8_t(text[at]) & 0xC0) == 0x80) --at;
  return class_of(character_at(text, at).code);
}

}  // namespace

// Finds the pairs of characters that some merge joins: elsewhere a word can be cut, and the pieces
// (for vocabularies of SentencePiece, where a whole text is one word, its words) can be cached.
void Bpe::find_cuts(const std::vector<Merge>& merges) {
  // Not where symbols reach across characters or are parts of them, nor where a piece could be
  // taken for a word of the vocabulary.
  if (options_.symbols != Symbols::characters || options_.ignore_merges || !options_.byte_fallback)
    return;
  struct Ends {
    uint16_t first, last;
  };
  std::vector<Ends> ends;
  for (auto& [token, id] : vocabulary_) {
    if (size_t(id) >= ends.size()) ends.resize(std::max(size_t(id) + 1, vocabulary_.size()));
    if (!token.empty())
      ends[size_t(id)] = {uint16_t(first_class(token)), uint16_t(last_class(token))};
  }
  for (int32_t id : bytes_) {
    if (id < 0) return;
    ends[size_t(id)].first = classes;  // a part of a character: no merge may have it
  }
  std::vector<uint64_t> joins(classes * classes / 64);
  for (const Merge& merge : merges) {
    const Ends left = ends[size_t(merge.left)], right = ends[size_t(merge.right)];
    if (left.first == classes || right.first == classes) return;
    const size_t bit = left.last * classes + right.first;
    joins[bit / 64] |= uint64_t(1) << bit % 64;
  }
  joins_ = std::move(joins);
}

void Bpe::encode_cut(std::string_view word, Work& work, std::vector<BpeToken>& out) const {
  // Of so few symbols the tokens are found faster than in the cache.
  constexpr size_t few = 4;
  BpeToken symbols[few];
  size_t begin = 0, before = 0, count = 0;
  bool known = true;
  auto piece = [&](size_t end) {
    const size_t first = out.size();
    if (count <= few && known) {
      count = merge_few(symbols, count);
      out.insert(out.end(), symbols, symbols + count);
    } else {
      encode_piece(word.substr(begin, end - begin), work, out);
      for (size_t i = first; i < out.size(); ++i) out[i].end += uint32_t(begin);
    }
    begin = end;
    count = 0;
    known = true;
  };
  for (size_t at = 0; at < word.size();) {
    const Character c = valid_character_at(word, at);
    const size_t now = class_of(c.code), bit = before * classes + now;
    if (at > begin && !(joins_[bit / 64] >> bit % 64 & 1)) piece(at);
    before = now;
    at += c.bytes;
    if (count < few) {
      const int32_t id = character_id(c.code);
      known &= id >= 0;
      symbols[count] = {id, uint32_t(at)};
    }
    ++count;
  }
  piece(word.size());
}

// Encodes a word of symbols that are all known; false if it is better done at once.
bool Bpe::merge_in_windows(const std::vector<BpeToken>& symbols, Work& work,
                           std::vector<BpeToken>& out) const {
  const size_t before = out.size(), count = symbols.size();
  std::vector<uint32_t>& firsts = work.firsts;  // the first symbol of each token from `before`
  std::vector<BpeToken>& part = work.part;
  firsts.clear();
  size_t at = 0, furthest = 0, window = Work::window;
  BpeToken expected = {-1, 0};  // the token that is known to fit behind what there is
  while (at < count) {
    if (window > 16 * Work::window) {  // the windows do not come to agree
      out.resize(before);
      return false;
    }
    const size_t end = std::min(count, at + window);
    part.assign(symbols.begin() + int64_t(at), symbols.begin() + int64_t(end));
    merge(part);
    const bool last = end == count;
    // What ends at the window's end may go on behind it: the last two are encoded again.
    const size_t kept = last ? part.size() : part.size() > 2 ? part.size() - 2 : 0;
    if (kept == 0) {
      window *= 2;
      continue;
    }
    if (!firsts.empty() && !(part[0] == expected)) {
      const size_t first = firsts.back();
      size_t behind = at;
      while (symbols[behind].end != part[0].end) ++behind;
      const BpeToken begin = out.back();
      work.pair.assign(symbols.begin() + int64_t(first), symbols.begin() + int64_t(behind + 1));
      merge(work.pair);
      if (work.pair.size() != 2 || !(work.pair[0] == begin && work.pair[1] == part[0])) {
        // Go back by a token; the window grows, so that this ends.
        at = first;
        expected = begin;
        out.pop_back();
        firsts.pop_back();
        window *= 2;
        continue;
      }
    }
    for (size_t i = 0; i < kept; ++i) {
      firsts.push_back(uint32_t(at));
      while (symbols[at].end != part[i].end) ++at;
      ++at;
      out.push_back(part[i]);
    }
    if (last) return true;
    expected = part[kept];
    if (at > furthest) window = Work::window;
    furthest = std::max(furthest, at);
  }
  return true;
}

}  // namespace afina
