// Which layers are meant: by name, by a pattern with '*', or by a regular expression.
#pragma once
#include <memory>
#include <string>

namespace afina {

class ModulePattern {
 public:
  // "q_proj" or "mlp.up_proj": a path that is this or ends in it after a dot. "*.mlp.*": the same
  // with any text for each '*'. "re:.*(q|v)_proj": a Perl-compatible expression that covers the
  // whole path. A malformed one is an Error.
  explicit ModulePattern(std::string text);
  // An expression that takes too long is an Error, not a wait.
  bool matches(const std::string& path) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::shared_ptr<void> expression_;
};

}  // namespace afina
