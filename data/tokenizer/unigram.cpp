// The Unigram model (Kudo, 2018): of all ways to spell a word with tokens, the likeliest.
#include "data/tokenizer/unigram.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {
constexpr double unknown_penalty = 10.;
}  // namespace

double as_serde_reads(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  const char* at = text + (*text == '-');
  for (; at < end.ptr && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    digits = digits * 10 + uint64_t(*at - '0');  // 17 digits at most
    exponent -= fraction;
  }
  int written = 0;
  if (at < end.ptr) std::from_chars(at + 1 + (at[1] == '+'), end.ptr, written);
  exponent += written;
  // Powers of ten up to 1e308, of which those above 1e22 are rounded.
  auto power = [](int n) {
    char number[8];
    double result = 0;
    const int length = std::snprintf(number, sizeof number, "1e%d", n);
    std::from_chars(number, number + length, result);
    return result;
  };
  double result = double(digits);
  for (; exponent < -308; exponent += 308) result /= 1e308;
  result = exponent >= 0 ? result * power(exponent) : result / power(-exponent);
  return *text == '-' ? -result : result;
}

Unigram::Unigram(const Vocabulary& vocabulary, int32_t unknown, bool byte_fallback,
                 const std::string& where)
    : where_(where), unknown_(unknown) {
  require(unknown < int64_t(vocabulary.size()), where, ": unk_id is ", unknown,
          ", but there are only ", vocabulary.size(), " tokens");
  double least = std::numeric_limits<double>::infinity();
  scores_.reserve(vocabulary.size());
  for (auto& [token, score] : vocabulary) {
    scores_.push_back(score);
    least = std::min(least, score);
  }
  unknown_score_ = least - unknown_penalty;
  bytes_.fill(-1);
  build(vocabulary);
  if (!byte_fallback) return;
  for (int b = 0; b < 256; ++b) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", b);
    uint32_t node = 0;
    for (const char* c = name; *c && (c == name || node); ++c) node = child(node, uint8_t(*c));
    if (node) bytes_[size_t(b)] = nodes_[node].token;
  }
}

void Unigram::build(const Vocabulary& vocabulary) {
  // Of equal tokens the last one counts, as in the library.
  std::vector<uint32_t> order(vocabulary.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return vocabulary[a].first < vocabulary[b].first;
  });
  size_t kept = 0;
  for (size_t i = 0; i < order.size(); ++i)
    if (i + 1 == order.size() || vocabulary[order[i]].first != vocabulary[order[i + 1]].first)
      order[kept++] = order[i];
  order.resize(kept);
  struct Part {
    uint32_t begin, end, depth;  // the tokens, in this order, that share the way to a node
  };
  std::vector<Part> parts = {{0, uint32_t(kept), 0}};
  nodes_.emplace_back();
  labels_.push_back(0);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    auto [at, end, depth] = parts[i];
    auto text = [&](uint32_t k) -> const std::string& { return vocabulary[order[k]].first; };
    if (at < end && text(at).size() == depth) nodes_[i].token = int32_t(order[at++]);
    nodes_[i].first = uint32_t(nodes_.size());
    while (at < end) {
      const char label = text(at)[depth];
      const uint32_t begin = at;
      while (at < end && text(at)[depth] == label) ++at;
      require(nodes_.size() < UINT32_MAX, where_, ": the vocabulary is too large");
      parts.push_back({begin, at, depth + 1});
      nodes_.emplace_back();
      labels_.push_back(uint8_t(label));
      ++nodes_[i].count;
    }
  }
  nodes_[0].token = -1;  // an empty token is never found
}

uint32_t Unigram::child(uint32_t node, uint8_t byte) const {
  const Node& from = nodes_[node];
  if (from.count == 0) return 0;
  const uint8_t* labels = labels_.data() + from.first;
  const void* found = std::memchr(labels, byte, from.count);
  return found ? from.first + uint32_t(static_cast<const uint8_t*>(found) - labels) : 0;
}

void Unigram::find_ways(std::string_view word, std::vector<Way>& ways) const {
  ways.assign(word.size() + 1, {0., 0, none});
  auto consider = [&](size_t begin, size_t end, int32_t token, double score) {
    Way& way = ways[end];
    if (way.token == none || score > way.score) way = {score, uint32_t(begin), token};
  };
  for (size_t begin = 0; begin < word.size();) {
    const double before = ways[begin].score;
    const size_t next = begin + character_at(word, begin).bytes;
    bool single = false;
    uint32_t node = 0;
    for (size_t end = begin; end < word.size();) {
      node = child(node, uint8_t(word[end]));
      if (!node) break;
      ++end;
      const int32_t token = nodes_[node].token;
      if (token < 0) continue;
      consider(begin, end, token, scores_[size_t(token)] + before);
      single |= end == next;
    }
    if (!single) {
      const double score = unknown_score_ + before;
      if (ways[next].token == none || score > ways[next].score)
        require(unknown_ >= 0, where_, ": \"", std::string(word.substr(begin, next - begin)),
                "\" is not in the vocabulary, and there is no unk_id for it");
      consider(begin, next, unknown_, score);
    }
    begin = next;
  }
}

// A piece of the best way: a run of unknown characters may be a token all the same, or be spelled
// with bytes.
void Unigram::put(std::string_view word, size_t begin, size_t end, int32_t token,
                  std::vector<BpeToken>& out) const {
  if (token == unknown_) {
    uint32_t node = 0;
    for (size_t i = begin; i < end && (i == begin || node); ++i)
      node = child(node, uint8_t(word[i]));
    if (node && nodes_[node].token >= 0) {
      token = nodes_[node].token;
    } else if (std::all_of(word.begin() + int64_t(begin), word.begin() + int64_t(end),
                           [&](char c) { return bytes_[uint8_t(c)] >= 0; })) {
      for (size_t i = begin; i < end; ++i)
        out.push_back({bytes_[uint8_t(word[i])], uint32_t(i + 1)});
      return;
    }
  }
  out.push_back({token, uint32_t(end)});
}

void Unigram::encode(std::string_view word, std::vector<BpeToken>& out) const {
  if (word.empty()) return;
  static thread_local std::vector<Way> ways;
  find_ways(word, ways);
  // Backwards along the best way; then forwards, with unknown neighbours as one.
  std::vector<uint32_t> ends;
  for (size_t end = word.size(); end > 0; end = ways[end].begin) ends.push_back(uint32_t(end));
  for (size_t i = ends.size(); i > 0;) {
    const Way& way = ways[ends[--i]];
    uint32_t end = ends[i];
    while (way.token == unknown_ && i > 0 && ways[ends[i - 1]].token == unknown_) end = ends[--i];
    put(word, way.begin, end, way.token, out);
  }
  constexpr size_t much = 1 << 16;
  if (ways.size() > much) std::vector<Way>().swap(ways);
}

}  // namespace afina
