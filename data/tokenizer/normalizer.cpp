// The normalizers of tokenizer.json used by the supported families: NFC, Prepend, Replace and
// Sequence.
#include "data/tokenizer/normalizer.h"

#include "data/tokenizer/nfc.h"
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

Normalizer::Normalizer(const Json& json, const std::string& where) {
  if (!json.is_null()) add(json, where);
}

void Normalizer::add(const Json& json, const std::string& where) {
  auto type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    const Json& all = member(json, "normalizers", where);
    require(all.is_array(), where, ": normalizers: expected an array, found ", describe(all));
    for (auto& one : all) add(one, where);
  } else if (type == "NFC") {
    steps_.push_back(nfc);
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
    const Json& pattern = member(json, "pattern", where);
    require(pattern.is_object() && pattern.contains("String"), where,
            ": Replace: expected a pattern {\"String\": ...}, found ", describe(pattern));
    auto from = get<std::string>(pattern, "String", where),
         to = get<std::string>(json, "content", where);
    steps_.push_back([from, to](const TracedText& text, TextStore& store) {
      return replace_all(text, from, to, store);
    });
  } else {
    fail(where, ": the normalizer \"", type,
         "\" is not supported; known are NFC, Prepend, Replace (of a string) and Sequence");
  }
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
