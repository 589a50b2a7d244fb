// Fuzz targets: tokenizers that are not byte-pair encoding, with normalizers, pre-tokenizers and
// decoders of every kind, and the charsmap of SentencePiece; text through whatever they became.
#include "data/tokenizer/precompiled.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "test/fuzz/fuzz.h"

namespace afina {
namespace {

const char* const texts[] = {" hello  \u0130a\u0301\u1100\u1161\ufb01\u00bd\u4e2d<m>\n",
                             "a\xff\xc3 \u2581\U0001f469\u200d\U0001f467\u0915\u094d\u0937 12.b"};

void run(std::string_view input) {
  const Tokenizer tokenizer = Tokenizer::from_json(std::string(input), "fuzz");
  for (const std::string text : texts) {
    const Encoding encoding = tokenizer.encode_with_offsets(text);
    int64_t at = 0;
    for (const Range& range : encoding.ranges) {
      if (range.begin < at || range.end < range.begin || range.end > int64_t(text.size()))
        throw std::logic_error("a range is out of order");
      at = range.end;
    }
    const std::string decoded = tokenizer.decode(encoding.ids);
    if (!is_utf8(decoded)) throw std::logic_error("decoded text is not UTF-8");
    TextStream stream(tokenizer, false);
    std::string streamed;
    for (int32_t id : encoding.ids) streamed += stream.push(id);
    if (!is_utf8(streamed + stream.finish())) throw std::logic_error("streamed text is not UTF-8");
  }
}

std::vector<std::string> seeds() {
  return {
      R"({"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],)"
      R"(["▁",-2.5],["a",-3],["▁hello",-4.25],["lo",-3.5],["<0x41>",-9],["12",-1e1]]},)"
      R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"},)"
      R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"},{"type":"Strip",)"
      R"("strip_left":true,"strip_right":true},{"type":"Nmt"},{"type":"StripAccents"}]},)"
      R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)"
      R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}]},)"
      R"("decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Metaspace",)"
      R"("replacement":"▁","prepend_scheme":"always"},{"type":"Strip","content":" ","start":1,)"
      R"("stop":1},{"type":"Replace","pattern":{"Regex":"l+"},"content":"L"}]},)"
      R"("added_tokens":[{"id":7,"content":"<m>","special":true,"lstrip":true}],)"
      R"("post_processor":{"type":"RobertaProcessing","cls":["a",2],"sep":["lo",4]}})",
      R"({"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
      R"("max_input_chars_per_word":20,"vocab":{"[UNK]":0,"he":1,"##l":2,"##lo":3,"a":4}},)"
      R"("normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
      R"("strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},)"
      R"("decoder":{"type":"WordPiece","prefix":"##","cleanup":true},)"
      R"("post_processor":{"type":"BertProcessing","cls":["a",4],"sep":["he",1]}})",
      R"({"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"hello":1,"a":2}},)"
      R"("normalizer":{"type":"NFD"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[)"
      R"({"type":"Whitespace"},{"type":"Punctuation","behavior":"Contiguous"},{"type":"Digits",)"
      R"("individual_digits":false},{"type":"CharDelimiterSplit","delimiter":"l"},)"
      R"({"type":"UnicodeScripts"},{"type":"FixedLength","length":3},{"type":"Split",)"
      R"("pattern":{"String":"h"},"behavior":"MergedWithNext","invert":true}]},)"
      R"("decoder":{"type":"BPEDecoder","suffix":"a"}})",
      R"({"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["X",-1]]},"normalizer":)"
      R"({"type":"Precompiled","precompiled_charsmap":"EAAAAABAAAAAAAAAAAAAAAAAAABYAA=="}})"};
}

const FuzzTarget registered("unigram", run, seeds,
                            {"\"type\"", "\"Unigram\"", "\"WordPiece\"", "\"WordLevel\"",
                             "\"NFKD\"", "\"ByteLevel\"", "\"Regex\"", "\"Removed\"", "null", "-1",
                             "1e308", "4294967296", "▁", "<0x41>", "[\"a\",-1],", "false"});

std::string base64_of(std::string_view bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? uint8_t(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? digits[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

void run_charsmap(std::string_view input) {
  const Precompiled rules(base64_of(input), "fuzz");
  for (const std::string text : {"a\u0301b\u1100\u1161\r\nx", "\u00bd\ufb01 \U0001f469\u4e2d"}) {
    TextStore store(text.size());
    const TracedText out = rules.apply(TracedText{text}, store);
    if (!is_utf8(out.bytes)) throw std::logic_error("normalised text is not UTF-8");
    for (size_t i = 0; i < out.bytes.size(); ++i)
      if (out.at(i) > out.at(i + 1) || out.at(i + 1) > text.size())
        throw std::logic_error("a byte is traced to nowhere");
  }
}

// A trie of the keys a, "a\u0301" and b; laid out by hand.
std::vector<std::string> charsmaps() {
  std::vector<uint32_t> units(256);
  auto at = [&](size_t node, uint8_t label) { return node ^ label; };
  auto put = [&](size_t place, uint8_t label, size_t base, bool ends) {
    units[place] = uint32_t(label) | uint32_t(place ^ base) << 10 | uint32_t(ends) << 8;
  };
  put(0, 0, 1, false);
  put(at(1, 'a'), 'a', 4, true);
  units[at(4, 0)] = 0x80000000;
  put(at(4, 0xCC), 0xCC, 8, false);
  put(at(8, 0x81), 0x81, 16, true);
  units[at(16, 0)] = 0x80000002;
  put(at(1, 'b'), 'b', 32, true);
  units[at(32, 0)] = 0x80000005;
  std::string bytes("\0\4\0\0", 4);
  for (uint32_t unit : units)
    for (int i = 0; i < 4; ++i) bytes += char(unit >> 8 * i & 0xFF);
  return {bytes + std::string("A\0\u00e9\0\0", 6), std::string("\0\0\0\0x\0", 6)};
}

const FuzzTarget registered_charsmap("charsmap", run_charsmap, charsmaps,
                                     {std::string("\0\4\0\0", 4), "\xff\xff\xff\x7f", "\x80",
                                      std::string("\0", 1)});

}  // namespace
}  // namespace afina
