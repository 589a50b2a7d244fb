// Encodings of text files.
#include "data/encoding.h"

#include <algorithm>
#include <cstdint>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

std::string from_utf16(std::string_view bytes, bool big, const std::string& name) {
  require(bytes.size() % 2 == 0, name, ": UTF-16 of ", bytes.size(),
          " bytes: an odd number; the file is incomplete or of another encoding");
  auto unit = [&](size_t at) {
    const uint32_t first = uint8_t(bytes[at]), second = uint8_t(bytes[at + 1]);
    return big ? first << 8 | second : second << 8 | first;
  };
  std::string out;
  out.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size(); at += 2) {
    uint32_t code = unit(at);
    if (code >= 0xD800 && code < 0xE000) {
      const uint32_t low = code < 0xDC00 && at + 2 < bytes.size() ? unit(at + 2) : 0;
      require(low >= 0xDC00 && low < 0xE000, name, ": byte ", at,
              ": half of a surrogate pair: this is not UTF-16, or the file is damaged");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(out, code);
  }
  if (out.starts_with("\xEF\xBB\xBF")) out.erase(0, 3);
  return out;
}

// What Windows-1252 has at 0x80 to 0x9F; 0: nothing.
constexpr uint16_t windows[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                  0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                  0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                  0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::string from_one_byte(std::string_view bytes, bool is_windows, const std::string& name) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (size_t at = 0; at < bytes.size(); ++at) {
    uint32_t code = uint8_t(bytes[at]);
    if (is_windows && code >= 0x80 && code < 0xA0) {
      require(windows[code - 0x80] != 0, name, ": byte ", at,
              ": Windows-1252 has no letter for this byte; the file is of another encoding");
      code = windows[code - 0x80];
    }
    append_utf8(out, code);
  }
  return out;
}

// Text of the Latin alphabet in UTF-16 has a zero in every second byte. 0, or which of the two.
int zeros_of_utf16(std::string_view bytes) {
  const size_t looked = std::min<size_t>(bytes.size(), 256) / 2 * 2;
  size_t even = 0, odd = 0;
  for (size_t at = 0; at < looked; at += 2) {
    even += bytes[at] == 0;
    odd += bytes[at + 1] == 0;
  }
  if (looked < 4) return 0;
  return odd * 4 >= looked ? 1 : even * 4 >= looked ? 2 : 0;
}

}  // namespace

std::string_view after_mark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

std::string to_utf8(std::string bytes, TextEncoding encoding, const std::string& name) {
  const std::string_view view = bytes;
  if (encoding == TextEncoding::utf16le || encoding == TextEncoding::utf16be)
    return from_utf16(view, encoding == TextEncoding::utf16be, name);
  if (encoding == TextEncoding::latin1 || encoding == TextEncoding::windows1252)
    return from_one_byte(view, encoding == TextEncoding::windows1252, name);
  if (encoding == TextEncoding::automatic) {
    using namespace std::string_view_literals;
    require(!view.starts_with("\xFF\xFE\0\0"sv) && !view.starts_with("\0\0\xFE\xFF"sv), name,
            ": the text is UTF-32, which is not read; convert it: iconv -f UTF-32 -t UTF-8 ", name,
            " > NEW");
    if (view.starts_with("\xFF\xFE")) return from_utf16(view.substr(2), false, name);
    if (view.starts_with("\xFE\xFF")) return from_utf16(view.substr(2), true, name);
    const int zeros = zeros_of_utf16(view);
    require(zeros == 0, name,
            ": every second byte is zero, as in UTF-16, but there is no byte order mark; give "
            "--encoding utf-16",
            zeros == 1 ? "le" : "be", " if it is that, or convert the file to UTF-8");
  }
  if (view.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  return bytes;
}

std::string utf8_fault(std::string_view text) {
  size_t at = 0, bad = text.size();
  while (at < text.size()) {
    if (uint8_t(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Character c = character_at(text, at);
    if (!c.valid) {
      bad = at;
      break;
    }
    at += c.bytes;
  }
  if (bad == text.size()) return "";
  bool is_windows = false, known = true;
  for (char one : text.substr(bad)) {
    const int code = uint8_t(one) - 0x80;
    if (code < 0 || code >= 32) continue;
    is_windows = true;
    known &= windows[code] != 0;
  }
  const char* digits = "0123456789ABCDEF";
  const uint8_t byte = uint8_t(text[bad]);
  std::string words = "not UTF-8: byte 0x";
  words += digits[byte >> 4];
  words += digits[byte & 15];
  if (!known) return words + ". Convert the file to UTF-8, with iconv -f ENCODING -t UTF-8";
  // The letters around it, so that a reader sees whether they make a word.
  auto is_letter = [&](size_t i) {
    const uint8_t c = uint8_t(text[i]);
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  size_t begin = bad, end = bad + 1;
  while (begin > 0 && bad - begin < 12 && is_letter(begin - 1)) --begin;
  while (end < text.size() && end - bad < 12 && is_letter(end)) ++end;
  const std::string name = is_windows ? "windows-1252" : "latin-1";
  return words + ", in \"" + from_one_byte(text.substr(begin, end - begin), is_windows, "") +
         "\" if the file is " + (is_windows ? "Windows-1252" : "Latin-1") +
         ": then give --encoding " + name +
         ". Files of other encodings have to be converted, with iconv -f ENCODING -t UTF-8";
}

}  // namespace afina
