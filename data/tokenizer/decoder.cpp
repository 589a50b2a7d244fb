// The decoders of tokenizer.json: they turn the tokens of a text back into it.
#include "data/tokenizer/decoder.h"

#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

using Tokens = std::vector<std::string>;

int digit_of(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

void replace_in(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// What a run of bytes reads as: a text, or one U+FFFD for each byte.
void put_bytes(std::string& run, Tokens& out) {
  if (run.empty()) return;
  if (is_utf8(run)) out.push_back(run);
  else out.insert(out.end(), run.size(), std::string(replacement_character));
  run.clear();
}

void byte_fallback(Tokens& tokens) {
  Tokens out;
  std::string run;
  for (std::string& token : tokens) {
    const int byte = byte_of_token(token);
    if (byte >= 0) {
      run += char(byte);
    } else {
      put_bytes(run, out);
      out.push_back(std::move(token));
    }
  }
  put_bytes(run, out);
  tokens = std::move(out);
}

void byte_level(Tokens& tokens) {
  std::string all;
  for (const std::string& token : tokens) all += bytes_of_token(token);
  tokens = {valid_utf8(all)};
}

void fuse(Tokens& tokens) {
  std::string all;
  for (const std::string& token : tokens) all += token;
  tokens = {std::move(all)};
}

// What spaces and abbreviations of English are tidied to.
void tidy(std::string& text) {
  static const std::pair<const char*, const char*> all[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto& [from, to] : all) replace_in(text, from, to);
}

}  // namespace

std::string bytes_of_token(const std::string& token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const Character c = character_at(token, at);
    const int byte = byte_of_character(c.code);
    if (byte < 0) return token;
    bytes += char(byte);
    at += c.bytes;
  }
  return bytes;
}

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const int low = digit_of(token[4]);
  // The library reads the number with its sign.
  if (token[3] == '+') return low;
  const int high = digit_of(token[3]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Decoder::Decoder(const Json& json, const std::string& where) {
  if (json.is_null()) return;
  add(json, where);
  is_byte_level_ = get<std::string>(json, "type", where) == "ByteLevel";
}

void Decoder::add(const Json& json, const std::string& where) {
  auto type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    const Json& all = member(json, "decoders", where);
    require(all.is_array(), where, ": decoders: expected an array, found ", describe(all));
    for (auto& one : all) add(one, where);
    if (all.empty()) steps_.push_back([](Tokens&) {});
  } else if (type == "ByteLevel") {
    steps_.push_back(byte_level);
  } else if (type == "ByteFallback") {
    has_bytes_ = true;
    steps_.push_back(byte_fallback);
  } else if (type == "Fuse") {
    steps_.push_back(fuse);
  } else if (type == "Replace") {
    add_replace(json, where);
  } else if (type == "Strip") {
    add_strip(json, where);
  } else if (type == "Metaspace") {
    add_metaspace(json, where);
  } else if (type == "WordPiece") {
    add_word_piece(json, where);
  } else if (type == "BPEDecoder") {
    auto suffix = get<std::string>(json, "suffix", where);
    steps_.push_back([suffix](Tokens& tokens) {
      for (std::string& token : tokens)
        replace_in(token, suffix, &token == &tokens.back() ? "" : " ");
    });
  } else {
    fail(where, ": the decoder \"", type,
         "\" is not supported; known are ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace, "
         "WordPiece, BPEDecoder and Sequence",
         type == "CTC" ? " (CTC is one of recognised speech, not of a language model)" : "");
  }
}

void Decoder::add_replace(const Json& json, const std::string& where) {
  const Json& pattern = member(json, "pattern", where);
  auto to = get<std::string>(json, "content", where);
  if (const Json* regex = find_member(pattern, "Regex", where)) {
    require(regex->is_string(), where, ": Replace: expected a Regex as a string, found ",
            describe(*regex));
    steps_.push_back([to, regex = Regex(regex->get<std::string>(), where)](Tokens& tokens) {
      for (std::string& token : tokens) {
        std::string out;
        size_t done = 0;
        regex.each_match(token, [&](size_t begin, size_t end) {
          out.append(token, done, begin - done).append(to);
          done = end;
        });
        token = out.append(token, done);
      }
    });
    return;
  }
  auto from = get<std::string>(pattern, "String", where);
  require(!from.empty(), where, ": Replace: the pattern is empty");
  steps_.push_back([from, to](Tokens& tokens) {
    for (std::string& token : tokens) replace_in(token, from, to);
  });
}

void Decoder::add_strip(const Json& json, const std::string& where) {
  auto what = get<std::string>(json, "content", where);
  require(!what.empty() && character_at(what, 0).bytes == what.size(), where,
          ": Strip: expected one character as content, found \"", what, "\"");
  auto start = get<uint64_t>(json, "start", where), stop = get<uint64_t>(json, "stop", where);
  steps_.push_back([what, start, stop](Tokens& tokens) {
    for (std::string& token : tokens) {
      size_t begin = 0, end = token.size();
      for (uint64_t i = 0; i < start && token.compare(begin, what.size(), what) == 0; ++i)
        begin += what.size();
      for (uint64_t i = 0; i < stop && end - begin >= what.size() &&
                           token.compare(end - what.size(), what.size(), what) == 0;
           ++i)
        end -= what.size();
      token = token.substr(begin, end - begin);
    }
  });
}

void Decoder::add_metaspace(const Json& json, const std::string& where) {
  const MetaspaceOptions options = metaspace_options(json, where);
  const bool at_first = options.scheme != PrependScheme::never;
  steps_.push_back([mark = options.mark, at_first](Tokens& tokens) {
    for (std::string& token : tokens)
      replace_in(token, mark, at_first && &token == &tokens.front() ? "" : " ");
  });
}

void Decoder::add_word_piece(const Json& json, const std::string& where) {
  auto prefix = get_or<std::string>(json, "prefix", where, "##");
  const bool tidies = get_or<bool>(json, "cleanup", where, true);
  steps_.push_back([prefix, tidies](Tokens& tokens) {
    for (std::string& token : tokens) {
      if (&token != &tokens.front()) {
        if (token.starts_with(prefix)) token.erase(0, prefix.size());
        else token.insert(0, " ");
      }
      if (tidies) tidy(token);
    }
  });
}

std::string Decoder::decode(std::vector<std::string> tokens) const {
  std::string text;
  if (steps_.empty()) {
    for (size_t i = 0; i < tokens.size(); ++i) text += (i ? " " : "") + tokens[i];
    return valid_utf8(text);
  }
  for (auto& step : steps_)
    if (!tokens.empty()) step(tokens);
  for (const std::string& token : tokens) text += token;
  return valid_utf8(text);
}

}  // namespace afina
