// The normalisation of SentencePiece (precompiled_charsmap): a double-array trie from characters to
// what stands for them.
#include "data/tokenizer/precompiled.h"

#include "data/tokenizer/graphemes.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

constexpr size_t longest_cluster = 5;  // bytes of a cluster that is looked up as a whole

std::string from_base64(std::string_view text, const std::string& where) {
  auto refuse = [&](size_t at) {
    fail(where, ": precompiled_charsmap: expected base64, found something else at character ", at);
  };
  if (text.size() % 4 != 0) refuse(text.size());
  size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=') --digits;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  int count = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char c = text[i];
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) refuse(i);
    bits = bits << 6 | uint32_t(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += char(bits >> count & 0xFF);
    }
  }
  if (bits & ((1u << count) - 1)) refuse(digits - 1);
  return bytes;
}

uint32_t number_at(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t(uint8_t(bytes[at + i])) << 8 * i;
  return value;
}

// A unit of darts-clone: the label of the way that leads here, the offset of the children, whether
// a key ends here; or the value of a key.
bool ends_key(uint32_t unit) { return unit >> 8 & 1; }
uint32_t value_of(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label_of(uint32_t unit) { return unit & 0x800000FF; }
uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }

}  // namespace

Precompiled::Precompiled(std::string_view base64, const std::string& where) : where_(where) {
  const std::string bytes = from_base64(base64, where);
  require(bytes.size() >= 4, where, ": precompiled_charsmap: expected a trie, found ", bytes.size(),
          " bytes");
  const size_t count = number_at(bytes, 0) / 4;
  require(count <= (bytes.size() - 4) / 4, where, ": precompiled_charsmap: expected a trie of ",
          count * 4, " bytes, but ", bytes.size() - 4, " follow");
  for (size_t i = 0; i < count; ++i) units_.push_back(number_at(bytes, 4 + 4 * i));
  texts_ = bytes.substr(4 + 4 * count);
  require(is_utf8(texts_), where, ": precompiled_charsmap: its texts are not UTF-8");
}

// The text for the shortest key that `piece` begins with.
std::optional<std::string_view> Precompiled::replacement_of(std::string_view piece) const {
  if (units_.empty()) return {};
  size_t at = offset_of(units_[0]);
  for (char c : piece) {
    const uint8_t byte = uint8_t(c);
    at ^= byte;
    if (byte == 0 || at >= units_.size() || label_of(units_[at]) != byte) return {};
    const bool ends = ends_key(units_[at]);
    at ^= offset_of(units_[at]);
    if (!ends) continue;
    const size_t begin = at < units_.size() ? value_of(units_[at]) : texts_.size() + 1;
    require(begin <= texts_.size() &&
                (begin == texts_.size() || (uint8_t(texts_[begin]) & 0xC0) != 0x80),
            where_, ": precompiled_charsmap: what stands for \"", std::string(piece),
            "\" lies outside of its texts or within a character");
    const std::string_view text = std::string_view(texts_).substr(begin);
    return text.substr(0, text.find('\0'));
  }
  return {};
}

TracedText Precompiled::apply(const TracedText& text, TextStore& store) const {
  Rewriting out(text, store);
  size_t done = 0;
  bool changed = false;
  auto replace = [&](size_t begin, size_t end) {
    auto to = replacement_of(text.bytes.substr(begin, end - begin));
    if (!to) return false;
    out.keep(done, begin);
    out.put(*to, begin);
    done = end;
    changed = true;
    return true;
  };
  for (size_t at = 0; at < text.bytes.size();) {
    const size_t end = grapheme_end(text.bytes, at);
    if (end - at > longest_cluster || !replace(at, end))
      for (size_t part = at; part < end;) {
        const size_t next = part + character_at(text.bytes, part).bytes;
        replace(part, next);
        part = next;
      }
    at = end;
  }
  if (!changed) return text;
  out.keep(done, text.bytes.size());
  out.begin_at_start();  // as in the library, where Metaspace may ask for it
  return out.finish();
}

}  // namespace afina
