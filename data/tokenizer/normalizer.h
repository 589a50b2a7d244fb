// The normalizers of tokenizer.json that the supported families use: NFC, Prepend, Replace and
// sequences of them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/tokenizer/traced_text.h"
#include "engine/files/json.h"

namespace afina {

class Normalizer {
 public:
  Normalizer() = default;
  // json: the "normalizer" of a tokenizer.json (null: nothing is done). A kind that is not
  // supported is an error.
  Normalizer(const Json& json, const std::string& where);
  bool empty() const { return steps_.empty(); }
  TracedText apply(TracedText text, TextStore& store) const;
  std::string apply(std::string_view text) const;

 private:
  using Step = std::function<TracedText(const TracedText&, TextStore&)>;
  void add(const Json& json, const std::string& where);
  std::vector<Step> steps_;
};

// Replaces every `from`; the text itself where there is none.
TracedText replace_all(const TracedText& text, std::string_view from, std::string_view to,
                       TextStore& store);

}  // namespace afina
