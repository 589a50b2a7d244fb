// Unicode normalization form C (UAX #15); every output byte is traced to its input bytes.
#include "data/tokenizer/nfc.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "data/tokenizer/nfc_table.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

// Characters below this are inert.
constexpr uint32_t first_combining = 0x300;
constexpr uint32_t hangul = 0xAC00, leading = 0x1100, vowel = 0x1161, trailing = 0x11A7,
                   vowels = 21, trailings = 28, leadings = 19;

struct Placed {
  uint32_t code;
  size_t begin;  // byte offset in the text before normalisation
  uint8_t combining;
};

uint8_t combining_class(uint32_t code) {
  if (code < first_combining) return 0;
  auto end = combining_classes + combining_class_count;
  auto found = std::upper_bound(combining_classes, end, code,
                                [](uint32_t c, auto& range) { return c < range.first; });
  return found != combining_classes && code <= found[-1].last ? found[-1].value : 0;
}

void decompose(uint32_t code, size_t begin, std::vector<Placed>& out) {
  if (code >= hangul && code < hangul + leadings * vowels * trailings) {
    uint32_t index = code - hangul;
    out.push_back({leading + index / (vowels * trailings), begin, 0});
    out.push_back({vowel + index / trailings % vowels, begin, 0});
    if (index % trailings) out.push_back({trailing + index % trailings, begin, 0});
    return;
  }
  auto end = decompositions + decomposition_count;
  auto found = std::lower_bound(decompositions, end, code,
                                [](auto& entry, uint32_t c) { return entry.code < c; });
  if (found == end || found->code != code) {
    out.push_back({code, begin, combining_class(code)});
    return;
  }
  decompose(found->first, begin, out);
  if (found->second) decompose(found->second, begin, out);
}

// The composition of two characters; 0 if they do not compose.
uint32_t composed(uint32_t first, uint32_t second) {
  if (first >= leading && first < leading + leadings && second >= vowel && second < vowel + vowels)
    return hangul + ((first - leading) * vowels + second - vowel) * trailings;
  bool open = first >= hangul && first < hangul + leadings * vowels * trailings &&
              (first - hangul) % trailings == 0;
  if (open && second > trailing && second < trailing + trailings) return first + second - trailing;
  static const auto pairs = [] {
    std::unordered_map<uint64_t, uint32_t> all;
    for (size_t i = 0; i < decomposition_count; ++i)
      if (decompositions[i].composes)
        all.emplace(uint64_t(decompositions[i].first) << 32 | decompositions[i].second,
                    decompositions[i].code);
    return all;
  }();
  auto found = pairs.find(uint64_t(first) << 32 | second);
  return found == pairs.end() ? 0 : found->second;
}

// Inert characters combine with no earlier character and do not change when they stand alone. Some
// that are inert as well are not among these.
struct Inert {
  std::vector<bool> not_inert = std::vector<bool>(0x110000);
  Inert() {
    auto mark = [&](uint32_t first, uint32_t last) {
      for (uint32_t code = std::max(first, first_combining); code <= last; ++code)
        not_inert[code] = true;
    };
    for (size_t i = 0; i < decomposition_count; ++i) {
      mark(decompositions[i].code, decompositions[i].code);
      if (decompositions[i].second) mark(decompositions[i].second, decompositions[i].second);
    }
    for (size_t i = 0; i < combining_class_count; ++i)
      mark(combining_classes[i].first, combining_classes[i].last);
    mark(vowel, vowel + vowels - 1);
    mark(trailing, trailing + trailings - 1);
  }
};
bool inert(uint32_t code) {
  static const Inert all;
  return code < first_combining || !all.not_inert[code];
}

void order(std::vector<Placed>& all) {
  for (size_t begin = 0; begin < all.size();) {
    size_t end = begin + 1;
    if (all[begin].combining)
      while (end < all.size() && all[end].combining) ++end;
    std::stable_sort(all.begin() + int64_t(begin), all.begin() + int64_t(end),
                     [](const Placed& a, const Placed& b) { return a.combining < b.combining; });
    begin = end;
  }
}

void compose(std::vector<Placed>& all) {
  constexpr size_t none = ~size_t(0);
  size_t starter = none, out = 0;
  int last_class = -1;  // combining class of the last character since the starter; -1: none
  for (size_t i = 0; i < all.size(); ++i) {
    Placed now = all[i];
    uint32_t together = starter != none && last_class < int(now.combining)
                            ? composed(all[starter].code, now.code)
                            : 0;
    if (together) {
      all[starter].code = together;
      continue;
    }
    if (now.combining == 0) {
      starter = out;
      last_class = -1;
    } else {
      last_class = now.combining;
    }
    all[out++] = now;
  }
  all.resize(out);
}

// Collects characters from `begin` up to the first that nothing before it can change.
size_t segment(std::string_view text, size_t begin, std::vector<Placed>& characters) {
  characters.clear();
  size_t at = begin;
  while (at < text.size()) {
    Character c = character_at(text, at);
    if (at > begin && inert(c.code)) break;
    characters.push_back({c.code, at, 0});
    at += c.bytes;
  }
  return at;
}

}  // namespace

// Whether eight bytes are.
static bool is_ascii(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return (word & 0x8080808080808080ull) == 0;
}

TracedText nfc(const TracedText& text, TextStore& store) {
  std::vector<Placed> before, after;
  Rewriting out(text, store);
  size_t done = 0, previous = 0;
  for (size_t at = 0; at < text.bytes.size();) {
    if (text.bytes.size() - at >= 8 && is_ascii(text.bytes.data() + at)) {
      at += 8;
      previous = at - 1;
      continue;
    }
    Character c = character_at(text.bytes, at);
    if (inert(c.code)) {
      previous = at;
      at += c.bytes;
      continue;
    }
    at = segment(text.bytes, previous, before);
    after.clear();
    for (auto& character : before) decompose(character.code, character.begin, after);
    order(after);
    compose(after);
    bool same = std::equal(before.begin(), before.end(), after.begin(), after.end(),
                           [](auto& a, auto& b) { return a.code == b.code; });
    if (!same) {
      out.keep(done, previous);
      size_t begin = previous;
      for (auto& character : after) {
        std::string bytes;
        append_utf8(bytes, character.code);
        begin =
            std::max(begin, character.begin);  // keep offsets ascending where marks were reordered
        out.put(bytes, begin);
      }
      done = at;
    }
    previous = at;
  }
  if (done == 0) return text;
  out.keep(done, text.bytes.size());
  return out.finish();
}

}  // namespace afina
