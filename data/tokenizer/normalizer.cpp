// The normalizers of tokenizer.json: they rewrite text before it is split.
#include "data/tokenizer/normalizer.h"

#include <memory>

#include "data/tokenizer/characters.h"
#include "data/tokenizer/normal_form.h"
#include "data/tokenizer/precompiled.h"
#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

TracedText replace_all(const TracedText& text, std::string_view from, std::string_view to,
                       TextStore& store) {
  size_t found = from.empty() ? std::string_view::npos : text.bytes.find(from);
  if (found == std::string_view::npos) return text;
  Rewriting out(text, store);
  out.expect(text.bytes.size() + text.bytes.size() / 2);
  size_t done = 0;
  for (; found != std::string_view::npos; found = text.bytes.find(from, done)) {
    out.keep(done, found);
    out.put(to, found);
    done = found + from.size();
  }
  out.keep(done, text.bytes.size());
  return out.finish();
}

namespace {

// Replaces characters: of(code, to) puts into `to`, which is empty before, what the character
// becomes; false leaves it as it is. Returns the text itself if nothing changes.
template <class Of>
TracedText map_characters(const TracedText& text, TextStore& store, Of&& of) {
  Rewriting out(text, store);
  size_t done = 0;
  bool changed = false;
  std::string to;
  for (size_t at = 0; at < text.bytes.size();) {
    const Character c = character_at(text.bytes, at);
    to.clear();
    if (of(c.code, to)) {
      out.keep(done, at);
      out.put(to, at);
      done = at + c.bytes;
      changed = true;
    }
    at += c.bytes;
  }
  if (!changed) return text;
  out.keep(done, text.bytes.size());
  return out.finish();
}

TracedText replace_matches(const TracedText& text, const Regex& regex, std::string_view to,
                           TextStore& store) {
  Rewriting out(text, store);
  size_t done = 0;
  bool changed = false;
  regex.each_match(text.bytes, [&](size_t begin, size_t end) {
    out.keep(done, begin);
    out.put(to, begin);
    done = end;
    changed = true;
  });
  if (!changed) return text;
  out.keep(done, text.bytes.size());
  return out.finish();
}

TracedText lower(const TracedText& text, TextStore& store) {
  return map_characters(text, store, [](uint32_t code, std::string& to) {
    if (code == 0x130) {  // I with a dot above: the dot stays
      to = "i\u0307";
      return true;
    }
    const uint32_t small = lower_case(code);
    if (small == code) return false;
    append_utf8(to, small);
    return true;
  });
}

TracedText without(const TracedText& text, bool (*is)(uint32_t), TextStore& store) {
  return map_characters(text, store, [is](uint32_t code, std::string&) { return is(code); });
}

TracedText strip(const TracedText& text, bool left, bool right) {
  size_t begin = 0, end = text.bytes.size();
  while (left && begin < end) {
    const Character c = character_at(text.bytes, begin);
    if (!is_white_space(c.code)) break;
    begin += c.bytes;
  }
  while (right && end > begin) {
    size_t last = end - 1;
    while (last > begin && (uint8_t(text.bytes[last]) & 0xC0) == 0x80) --last;
    if (!is_white_space(character_at(text.bytes, last).code)) break;
    end = last;
  }
  return text.part(begin, end);
}

// What SentencePiece's nmt rules do besides NFKC: controls go, other kinds of space are spaces.
TracedText nmt(const TracedText& text, TextStore& store) {
  return map_characters(text, store, [](uint32_t c, std::string& to) {
    if ((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
        c == 0x9F)
      return true;
    const bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                       (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                       c == 0xFEFF || c == 0xFFFD;
    if (space) to = " ";
    return space;
  });
}

TracedText bytes_as_characters(const TracedText& text, TextStore& store) {
  return map_characters(text, store, [](uint32_t code, std::string& to) {
    std::string bytes;
    append_utf8(bytes, code);
    for (char byte : bytes) append_utf8(to, character_of_byte(uint8_t(byte)));
    return true;
  });
}

// Kept as it is, but controls; every kind of space is a space.
TracedText clean(const TracedText& text, TextStore& store) {
  return map_characters(text, store, [](uint32_t code, std::string& to) {
    if (is_cleaned(code)) return true;
    if (code == ' ' || !is_white_space(code)) return false;
    to = " ";
    return true;
  });
}

TracedText with_chinese_apart(const TracedText& text, TextStore& store) {
  Rewriting out(text, store);
  size_t done = 0;
  for (size_t at = 0; at < text.bytes.size();) {
    const Character c = character_at(text.bytes, at);
    const size_t next = at + c.bytes;
    if (is_chinese(c.code)) {
      out.keep(done, at);
      out.put(" ", at);
      out.keep(at, next);
      out.put(" ", next);
      done = next;
    }
    at = next;
  }
  if (done == 0) return text;
  out.keep(done, text.bytes.size());
  return out.finish();
}

}  // namespace

Normalizer::Normalizer(const Json& json, const std::string& where) {
  if (!json.is_null()) add(json, where);
}

void Normalizer::add(const Json& json, const std::string& where) {
  auto type = get<std::string>(json, "type", where);
  auto form = [&](NormalForm which) {
    steps_.push_back([which](const TracedText& text, TextStore& store) {
      return normal_form(text, which, store);
    });
  };
  if (type == "Sequence") {
    const Json& all = member(json, "normalizers", where);
    require(all.is_array(), where, ": normalizers: expected an array, found ", describe(all));
    for (auto& one : all) add(one, where);
  } else if (type == "NFC") {
    form(NormalForm::c);
  } else if (type == "NFD") {
    form(NormalForm::d);
  } else if (type == "NFKC") {
    form(NormalForm::kc);
  } else if (type == "NFKD") {
    form(NormalForm::kd);
  } else if (type == "Lowercase") {
    steps_.push_back(lower);
  } else if (type == "StripAccents") {
    steps_.push_back(
        [](const TracedText& text, TextStore& store) { return without(text, is_mark, store); });
  } else if (type == "Strip") {
    const bool left = get_or<bool>(json, "strip_left", where, true);
    const bool right = get_or<bool>(json, "strip_right", where, true);
    steps_.push_back(
        [left, right](const TracedText& text, TextStore&) { return strip(text, left, right); });
  } else if (type == "Nmt") {
    steps_.push_back(nmt);
  } else if (type == "ByteLevel") {
    steps_.push_back(bytes_as_characters);
  } else if (type == "Precompiled") {
    const Json& map = member(json, "precompiled_charsmap", where);
    require(map.is_string(), where, ": precompiled_charsmap: expected a string, found ",
            describe(map));
    steps_.push_back(
        [rules = std::make_shared<const Precompiled>(map.text(), where)](
            const TracedText& text, TextStore& store) { return rules->apply(text, store); });
  } else if (type == "BertNormalizer") {
    add_bert(json, where);
  } else if (type == "Prepend") {
    steps_.push_back([what = get<std::string>(json, "prepend", where)](const TracedText& text,
                                                                       TextStore& store) {
      if (text.bytes.empty()) return text;
      Rewriting out(text, store);
      out.put(what, 0);
      out.keep(0, text.bytes.size());
      return out.finish();
    });
  } else if (type == "Replace") {
    add_replace(json, where);
  } else {
    fail(where, ": the normalizer \"", type,
         "\" is not supported; known are NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, "
         "Nmt, Precompiled, BertNormalizer, ByteLevel, Prepend, Replace and Sequence");
  }
}

void Normalizer::add_replace(const Json& json, const std::string& where) {
  const Json& pattern = member(json, "pattern", where);
  auto to = get<std::string>(json, "content", where);
  const Json* regex = pattern.is_object() ? find_member(pattern, "Regex", where) : nullptr;
  if (regex) {
    require(regex->is_string(), where, ": Replace: expected a Regex as a string, found ",
            describe(*regex));
    const Regex expression(regex->get<std::string>(), where);
    bool empty = false;
    expression.each_match("", [&](size_t, size_t) { empty = true; });
    require(!empty, where, ": Replace: the pattern \"", regex->get<std::string>(),
            "\" also matches where nothing stands, which is not supported");
    steps_.push_back([to, expression](const TracedText& text, TextStore& store) {
      return replace_matches(text, expression, to, store);
    });
    return;
  }
  require(pattern.is_object() && pattern.contains("String"), where,
          ": Replace: expected a pattern {\"String\": ...} or {\"Regex\": ...}, found ",
          describe(pattern));
  auto from = get<std::string>(pattern, "String", where);
  require(!from.empty(), where,
          ": Replace: an empty String stands between all characters, which is not supported");
  steps_.push_back([from, to](const TracedText& text, TextStore& store) {
    return replace_all(text, from, to, store);
  });
}

void Normalizer::add_bert(const Json& json, const std::string& where) {
  const bool lowers = get_or<bool>(json, "lowercase", where, true);
  const bool strips = get_or<bool>(json, "strip_accents", where, lowers);
  if (get_or<bool>(json, "clean_text", where, true)) steps_.push_back(clean);
  if (get_or<bool>(json, "handle_chinese_chars", where, true)) steps_.push_back(with_chinese_apart);
  if (strips)
    steps_.push_back([](const TracedText& text, TextStore& store) {
      return without(normal_form(text, NormalForm::d, store), is_nonspacing_mark, store);
    });
  if (lowers) steps_.push_back(lower);
}

TracedText Normalizer::apply(TracedText text, TextStore& store) const {
  for (auto& step : steps_) text = step(text, store);
  return text;
}

std::string Normalizer::apply(std::string_view text) const {
  TextStore store(text.size());
  return std::string(apply(TracedText{text}, store).bytes);
}

}  // namespace afina
