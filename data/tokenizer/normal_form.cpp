// Unicode's normal forms (UAX #15); every output byte is traced to its input bytes.
#include "data/tokenizer/normal_form.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "data/tokenizer/character_tables.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

// Characters below this are in every form what they are.
constexpr uint32_t first_changing = 0xA0;
constexpr uint32_t hangul = 0xAC00, leading = 0x1100, vowel = 0x1161, trailing = 0x11A7,
                   vowels = 21, trailings = 28, leadings = 19;

struct Placed {
  uint32_t code;
  size_t begin;  // byte offset in the text before normalisation
  uint8_t combining;
};

uint8_t combining_class(uint32_t code) {
  if (code < 0x300) return 0;
  auto end = combining_classes + combining_classes_count;
  auto found = std::upper_bound(combining_classes, end, code,
                                [](uint32_t c, auto& range) { return c < range.first; });
  return found != combining_classes && code <= found[-1].last ? found[-1].value : 0;
}

// Texts of several characters, by character; single ones are runs.
const std::unordered_map<uint32_t, const uint32_t*>& compatible_by_code() {
  static const auto all = [] {
    std::unordered_map<uint32_t, const uint32_t*> found;
    for (size_t i = 0; i < compatible_texts_count; i += 2 + compatible_texts[i + 1])
      found.emplace(compatible_texts[i], compatible_texts + i + 1);
    return found;
  }();
  return all;
}

// The compatible character of one that becomes a single one; itself for the others.
uint32_t compatible(uint32_t code) {
  auto end = compatible_runs + compatible_runs_count;
  auto found = std::upper_bound(compatible_runs, end, code,
                                [](uint32_t c, auto& range) { return c < range.first; });
  if (found == compatible_runs || code > found[-1].last) return code;
  return found[-1].to + (code - found[-1].first);
}

const Decomposition* decomposition_of(uint32_t code) {
  auto end = decompositions + decompositions_count;
  auto found = std::lower_bound(decompositions, end, code,
                                [](auto& entry, uint32_t c) { return entry.code < c; });
  return found != end && found->code == code ? found : nullptr;
}

void decompose(uint32_t code, size_t begin, bool compatibly, std::vector<Placed>& out) {
  if (code >= hangul && code < hangul + leadings * vowels * trailings) {
    uint32_t index = code - hangul;
    out.push_back({leading + index / (vowels * trailings), begin, 0});
    out.push_back({vowel + index / trailings % vowels, begin, 0});
    if (index % trailings) out.push_back({trailing + index % trailings, begin, 0});
    return;
  }
  if (const Decomposition* two = decomposition_of(code)) {
    decompose(two->first, begin, compatibly, out);
    if (two->second) decompose(two->second, begin, compatibly, out);
    return;
  }
  if (compatibly) {
    const auto& several = compatible_by_code();
    if (auto found = several.find(code); found != several.end()) {
      const uint32_t* text = found->second;
      for (uint32_t i = 1; i <= text[0]; ++i)
        out.push_back({text[i], begin, combining_class(text[i])});
      return;
    }
    code = compatible(code);
  }
  out.push_back({code, begin, combining_class(code)});
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
    for (size_t i = 0; i < decompositions_count; ++i)
      if (decompositions[i].composes)
        all.emplace(uint64_t(decompositions[i].first) << 32 | decompositions[i].second,
                    decompositions[i].code);
    return all;
  }();
  auto found = pairs.find(uint64_t(first) << 32 | second);
  return found == pairs.end() ? 0 : found->second;
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

// For each form whether a character may change under it, or may change with what stands before it:
// bits 1 << form. All others end what is normalised together.
struct Restless {
  CharacterBytes forms;
  static constexpr uint8_t c = 1, d = 2, kc = 4, kd = 8, all = 15;
  Restless() {
    for (size_t i = 0; i < combining_classes_count; ++i)
      for (uint32_t code = combining_classes[i].first; code <= combining_classes[i].last; ++code)
        forms.add(code, all);
    for (uint32_t code = hangul; code < hangul + leadings * vowels * trailings; ++code)
      forms.add(code, d | kd);
    for (uint32_t code = vowel; code < trailing + trailings; ++code) forms.add(code, c | kc);
    std::vector<Placed> parts;
    for (size_t i = 0; i < decompositions_count; ++i) {
      const Decomposition& one = decompositions[i];
      forms.add(one.code, one.composes ? d | kd : all);
      if (one.composes) forms.add(one.second, c | kc);
      parts.clear();
      decompose(one.code, 0, true, parts);
      size_t canonical = parts.size();
      parts.clear();
      decompose(one.code, 0, false, parts);
      // Where a part has a decomposition of compatibility, the whole does not come back.
      bool other = canonical != parts.size();
      for (auto& part : parts)
        other |= compatible(part.code) != part.code || compatible_by_code().count(part.code);
      if (other) forms.add(one.code, kc | kd);
    }
    for (size_t i = 0; i < compatible_runs_count; ++i)
      for (uint32_t code = compatible_runs[i].first; code <= compatible_runs[i].last; ++code)
        forms.add(code, kc | kd);
    for (auto& one : compatible_by_code()) forms.add(one.first, kc | kd);
  }
};

bool is_restless(uint32_t code, NormalForm form) {
  static const Restless all;
  return code >= first_changing && all.forms[code] >> int(form) & 1;
}

// Collects characters from `begin` up to the first that nothing before it can change.
size_t segment(std::string_view text, size_t begin, NormalForm form,
               std::vector<Placed>& characters) {
  characters.clear();
  size_t at = begin;
  while (at < text.size()) {
    Character c = character_at(text, at);
    if (at > begin && !is_restless(c.code, form)) break;
    characters.push_back({c.code, at, 0});
    at += c.bytes;
  }
  return at;
}

// Whether eight bytes are.
bool is_ascii(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return (word & 0x8080808080808080ull) == 0;
}

}  // namespace

TracedText normal_form(const TracedText& text, NormalForm form, TextStore& store) {
  const bool compatibly = form == NormalForm::kc || form == NormalForm::kd;
  const bool composes = form == NormalForm::c || form == NormalForm::kc;
  std::vector<Placed> before, after;
  std::vector<size_t> begins;
  std::string bytes;
  Rewriting out(text, store);
  size_t done = 0, previous = 0;
  bool changed = false;
  for (size_t at = 0; at < text.bytes.size();) {
    if (text.bytes.size() - at >= 8 && is_ascii(text.bytes.data() + at)) {
      at += 8;
      previous = at - 1;
      continue;
    }
    Character c = character_at(text.bytes, at);
    if (!is_restless(c.code, form)) {
      previous = at;
      at += c.bytes;
      continue;
    }
    at = segment(text.bytes, previous, form, before);
    after.clear();
    for (auto& character : before) decompose(character.code, character.begin, compatibly, after);
    order(after);
    if (composes) compose(after);
    bool same = std::equal(before.begin(), before.end(), after.begin(), after.end(),
                           [](auto& a, auto& b) { return a.code == b.code; });
    if (!same) {
      out.keep(done, previous);
      // Offsets ascend where marks were reordered.
      begins.clear();
      for (auto& character : after) begins.push_back(character.begin);
      std::sort(begins.begin(), begins.end());
      for (size_t i = 0; i < after.size(); ++i) {
        bytes.clear();
        append_utf8(bytes, after[i].code);
        out.put(bytes, begins[i]);
      }
      done = at;
      changed = true;
    }
    previous = at;
  }
  if (!changed) return text;
  out.keep(done, text.bytes.size());
  return out.finish();
}

}  // namespace afina
