// Selects layers: by name, by a pattern with '*', or by a regular expression.
#pragma once
#include <memory>
#include <string>

namespace afina {

// A pattern for paths such as "model.layers.3.self_attn.q_proj".
class ModulePattern {
 public:
  // "q_proj" or "mlp.up_proj" matches a path that equals it or ends with it after a dot. "*.mlp.*"
  // is the same, with any text for each '*'. "re:.*(q|v)_proj" is a Perl-compatible regular
  // expression that must match the whole path. Throws if the pattern is malformed.
  explicit ModulePattern(std::string text);
  // Whether a layer's path matches. Throws if a regular expression takes too long.
  bool matches(const std::string& path) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::shared_ptr<void> expression_;
};

}  // namespace afina
