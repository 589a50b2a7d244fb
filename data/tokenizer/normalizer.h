// The normalizers of tokenizer.json: they rewrite text before it is split.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/tokenizer/traced_text.h"
#include "engine/files/json.h"

namespace afina {

// A sequence of normalisation steps.
class Normalizer {
 public:
  Normalizer() = default;
  // json: the "normalizer" entry of a tokenizer.json; null leaves text unchanged. Throws for
  // unsupported kinds; `where` begins the message.
  Normalizer(const Json& json, const std::string& where);
  bool empty() const { return steps_.empty(); }
  // Applies all steps; new bytes are owned by `store`. The second form forgets where bytes came
  // from.
  TracedText apply(TracedText text, TextStore& store) const;
  std::string apply(std::string_view text) const;

 private:
  using Step = std::function<TracedText(const TracedText&, TextStore&)>;
  void add(const Json& json, const std::string& where);
  void add_replace(const Json& json, const std::string& where);
  void add_bert(const Json& json, const std::string& where);
  std::vector<Step> steps_;
};

// Replaces every occurrence of `from`; returns the text itself if there is none.
TracedText replace_all(const TracedText& text, std::string_view from, std::string_view to,
                       TextStore& store);
}  // namespace afina
