// Shows a sample as the model sees it: every token with its id, and whether it is a target.
#include "data/show.h"

#include <iomanip>
#include <sstream>

#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

constexpr char learned_colour[] = "\x1b[32m", context_colour[] = "\x1b[90m",
               special_colour[] = "\x1b[1m", plain_colour[] = "\x1b[0m";

// Escapes control characters: bytes from a data set must not control the terminal.
std::string escaped(std::string_view bytes) {
  std::ostringstream out;
  for (size_t at = 0; at < bytes.size();) {
    Character c = character_at(bytes, at);
    if (!c.valid) {
      for (uint32_t i = 0; i < c.bytes; ++i)
        out << "\\x" << std::hex << std::setw(2) << std::setfill('0')
            << int(uint8_t(bytes[at + i]));
    } else if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
      out << (c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r");
    } else if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0) ||
               (c.code >= 0x202A && c.code <= 0x202E) || (c.code >= 0x2066 && c.code <= 0x2069)) {
      out << "\\u{" << std::hex << c.code << "}";
    } else {
      out << bytes.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  return out.str();
}

std::string coloured(const std::string& text, bool learned, bool special, bool colour) {
  if (!colour) return text;
  return std::string(special ? special_colour : "") + (learned ? learned_colour : context_colour) +
         text + plain_colour;
}

std::string as_table(const Sample& sample, const Tokenizer& tokenizer, const ShowOptions& options) {
  std::ostringstream out;
  for (size_t i = 0; i < sample.tokens.size(); ++i) {
    int32_t id = sample.tokens[i];
    out << std::setw(6) << i << std::setw(8) << id << "  "
        << (sample.trained[i] ? "learned" : "       ");
    if (i < options.losses.size()) {
      if (sample.trained[i]) {
        out << std::setw(9) << std::fixed << std::setprecision(3) << options.losses[i];
      } else {
        out << std::setw(9) << "";
      }
    }
    out << "  "
        << coloured(escaped(tokenizer.token_bytes(id)), sample.trained[i], tokenizer.is_special(id),
                    options.colour)
        << "\n";
  }
  return out.str();
}

}  // namespace

std::string show_sample(const Sample& sample, const Tokenizer& tokenizer,
                        const ShowOptions& options) {
  if (options.ids) return as_table(sample, tokenizer, options);
  std::string out, run;
  size_t begin = 0;
  // Runs of tokens with the same style are decoded together, so that characters that span several
  // tokens come out complete.
  for (size_t i = 0; i <= sample.tokens.size(); ++i) {
    auto same = [&](size_t a, size_t b) {
      return sample.trained[a] == sample.trained[b] &&
             tokenizer.is_special(sample.tokens[a]) == tokenizer.is_special(sample.tokens[b]);
    };
    if (i > begin && (i == sample.tokens.size() || !same(begin, i))) {
      bool learned = sample.trained[begin], special = tokenizer.is_special(sample.tokens[begin]);
      std::string text = escaped(run);
      for (size_t at = text.find("\\n"); at != text.npos; at = text.find("\\n", at + 3))
        text.insert(at + 2, "\n");
      out += options.colour || !learned ? coloured(text, learned, special, options.colour)
                                        : "[" + text + "]";
      run.clear();
      begin = i;
    }
    if (i < sample.tokens.size()) run += tokenizer.token_bytes(sample.tokens[i]);
  }
  return out + "\n";
}

}  // namespace afina
