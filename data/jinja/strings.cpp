// What Python's str does, on UTF-8.
#include "data/jinja/strings.h"

#include <cstring>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina::jinja {

bool python_space(uint32_t code) { return is_white_space(code) || (code >= 0x1c && code <= 0x1f); }

namespace {

bool among(uint32_t code, std::string_view characters) {
  if (characters.empty()) return python_space(code);
  for (size_t i = 0; i < characters.size();) {
    const Character c = character_at(characters, i);
    if (c.code == code) return true;
    i += c.bytes;
  }
  return false;
}

// The beginning of the character that ends at `end`.
size_t before(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && (uint8_t(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

// Letters whose case is not covered by to_upper and to_lower.
void require_known(uint32_t c) {
  const bool unknown = (c >= 0x180 && c <= 0x2AF) || (c >= 0x370 && c <= 0x385) ||
                       (c >= 0x3CF && c <= 0x3FF) || (c >= 0x460 && c <= 0x58F) ||
                       (c >= 0x10A0 && c <= 0x10FF) || (c >= 0x13A0 && c <= 0x13FF) ||
                       (c >= 0x1C80 && c <= 0x1CBF) || (c >= 0x1D79 && c <= 0x1D8E) ||
                       (c >= 0x1E00 && c <= 0x1FFF) || (c >= 0x2126 && c <= 0x2132) ||
                       (c >= 0x2160 && c <= 0x2188) || (c >= 0x24B6 && c <= 0x24E9) ||
                       (c >= 0x2C00 && c <= 0x2D2F) || (c >= 0xA640 && c <= 0xA7FF) ||
                       (c >= 0xAB30 && c <= 0xABBF) || (c >= 0xFB00 && c <= 0xFB17) ||
                       (c >= 0xFF21 && c <= 0xFF5A) || (c >= 0x10400 && c <= 0x1E943);
  if (!unknown) return;
  std::string text;
  append_utf8(text, c);
  fail("changing the case of '", text,
       "' is not supported: it is no ASCII, Latin, Greek or Cyrillic letter");
}

bool odd_lower(uint32_t c) {  // lower case where the code is odd, upper case just before it
  return (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177);
}
bool even_lower(uint32_t c) { return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E); }

// One whose other case is several characters, or depends on what stands beside it.
[[noreturn]] void fail_case(uint32_t c) {
  std::string text;
  append_utf8(text, c);
  fail("changing the case of '", text, "' is not supported");
}

void append_upper(std::string& out, uint32_t c) {
  require_known(c);
  if (c == 0xDF) {
    out += "SS";
    return;
  }
  if (c == 0x149 || c == 0x390 || c == 0x3B0) fail_case(c);
  if (c >= 'a' && c <= 'z') c -= 32;
  else if (c == 0xB5) c = 0x39C;
  else if (c >= 0xE0 && c <= 0xFE && c != 0xF7) c -= 32;
  else if (c == 0xFF) c = 0x178;
  else if (c == 0x131) c = 'I';
  else if (c == 0x17F) c = 'S';
  else if (odd_lower(c) && c % 2 == 1) c -= 1;
  else if (even_lower(c) && c % 2 == 0) c -= 1;
  else if (c == 0x3AC) c = 0x386;
  else if (c >= 0x3AD && c <= 0x3AF) c -= 37;
  else if (c == 0x3C2) c = 0x3A3;
  else if (c >= 0x3B1 && c <= 0x3CB) c -= 32;
  else if (c == 0x3CC) c = 0x38C;
  else if (c == 0x3CD || c == 0x3CE) c -= 63;
  else if (c >= 0x430 && c <= 0x44F) c -= 32;
  else if (c >= 0x450 && c <= 0x45F) c -= 80;
  append_utf8(out, c);
}
void append_lower(std::string& out, uint32_t c) {
  require_known(c);
  if (c == 0x130 || c == 0x3A3) fail_case(c);
  if (c >= 'A' && c <= 'Z') c += 32;
  else if (c >= 0xC0 && c <= 0xDE && c != 0xD7) c += 32;
  else if (c == 0x178) c = 0xFF;
  else if (odd_lower(c) && c % 2 == 0) c += 1;
  else if (even_lower(c) && c % 2 == 1) c += 1;
  else if (c == 0x386) c = 0x3AC;
  else if (c >= 0x388 && c <= 0x38A) c += 37;
  else if (c == 0x38C) c = 0x3CC;
  else if (c == 0x38E || c == 0x38F) c += 63;
  else if (c >= 0x391 && c <= 0x3AB) c += 32;
  else if (c >= 0x410 && c <= 0x42F) c += 32;
  else if (c >= 0x400 && c <= 0x40F) c += 80;
  append_utf8(out, c);
}
bool cased(uint32_t c) {
  std::string up, down;
  append_upper(up, c);
  if (c != 0x3A3) append_lower(down, c);
  return up != down || c == 0x3A3;
}

}  // namespace

size_t found_in(std::string_view text, std::string_view wanted, size_t from) {
  if (from > text.size()) return text.npos;
  const void* at = ::memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return at ? size_t(static_cast<const char*>(at) - text.data()) : text.npos;
}

std::string stripped(std::string_view text, std::string_view characters, bool left, bool right) {
  while (left && !text.empty()) {
    const Character c = character_at(text, 0);
    if (!among(c.code, characters)) break;
    text.remove_prefix(c.bytes);
  }
  while (right && !text.empty()) {
    const size_t last = before(text, text.size());
    if (!among(character_at(text, last).code, characters)) break;
    text = text.substr(0, last);
  }
  return std::string(text);
}

size_t length_of(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (uint8_t(c) & 0xC0) != 0x80;
  return n;
}

std::string with_case(std::string_view text, Case wanted) {
  std::string out;
  bool first = true;
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    const bool up = wanted == Case::upper || (wanted != Case::lower && first);
    if (up) append_upper(out, c.code);
    else append_lower(out, c.code);
    first = wanted == Case::title ? !cased(c.code) : false;
    i += c.bytes;
  }
  return out;
}

std::vector<std::string> split(std::string_view text, std::string_view separator, int64_t most) {
  std::vector<std::string> parts;
  if (separator.empty()) {
    while (true) {
      std::string rest = stripped(text, "", true, false);
      text = text.substr(text.size() - rest.size());
      if (text.empty()) return parts;
      if (most >= 0 && int64_t(parts.size()) == most) {
        parts.emplace_back(text);
        return parts;
      }
      size_t end = 0;
      while (end < text.size()) {
        const Character c = character_at(text, end);
        if (python_space(c.code)) break;
        end += c.bytes;
      }
      parts.emplace_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }
  for (size_t at; (most < 0 || int64_t(parts.size()) < most) &&
                  (at = found_in(text, separator)) != text.npos;) {
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.emplace_back(text);
  return parts;
}

std::vector<std::string> split_from_right(std::string_view text, std::string_view separator,
                                          int64_t most) {
  std::vector<std::string> parts;
  for (size_t at;
       (most < 0 || int64_t(parts.size()) < most) && (at = text.rfind(separator)) != text.npos;) {
    parts.emplace(parts.begin(), text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.emplace(parts.begin(), text);
  return parts;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    const bool ends = (c.code >= 0x0a && c.code <= 0x0d) || (c.code >= 0x1c && c.code <= 0x1e) ||
                      c.code == 0x85 || c.code == 0x2028 || c.code == 0x2029;
    size_t next = i + c.bytes;
    if (c.code == '\r' && next < text.size() && text[next] == '\n') ++next;
    if (ends) {
      lines.emplace_back(text.substr(begin, (keep_ends ? next : i) - begin));
      begin = next;
    }
    i = next;
  }
  if (begin < text.size()) lines.emplace_back(text.substr(begin));
  return lines;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     int64_t most) {
  std::string out;
  size_t at = 0;
  for (int64_t n = 0; most < 0 || n < most; ++n) {
    if (from.empty()) {
      // Between all characters, and at both ends.
      out += to;
      if (at >= text.size()) return out;
      const size_t bytes = character_at(text, at).bytes;
      out += text.substr(at, bytes);
      at += bytes;
      continue;
    }
    const size_t found = found_in(text, from, at);
    if (found == text.npos) break;
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
  }
  return out += text.substr(at);
}

}  // namespace afina::jinja
