// Text on its way through the tokenizer, with every byte traced to the input.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error.h"

namespace afina {

// A piece of text. If nothing was rewritten, byte i comes from byte origin + i of the input;
// otherwise from bounds[i].
struct TracedText {
  std::string_view bytes;
  size_t origin = 0;
  const uint32_t* bounds = nullptr;  // one more entry than there are bytes; ascending

  // Input offset where byte i begins; for i == bytes.size(), where the last byte ends.
  size_t at(size_t i) const { return bounds ? bounds[i] : origin + i; }
  TracedText part(size_t begin, size_t end) const {
    return {bytes.substr(begin, end - begin), origin + begin, bounds ? bounds + begin : nullptr};
  }
};

// Owns the memory of rewritten text for one call, and limits it: a malicious tokenizer that
// replaces "a" by "aa" forty times would need a terabyte.
struct TextStore {
  std::deque<std::string> texts;
  std::deque<std::vector<uint32_t>> bounds;
  size_t left;  // bytes that may still be allocated

  explicit TextStore(size_t input_bytes) : left((1 << 16) + 64 * input_bytes) {}
  void take(size_t bytes) {
    require(bytes <= left,
            "the tokenizer makes a text many times longer than it was: its replacements multiply");
    left -= bytes;
  }
};

// Builds a rewritten copy of a text, front to back.
class Rewriting {
 public:
  Rewriting(const TracedText& from, TextStore& store) : from_(from), store_(store) {}
  // Makes room for a text of so many bytes, where that is known beforehand.
  void expect(size_t bytes) {
    text_.reserve(bytes);
    bounds_.reserve(bytes + 1);
  }
  // Copies bytes [begin, end) unchanged.
  void keep(size_t begin, size_t end) {
    store_.take(end - begin);
    text_.append(from_.bytes, begin, end - begin);
    const size_t before = bounds_.size();
    bounds_.resize(before + (end - begin));
    uint32_t* bounds = bounds_.data() + before;
    for (size_t i = begin; i < end; ++i) *bounds++ = uint32_t(from_.at(i));
  }
  // Appends `bytes` in place of the input at `begin`: all of them are traced to it, the last one up
  // to whatever follows.
  void put(std::string_view bytes, size_t begin) {
    store_.take(bytes.size());
    text_ += bytes;
    bounds_.insert(bounds_.end(), bytes.size(), uint32_t(from_.at(begin)));
  }
  // Traces the first byte to the beginning of the input, whatever of it was left out.
  void begin_at_start() {
    if (!bounds_.empty()) bounds_[0] = uint32_t(from_.at(0));
  }
  TracedText finish() {
    bounds_.push_back(uint32_t(from_.at(from_.bytes.size())));
    const std::string& text = store_.texts.emplace_back(std::move(text_));
    return {text, 0, store_.bounds.emplace_back(std::move(bounds_)).data()};
  }

 private:
  const TracedText& from_;
  TextStore& store_;
  std::string text_;
  std::vector<uint32_t> bounds_;
};

}  // namespace afina
