// Patterns of Oniguruma (its default syntax, Ruby's) rewritten for PCRE2.
#include <optional>
#include <vector>

#include "data/tokenizer/regex.h"
#include "engine/error.h"

namespace afina {

namespace {

// Insides of a class [...]: what the letters mean in Oniguruma, and everything else.
constexpr std::string_view
    white_space =
        R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F})"
        R"(\x{205F}\x{3000})",
    no_white_space = R"(\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F})"
                     R"(\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E})"
                     R"(\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})",
    hexadecimal = "0-9A-Fa-f", no_hexadecimal = R"(\x{0}-/:-@G-`g-\x{10FFFF})",
    // Its table of Latin-1 has the superscripts and fractions among the characters of words.
    word = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";

class Rewriter {
 public:
  Rewriter(std::string_view pattern, const std::string& where) : in_(pattern), where_(where) {}

  std::string rewrite() {
    while (at_ < in_.size()) one();
    return std::move(out_);
  }

 private:
  void one() {
    const char c = in_[at_];
    const bool goes_on = (uint8_t(c) & 0xC0) == 0x80;  // a further byte of a character
    if (c == '\\') return escape();
    if (c == '[') return bracket();
    if (c == '(') return open();
    if (c == ')') {
      ++at_;
      out_ += ')';
      atom_.reset();
      if (!groups_.empty()) {
        atom_ = groups_.back();
        groups_.pop_back();
      }
      return;
    }
    if (c == '{' && atom_ && interval()) return;
    if (c == '*' || c == '+' || c == '?') {
      out_ += in_[at_++];
      // Lazy and possessive mean the same in both.
      if (at_ < in_.size() && (in_[at_] == '+' || in_[at_] == '?')) out_ += in_[at_++];
      return;
    }
    if (c == '|') atom_.reset();
    else if (!goes_on) atom_ = out_.size();
    out_ += in_[at_++];
  }

  [[noreturn]] void refuse(const std::string& what) const {
    fail(where_, ": ", what, " is not supported in the pattern \"", std::string(in_), "\"");
  }

  // (?imx-imx), (?imx-imx:...): m is what PCRE2 calls s; what else a group may begin with is the
  // same.
  void open() {
    const size_t start = out_.size();
    out_ += in_[at_++];
    if (in_.substr(at_, 2) == "?~") refuse("the absent operator (?~");
    if (at_ < in_.size() && in_[at_] == '?') {
      size_t end = in_.find_first_not_of("imx-", at_ + 1);
      if (end != in_.npos && end > at_ + 1 && (in_[end] == ':' || in_[end] == ')')) {
        for (; at_ < end; ++at_) out_ += in_[at_] == 'm' ? 's' : in_[at_];
        out_ += in_[at_++];
        if (in_[end] == ')') return;  // for the rest of the group around it
      } else if (in_.substr(at_, 2) == "?#") {
        end = std::min(in_.find(')', at_), in_.size() - 1);
        out_ += in_.substr(at_, end + 1 - at_);
        at_ = end + 1;
        return;
      } else {
        out_ += in_[at_++];
        // The sign of a look-around or of an atomic group is no quantifier.
        if (at_ < in_.size()) out_ += in_[at_++];
      }
    }
    groups_.push_back(start);
    atom_.reset();
  }

  // {n}, {n,}, {n,m}, {,m}: false where it is text. {n,m}+ repeats the repetition here, and {n}?
  // makes it optional; in PCRE2 they would be possessive and lazy.
  bool interval() {
    const size_t end = in_.find('}', at_);
    if (end == in_.npos) return false;
    std::string inside(in_.substr(at_ + 1, end - at_ - 1));
    const size_t comma = inside.find(',');
    if (inside.empty() || inside == "," || inside.find_first_not_of("0123456789,") != inside.npos ||
        (comma != inside.npos && inside.find(',', comma + 1) != inside.npos))
      return false;
    if (comma == 0) inside = "0" + inside;
    at_ = end + 1;
    const char next = at_ < in_.size() ? in_[at_] : ' ';
    const bool again = next == '+' || (next == '?' && comma == inside.npos);
    if (again) out_.insert(*atom_, "(?:");
    out_ += "{" + inside + "}";
    if (again) out_ += ")";
    if (next == '+' || next == '?') out_ += in_[at_++];
    return true;
  }

  // \p{...}, \x{...} and the like, with what stands in braces.
  void copy_escape() {
    out_ += '\\';
    out_ += in_[at_++];
    const char letter = out_.back();
    if ((letter == 'p' || letter == 'P' || letter == 'x') && at_ < in_.size() && in_[at_] == '{') {
      const size_t end = std::min(in_.find('}', at_), in_.size() - 1);
      out_ += in_.substr(at_, end + 1 - at_);
      at_ = end + 1;
    }
  }
  // \uHHHH; false where it is something else.
  bool hexadecimal_character() {
    if (in_[at_] != 'u' || in_.size() < at_ + 5) return false;
    out_ += "\\x{" + std::string(in_.substr(at_ + 1, 4)) + "}";
    at_ += 5;
    return true;
  }

  void escape() {
    atom_ = out_.size();
    if (++at_ == in_.size()) {
      out_ += '\\';
      return;
    }
    auto put = [&](const std::string& text) {
      out_ += text;
      ++at_;
    };
    auto put_class = [&](std::string_view inside, bool negated = false) {
      put((negated ? "[^" : "[") + std::string(inside) + "]");
    };
    const std::string w = "[" + std::string(word) + "]";
    switch (in_[at_]) {
      case 's': return put_class(white_space);
      case 'S': return put_class(white_space, true);
      case 'h': return put_class(hexadecimal);
      case 'H': return put_class(hexadecimal, true);
      case 'w': return put_class(word);
      case 'W': return put_class(word, true);
      case 'v': return put("\\x0B");
      case 'b': return put("(?:(?<=" + w + ")(?!" + w + ")|(?<!" + w + ")(?=" + w + "))");
      case 'B': return put("(?:(?<=" + w + ")(?=" + w + ")|(?<!" + w + ")(?!" + w + "))");
      case 'y':
      case 'Y':
      case 'O':
      case 'N': refuse(std::string("\\") + in_[at_]);
      default:
        if (!hexadecimal_character()) copy_escape();
    }
  }

  void bracket() {
    atom_ = out_.size();
    out_ += in_[at_++];
    if (at_ < in_.size() && in_[at_] == '^') out_ += in_[at_++];
    // A ] in first position is a literal character.
    if (at_ < in_.size() && in_[at_] == ']') {
      out_ += "\\]";
      ++at_;
    }
    while (at_ < in_.size() && in_[at_] != ']') {
      if (in_.substr(at_, 2) == "[:") posix();
      else if (in_[at_] == '[' || in_.substr(at_, 2) == "&&") refuse("a class within a class");
      else if (in_[at_] == '\\' && at_ + 1 < in_.size()) in_class();
      else out_ += in_[at_++];
    }
    if (at_ < in_.size()) out_ += in_[at_++];
  }

  void in_class() {
    ++at_;
    auto put = [&](std::string_view text) {
      out_ += text;
      ++at_;
    };
    switch (in_[at_]) {
      case 's': return put(white_space);
      case 'S': return put(no_white_space);
      case 'h': return put(hexadecimal);
      case 'H': return put(no_hexadecimal);
      case 'w': return put(word);
      case 'v': return put("\\x0B");
      case 'W': refuse("\\W inside [...]");
      default:
        if (!hexadecimal_character()) copy_escape();
    }
  }

  void posix() {
    struct Named {
      std::string_view name, inside;
    };
    static const Named all[] = {{"[:alpha:]", R"(\p{Alphabetic})"},
                                {"[:digit:]", R"(\p{Nd})"},
                                {"[:alnum:]", R"(\p{Alphabetic}\p{Nd})"},
                                {"[:punct:]", R"(\p{P}\p{S})"},
                                {"[:space:]", white_space},
                                {"[:xdigit:]", hexadecimal},
                                {"[:word:]", word}};
    for (const Named& one : all) {
      if (in_.substr(at_, one.name.size()) != one.name) continue;
      out_ += one.inside;
      at_ += one.name.size();
      return;
    }
    refuse(std::string(in_.substr(at_, in_.find(']', at_) + 1 - at_)));
  }

  std::string_view in_;
  const std::string& where_;
  size_t at_ = 0;
  std::string out_;
  std::vector<size_t> groups_;  // where the open groups begin in out_
  std::optional<size_t> atom_;  // where what a quantifier would repeat begins in out_
};

}  // namespace

std::string pattern_for_pcre2(std::string_view pattern, const std::string& where) {
  return Rewriter(pattern, where).rewrite();
}

}  // namespace afina
