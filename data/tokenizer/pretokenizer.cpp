// The pre-tokenizers of tokenizer.json: they split text into the words that a model works on.
#include "data/tokenizer/pretokenizer.h"

#include <array>

#include "data/tokenizer/characters.h"
#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/utf8.h"
#include "data/tokenizer/word_pattern.h"
#include "engine/error.h"

namespace afina {

namespace {

enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior behavior_of(const std::string& name, const std::string& where) {
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  fail(where,
       ": Split: expected a behavior of Removed, Isolated, MergedWithPrevious, MergedWithNext or "
       "Contiguous, found \"",
       name, "\"");
}

struct Cut {
  size_t begin, end;
  bool match;
};

// Merges pieces in place as the behavior of a Split asks.
void join(std::vector<Cut>& cuts, Behavior behavior) {
  std::vector<Cut> out;
  for (size_t i = 0; i < cuts.size(); ++i) {
    const Cut& cut = cuts[i];
    bool after_match = i > 0 && cuts[i - 1].match;
    bool joined = behavior == Behavior::merged_with_previous ? cut.match && i > 0 && !after_match
                  : behavior == Behavior::merged_with_next   ? !cut.match && after_match
                  : behavior == Behavior::contiguous         ? i > 0 && cut.match == after_match
                                                             : false;
    if (joined) {
      out.back().end = cut.end;
    } else {
      out.push_back(cut);
    }
  }
  cuts = std::move(out);
}

// Splits the text at matches.
template <class EachMatch>
void split(const TracedText& text, Behavior behavior, bool invert, std::vector<TracedText>& out,
           EachMatch&& each_match) {
  size_t done = 0;
  if (behavior == Behavior::isolated) {
    each_match([&](size_t begin, size_t end) {
      if (begin > done) out.push_back(text.part(done, begin));
      if (end > begin) out.push_back(text.part(begin, end));
      done = end;
    });
    if (done < text.bytes.size()) out.push_back(text.part(done, text.bytes.size()));
    return;
  }
  static thread_local std::vector<Cut> cuts;
  cuts.clear();
  each_match([&](size_t begin, size_t end) {
    if (begin > done) cuts.push_back({done, begin, invert});
    cuts.push_back({begin, end, !invert});
    done = end;
  });
  if (done < text.bytes.size()) cuts.push_back({done, text.bytes.size(), invert});
  if (behavior != Behavior::removed) join(cuts, behavior);
  for (auto& cut : cuts)
    if (cut.end > cut.begin && (behavior != Behavior::removed || !cut.match))
      out.push_back(text.part(cut.begin, cut.end));
}

void split(const TracedText& text, const WordPattern& regex, Behavior behavior, bool invert,
           std::vector<TracedText>& out) {
  split(text, behavior, invert, out, [&](auto&& found) { regex.each_match(text.bytes, found); });
}

void split(const TracedText& text, const std::string& what, Behavior behavior, bool invert,
           std::vector<TracedText>& out) {
  split(text, behavior, invert, out, [&](auto&& found) {
    for (size_t at = text.bytes.find(what); at != std::string_view::npos;
         at = text.bytes.find(what, at + what.size()))
      found(at, at + what.size());
  });
}

// Splits at single characters.
template <class IsMatch>
void split_at(const TracedText& text, IsMatch&& is_match, Behavior behavior,
              std::vector<TracedText>& out) {
  split(text, behavior, false, out, [&](auto&& found) {
    for (size_t at = 0; at < text.bytes.size();) {
      const Character c = character_at(text.bytes, at);
      if (is_match(c.code)) found(at, at + c.bytes);
      at += c.bytes;
    }
  });
}

// Cuts where `kind_of` a character differs from that of the one before; kind 0 is left out.
template <class KindOf>
void split_by_kind(const TracedText& text, KindOf&& kind_of, std::vector<TracedText>& out) {
  size_t begin = 0;
  int kind = 0;
  for (size_t at = 0; at <= text.bytes.size();) {
    const bool ends = at == text.bytes.size();
    const Character c = ends ? Character{} : character_at(text.bytes, at);
    const int next = ends ? 0 : kind_of(c.code);
    if (next != kind) {
      if (kind != 0) out.push_back(text.part(begin, at));
      begin = at;
      kind = next;
    }
    at += ends ? 1 : c.bytes;
  }
}

// Characters of every script go on with the word before; in front of the first word they are
// left out, as in the library.
void split_by_script(const TracedText& text, std::vector<TracedText>& out) {
  size_t begin = 0;
  uint8_t script = 0;
  for (size_t at = 0; at < text.bytes.size();) {
    const Character c = character_at(text.bytes, at);
    const uint8_t next = script_of(c.code);
    if (next != 0 && next != script) {
      if (script != 0) out.push_back(text.part(begin, at));
      begin = at;
      script = next;
    }
    at += c.bytes;
  }
  if (script != 0) out.push_back(text.part(begin, text.bytes.size()));
}

int kind_for_whitespace(uint32_t code) {
  return is_white_space(code) ? 0 : is_word_character(code) ? 1 : 2;
}

std::string one_character(const Json& json, const std::string& key, const std::string& otherwise,
                          const std::string& where) {
  auto text = get_or<std::string>(json, key, where, otherwise);
  require(!text.empty() && character_at(text, 0).bytes == text.size(), where, ": ", key,
          ": expected one character, found \"", text, "\"");
  return text;
}

TracedText with_prefix(const TracedText& text, std::string_view prefix, TextStore& store) {
  Rewriting out(text, store);
  out.put(prefix, 0);
  out.keep(0, text.bytes.size());
  return out.finish();
}

// The GPT-2 pattern, built into ByteLevel.
constexpr char gpt2_pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace

PreTokenizer::PreTokenizer(const Json& json, const std::string& where) {
  if (!json.is_null()) add(json, where);
}

void PreTokenizer::add(const Json& json, const std::string& where) {
  require(!byte_level_, where, ": a pre-tokenizer after ByteLevel is not supported");
  auto type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    const Json& all = member(json, "pretokenizers", where);
    require(all.is_array(), where, ": pretokenizers: expected an array, found ", describe(all));
    for (auto& one : all) add(one, where);
  } else if (type == "Split") {
    add_split(json, where);
  } else if (type == "ByteLevel") {
    add_byte_level(json, where);
  } else if (type == "Metaspace") {
    add_metaspace(json, where);
  } else if (type == "FixedLength") {
    add_fixed_length(json, where);
  } else if (!add_by_character(type, json, where)) {
    fail(where, ": the pre-tokenizer \"", type,
         "\" is not supported; known are ByteLevel, Split, Digits, Metaspace, Whitespace, "
         "WhitespaceSplit, Punctuation, CharDelimiterSplit, BertPreTokenizer, UnicodeScripts, "
         "FixedLength and Sequence");
  }
}

// The pre-tokenizers that look at one character after the other; false for any other.
bool PreTokenizer::add_by_character(const std::string& type, const Json& json,
                                    const std::string& where) {
  auto at = [&](auto is_match, Behavior behavior) {
    steps_.push_back([=](const TracedText& text, Words& out, TextStore&) {
      split_at(text, is_match, behavior, out);
    });
  };
  if (type == "Digits") {
    at(is_number, get_or<bool>(json, "individual_digits", where, false) ? Behavior::isolated
                                                                        : Behavior::contiguous);
  } else if (type == "Punctuation") {
    at(is_punctuation,
       behavior_of(get_or<std::string>(json, "behavior", where, "Isolated"), where));
  } else if (type == "WhitespaceSplit") {
    at(is_white_space, Behavior::removed);
  } else if (type == "BertPreTokenizer") {
    at(is_white_space, Behavior::removed);
    at(is_punctuation, Behavior::isolated);
  } else if (type == "CharDelimiterSplit") {
    require(json.contains("delimiter"), where, ": CharDelimiterSplit: there is no delimiter");
    const uint32_t code = character_at(one_character(json, "delimiter", "", where), 0).code;
    at([code](uint32_t c) { return c == code; }, Behavior::removed);
  } else if (type == "Whitespace") {
    steps_.push_back([](const TracedText& text, Words& out, TextStore&) {
      split_by_kind(text, kind_for_whitespace, out);
    });
  } else if (type == "UnicodeScripts") {
    steps_.push_back(
        [](const TracedText& text, Words& out, TextStore&) { split_by_script(text, out); });
  } else {
    return false;
  }
  return true;
}

void PreTokenizer::add_fixed_length(const Json& json, const std::string& where) {
  const auto length = get_or<uint64_t>(json, "length", where, 5);
  require(length > 0, where, ": FixedLength: the length is 0");
  steps_.push_back([length](const TracedText& text, Words& out, TextStore&) {
    size_t begin = 0;
    uint64_t count = 0;
    for (size_t at = 0; at < text.bytes.size();) {
      at += character_at(text.bytes, at).bytes;
      if (++count < length && at < text.bytes.size()) continue;
      out.push_back(text.part(begin, at));
      begin = at;
      count = 0;
    }
  });
}

void PreTokenizer::add_split(const Json& json, const std::string& where) {
  Behavior behavior = behavior_of(get<std::string>(json, "behavior", where), where);
  bool invert = get_or<bool>(json, "invert", where, false);
  const Json& pattern = member(json, "pattern", where);
  if (const Json* regex = find_member(pattern, "Regex", where)) {
    require(regex->is_string(), where, ": Split: expected a Regex as a string, found ",
            describe(*regex));
    steps_.push_back([behavior, invert, regex = WordPattern(regex->get<std::string>(), where)](
                         const TracedText& text, Words& out, TextStore&) {
      split(text, regex, behavior, invert, out);
    });
  } else {
    auto what = get<std::string>(pattern, "String", where);
    require(!what.empty(), where, ": Split: the pattern is empty");
    steps_.push_back([=](const TracedText& text, Words& out, TextStore&) {
      split(text, what, behavior, invert, out);
    });
  }
}

void PreTokenizer::add_byte_level(const Json& json, const std::string& where) {
  byte_level_ = true;
  if (get_or<bool>(json, "add_prefix_space", where, true))
    steps_.push_back([](const TracedText& text, Words& out, TextStore& store) {
      out.push_back(text.bytes.starts_with(' ') ? text : with_prefix(text, " ", store));
    });
  if (get_or<bool>(json, "use_regex", where, true))
    steps_.push_back(
        [regex = WordPattern(gpt2_pattern, where)](const TracedText& text, Words& out, TextStore&) {
          split(text, regex, Behavior::isolated, false, out);
        });
}

MetaspaceOptions metaspace_options(const Json& json, const std::string& where) {
  MetaspaceOptions options;
  options.mark = one_character(json, "replacement", "\u2581", where);
  // Older files have add_prefix_space instead of prepend_scheme.
  auto scheme =
      get_or<std::string>(json, "prepend_scheme", where,
                          get_or<bool>(json, "add_prefix_space", where, true) ? "always" : "never");
  if (scheme == "first") options.scheme = PrependScheme::first;
  else if (scheme == "never") options.scheme = PrependScheme::never;
  else
    require(scheme == "always", where,
            ": Metaspace: expected a prepend_scheme of always, first or never, found \"", scheme,
            "\"");
  options.split = get_or<bool>(json, "split", where, true);
  return options;
}

void PreTokenizer::add_metaspace(const Json& json, const std::string& where) {
  steps_.push_back([options = metaspace_options(json, where)](const TracedText& text, Words& out,
                                                              TextStore& store) {
    const auto& [mark, scheme, cut] = options;
    TracedText marked = replace_all(text, " ", mark, store);
    if (!marked.bytes.starts_with(mark) &&
        (scheme == PrependScheme::always || (scheme == PrependScheme::first && text.at(0) == 0)))
      marked = with_prefix(marked, mark, store);
    if (cut) {
      split(marked, mark, Behavior::merged_with_next, false, out);
    } else {
      out.push_back(marked);
    }
  });
}

std::vector<TracedText> PreTokenizer::words(const TracedText& text, TextStore& store) const {
  Words now, then;
  if (!text.bytes.empty()) now.push_back(text);
  for (auto& step : steps_) {
    then.clear();
    for (auto& word : now) step(word, then, store);
    std::swap(now, then);
  }
  return now;
}

namespace {
struct ByteCharacters {
  std::array<uint32_t, 256> of_byte;
  std::array<int, 324> of_character;
  ByteCharacters() {
    of_character.fill(-1);
    uint32_t next = 256;
    for (uint32_t b = 0; b < 256; ++b) {
      bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      of_byte[b] = printable ? b : next++;
      of_character[of_byte[b]] = int(b);
    }
  }
};
const ByteCharacters& byte_characters() {
  static const ByteCharacters all;
  return all;
}
}  // namespace

uint32_t character_of_byte(uint8_t byte) { return byte_characters().of_byte[byte]; }
int byte_of_character(uint32_t code) {
  return code < 324 ? byte_characters().of_character[code] : -1;
}

}  // namespace afina
