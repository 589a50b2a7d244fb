// Numbers as people read them: three or four digits, SI for counts, binary prefixes for bytes.
#include "tools/text/format.h"
#include <cmath>
#include <cstdio>

#include "data/tokenizer/utf8.h"

namespace afina {
namespace {

const char* const minus = "\u2212";
const char* const dash = "\u2013";

std::string print(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Three significant digits below 1000, without an exponent.
std::string three_digits(double value) {
  double size = std::fabs(value);
  return print(size >= 99.95 ? "%.0f" : size >= 9.995 ? "%.1f" : "%.2f", value);
}

std::string with_prefix(double value, double base, const char* const* prefixes, int last) {
  int which = 0;
  while (which < last && std::fabs(value) >= base * 0.9995) {
    value /= base;
    which++;
  }
  bool whole = which == 0 && value == std::floor(value);
  return (whole ? print("%.0f", value) : three_digits(value)) + prefixes[which];
}

}  // namespace

std::string format_count(double count) {
  static const char* const prefixes[] = {"", " k", " M", " B", " T"};
  if (!std::isfinite(count)) return dash;
  // Model sizes are known by one decimal (134.5 M), so one digit more than elsewhere.
  for (int which = 4; which > 0; which--) {
    double unit = std::pow(1000.0, which);
    if (count >= unit * 0.99995)
      return print(count >= unit * 99.95 ? "%.1f" : "%.2f", count / unit) + prefixes[which];
  }
  return count == std::floor(count) ? print("%.0f", count) : three_digits(count);
}

std::string format_bytes(double bytes) {
  static const char* const prefixes[] = {" B", " KiB", " MiB", " GiB", " TiB"};
  return std::isfinite(bytes) ? with_prefix(bytes, 1024, prefixes, 4) : dash;
}

std::string format_flops(double flops) {
  static const char* const prefixes[] = {" FLOP",  " kFLOP", " MFLOP", " GFLOP",
                                         " TFLOP", " PFLOP", " EFLOP", " ZFLOP"};
  return std::isfinite(flops) ? with_prefix(flops, 1000, prefixes, 7) : dash;
}

std::string format_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return dash;
  if (seconds < 0.0995) return print(seconds < 0.001 ? "%.2f ms" : "%.1f ms", seconds * 1000);
  if (seconds < 59.95) return print(seconds < 9.995 ? "%.2f s" : "%.1f s", seconds);
  int64_t whole = int64_t(seconds + 0.5), minutes = whole / 60, hours = minutes / 60;
  char text[64];
  if (hours == 0) std::snprintf(text, sizeof text, "%d min %02d s", int(minutes), int(whole % 60));
  else if (hours < 100000)
    std::snprintf(text, sizeof text, "%d h %02d min", int(hours), int(minutes % 60));
  else return dash;
  return text;
}

std::string format_rate(double per_second) {
  if (!std::isfinite(per_second)) return dash;
  return per_second < 99.95 ? three_digits(per_second) : format_grouped(int64_t(per_second + 0.5));
}

std::string format_ratio(double ratio) {
  if (!std::isfinite(ratio)) return dash;
  if (ratio != 0 && std::fabs(ratio) < 0.0995) return print("%.2g", ratio) + "×";
  return print(std::fabs(ratio) < 9.95   ? "%.2f"
               : std::fabs(ratio) < 99.5 ? "%.1f"
                                         : "%.0f",
               ratio) +
         "×";
}

std::string format_load(double load) { return std::isfinite(load) ? print("%.2f", load) : dash; }

std::string format_percent(double share) {
  if (!std::isfinite(share)) return dash;
  double percent = share * 100;
  if (percent == 0 || std::fabs(percent) >= 99.95) return print("%.0f %%", percent);
  return print(std::fabs(percent) < 0.0995  ? "%.2g %%"
               : std::fabs(percent) < 0.995 ? "%.2f %%"
                                            : "%.1f %%",
               percent);
}

std::string format_loss(double loss) {
  return std::isfinite(loss) ? print("%.4f", loss) : "diverged";
}

std::string format_difference(double value) {
  if (!std::isfinite(value)) return dash;
  if (value == 0.) return "0";  // nothing at all, where 0.0000 is something below a rounding
  const std::string size = print("%.4f", std::fabs(value));
  std::string text = size == "0.0000" ? "" : value < 0 ? minus : "+";
  text += size;
  return text;
}

std::string format_learning_rate(double rate) {
  if (!std::isfinite(rate) || rate <= 0) return rate == 0 ? "0" : dash;
  int exponent = int(std::floor(std::log10(rate) + 1e-12));
  char text[64];
  std::snprintf(text, sizeof text, "%.3ge%d", rate / std::pow(10.0, exponent), exponent);
  return text;
}

std::string format_grouped(int64_t number) {
  std::string digits = std::to_string(number);
  size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t place = digits.size(); place > first + 3;) digits.insert(place -= 3, 1, ',');
  return digits;
}

std::string short_hash(const std::string& hash, size_t length) { return hash.substr(0, length); }

std::string harmless(std::string_view text) {
  std::string out;
  auto show = [&](unsigned char c) {
    ((out += "\\x") += "0123456789abcdef"[c >> 4]) += "0123456789abcdef"[c & 15];
  };
  for (size_t i = 0; i < text.size();) {
    const Character one = character_at(text, i);
    // U+0080 to U+009F: some terminals obey them. What is no UTF-8 is shown as its bytes.
    const bool obeyed = (one.code < 32 && one.code != '\n' && one.code != '\t') ||
                        (one.code >= 127 && one.code < 0xA0);
    for (uint32_t k = 0; k < one.bytes; ++k)
      if (obeyed || !one.valid) show(uint8_t(text[i + k]));
      else out += text[i + k];
    i += one.bytes;
  }
  return out;
}

size_t display_width(const std::string& utf8) {
  size_t width = 0;
  for (size_t place = 0; place < utf8.size(); place++) {
    unsigned char byte = utf8[place];
    if ((byte & 0xC0) == 0x80) continue;  // counted with its first byte
    bool wide =
        byte >= 0xF0 || (byte >= 0xE3 && byte <= 0xED);  // from U+3000 on: near enough for columns
    width += wide ? 2 : 1;
  }
  return width;
}

}  // namespace afina
