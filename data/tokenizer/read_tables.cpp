// The two big tables of a tokenizer.json, read without a value for each of their entries.
#include "data/tokenizer/read_tables.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

// Thrown by nothing and caught by nothing: every function says false where the text is not what it
// reads.
class Reader {
 public:
  explicit Reader(const std::string& text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  bool read() {
    if (!next('{')) return false;
    bool found = false;
    const bool good = members([&](std::string_view key) {
      if (key != "model") return skip();
      if (found || !next('{')) return false;
      found = true;
      return members([&](std::string_view name) {
        if (name == "vocab") return cut([&] { return vocabulary(); });
        if (name == "merges") return cut([&] { return merges(); });
        return skip();
      });
    });
    space();
    if (!good || at_ != end_ || !has_vocabulary_) return false;
    if (merges_at_) {
      at_ = merges_at_;
      if (!merges()) return false;
    }
    if (!has_merges_) return false;
    tables_.rest.append(copied_, end_);
    return true;
  }
  BpeTables take() { return std::move(tables_); }

 private:
  void space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  // The next character that is no space, if it is this one.
  bool next(char c) {
    space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool peek(char c) {
    space();
    return at_ < end_ && *at_ == c;
  }

  // A text, as it stands in the file or decoded into `store`.
  bool string(std::string_view& out, std::string& store) {
    if (!next('"')) return false;
    const char* from = at_;
    bool escaped = false, ascii = true;
    if (!to_quote(escaped, ascii)) return false;
    out = {from, size_t(at_ - from)};
    ++at_;
    if (!ascii && !is_utf8(out)) return false;
    if (!escaped) return true;
    store.clear();
    if (!decode(out, store)) return false;
    out = store;
    return true;
  }
  // Goes to the quote that ends a text.
  bool to_quote(bool& escaped, bool& ascii) {
    constexpr uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
    while (true) {
      if (std::endian::native == std::endian::little && end_ - at_ >= 8) {
        uint64_t word;
        std::memcpy(&word, at_, 8);
        auto zero = [&](uint64_t x) { return (x - ones) & ~x & tops; };
        const uint64_t hits = zero(word ^ ones * '"') | zero(word ^ ones * '\\') |
                              ((word - ones * 0x20) & ~word & tops);
        if (word & tops) ascii = false;
        if (!hits) {
          at_ += 8;
          continue;
        }
        at_ += std::countr_zero(hits) / 8;
      }
      if (at_ == end_ || uint8_t(*at_) < 0x20) return false;
      if (*at_ == '"') return true;
      if (uint8_t(*at_) >= 0x80) ascii = false;
      if (*at_ == '\\') {
        escaped = true;
        if (++at_ == end_) return false;
      }
      ++at_;
    }
  }
  static bool decode(std::string_view text, std::string& out) {
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    auto unit = [&](size_t at, uint32_t& code) {
      code = 0;
      if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return false;
      for (size_t i = at + 2; i < at + 6; ++i) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';
        const char small = char(c | 0x20);
        if (!digit && (small < 'a' || small > 'f')) return false;
        code = code << 4 | uint32_t(digit ? c - '0' : small - 'a' + 10);
      }
      return true;
    };
    for (size_t at = 0; at < text.size();) {
      if (text[at] != '\\') {
        out += text[at++];
        continue;
      }
      const size_t letter = letters.find(text[at + 1]);
      if (letter != letters.npos) {
        out += meanings[letter];
        at += 2;
        continue;
      }
      uint32_t code, low;
      if (!unit(at, code)) return false;
      at += 6;
      if (code >= 0xDC00 && code < 0xE000) return false;
      if (code >= 0xD800 && code < 0xDC00) {
        if (!unit(at, low) || low < 0xDC00 || low >= 0xE000) return false;
        at += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      }
      append_utf8(out, code);
    }
    return true;
  }

  bool id(int32_t& out) {
    space();
    int64_t value = 0;
    const char* from = at_;
    for (; at_ < end_ && *at_ >= '0' && *at_ <= '9' && at_ - from < 11; ++at_)
      value = 10 * value + (*at_ - '0');
    if (at_ == from || (*from == '0' && at_ - from > 1) || value >= INT32_MAX) return false;
    out = int32_t(value);
    return at_ < end_ && *at_ != '.' && *at_ != 'e' && *at_ != 'E';
  }

  // The members of an object whose brace is read; `one` reads the value of a key.
  template <class One>
  bool members(One&& one) {
    std::string_view key;
    if (peek('}')) return next('}');
    do {
      if (!string(key, key_) || !next(':') || !one(key)) return false;
    } while (next(','));
    return next('}');
  }

  // A value that is none of the tables; what it is made of is looked at elsewhere.
  bool skip() {
    std::string_view ignored;
    int depth = 0;
    do {
      space();
      if (at_ == end_) return false;
      const char c = *at_;
      if (c == '"') {
        if (!string(ignored, skipped_)) return false;
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth == 0 && c != '}' && c != ']') {  // a number or a word
        while (at_ < end_ && !std::strchr(",}] \n\r\t", *at_)) ++at_;
        return true;
      }
      ++at_;
    } while (depth > 0);
    return true;
  }

  // Reads a table and leaves its insides out of the rest.
  template <class Read>
  bool cut(Read&& read) {
    space();
    const char* open = at_;
    if (!read()) return false;
    tables_.rest.append(copied_, open + 1);
    copied_ = at_ - 1;
    return true;
  }

  bool vocabulary() {
    if (has_vocabulary_ || !next('{') || peek('}')) return false;
    has_vocabulary_ = true;
    // Most of a file are the tables; more room than is needed costs little.
    tables_.vocabulary.reserve(size_t(end_ - begin_) / 80 + 16);
    return members([&](std::string_view token) {
      int32_t number = 0;
      return id(number) && tables_.vocabulary.emplace(token, number, token.data() != key_.data());
    });
  }

  bool merges() {
    if (has_merges_ || (merges_at_ && at_ != merges_at_)) return false;
    if (!has_vocabulary_) {  // to be read once there is one
      if (!peek('[')) return false;
      merges_at_ = at_;
      return skip();
    }
    has_merges_ = true;
    if (!next('[')) return false;
    if (peek(']')) return next(']');
    tables_.merges.reserve(tables_.vocabulary.size());
    do {
      std::string_view left, right;
      if (peek('[')) {
        if (!next('[') || !string(left, left_) || !next(',') || !string(right, right_) ||
            !next(']'))
          return false;
      } else {
        std::string_view both;
        if (!string(both, left_)) return false;
        const size_t gap = both.find(' ');
        if (gap == both.npos || both.find(' ', gap + 1) != both.npos ||
            both.starts_with("#version"))
          return false;
        left = both.substr(0, gap);
        right = both.substr(gap + 1);
      }
      if (!merge(left, right)) return false;
    } while (next(','));
    return next(']');
  }

  bool merge(std::string_view left, std::string_view right) {
    const TokenTable& all = tables_.vocabulary;
    const int32_t l = all.id_of(left), r = all.id_of(right);
    if (l < 0 || r < 0) return false;
    // As a rule merges stand in the order of what they make.
    for (size_t guess = last_; guess < std::min(last_ + 2, all.size()); ++guess) {
      const std::string_view text = (all.begin() + guess)->first;
      if (text.size() == left.size() + right.size() && text.starts_with(left) &&
          text.ends_with(right)) {
        last_ = guess;
        tables_.merges.push_back({l, r, (all.begin() + guess)->second});
        return true;
      }
    }
    both_.assign(left).append(right);
    auto found = all.find(both_);
    if (found == all.end()) return false;
    last_ = size_t(found - all.begin());
    tables_.merges.push_back({l, r, found->second});
    return true;
  }

  const char *begin_, *at_, *end_;
  const char* copied_ = begin_;  // what stands before is in the rest
  BpeTables tables_;
  const char* merges_at_ = nullptr;  // where merges stand that were passed over
  bool has_vocabulary_ = false, has_merges_ = false;
  size_t last_ = 0;  // the entry that the merge before makes
  std::string key_, left_, right_, both_, skipped_;
};

}  // namespace

std::optional<BpeTables> read_bpe_tables(const std::string& text) {
  Reader reader(text);
  if (!reader.read()) return std::nullopt;
  return reader.take();
}

}  // namespace afina
