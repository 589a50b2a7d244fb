// Kinds of characters, grapheme clusters and normal forms.
#include "data/tokenizer/characters.h"

#include "data/tokenizer/character_tables.h"
#include "data/tokenizer/graphemes.h"
#include "data/tokenizer/normal_form.h"
#include "data/tokenizer/utf8.h"
#include "test/scratch.h"

using namespace afina;

namespace {

std::string in_form(const std::string& from, NormalForm form) {
  TextStore store(from.size());
  const TracedText text = normal_form(TracedText{from}, form, store);
  for (size_t i = 0; i < text.bytes.size(); ++i) BOOST_REQUIRE(text.at(i) <= text.at(i + 1));
  BOOST_REQUIRE(text.at(text.bytes.size()) == from.size());
  return std::string(text.bytes);
}

std::string cut(const std::string& text) {
  std::string all;
  for (size_t at = 0; at < text.size();) {
    const size_t end = grapheme_end(text, at);
    all += (at ? "|" : "") + text.substr(at, end - at);
    at = end;
  }
  return all;
}

template <class Range>
void check_order(const Range* ranges, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    BOOST_REQUIRE((ranges[i].first <= ranges[i].last && ranges[i].last < 0x110000));
    BOOST_REQUIRE((i == 0 || ranges[i - 1].last < ranges[i].first));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(characters)

BOOST_AUTO_TEST_CASE(tables_are_in_order) {
  check_order(character_flags, character_flags_count);
  check_order(combining_classes, combining_classes_count);
  check_order(compatible_runs, compatible_runs_count);
  check_order(character_scripts, character_scripts_count);
  check_order(cluster_classes, cluster_classes_count);
  for (size_t i = 1; i < lower_cases_count; ++i)
    BOOST_REQUIRE(lower_cases[i - 1].first < lower_cases[i].first);
}

BOOST_AUTO_TEST_CASE(kinds_are_those_of_the_library) {
  BOOST_TEST((is_number('7') && is_number(0xBD) && is_number(0x663) && !is_number('x')));
  BOOST_TEST((is_punctuation('$') && is_punctuation(0x3002) && !is_punctuation(0x20AC)));
  BOOST_TEST((is_word_character('_') && is_word_character(0xAC00) && is_word_character(0x200D)));
  BOOST_TEST((!is_word_character('-') && !is_word_character(' ') && is_word_character(0x301)));
  BOOST_TEST((is_mark(0x301) && is_mark(0x903) && is_nonspacing_mark(0x301)));
  BOOST_TEST((!is_nonspacing_mark(0x903) && is_cleaned(0xAD) && !is_cleaned('\n')));
  BOOST_TEST((is_chinese(0x4E2D) && !is_chinese(0x3042) && !is_chinese(0xAC00)));
  BOOST_TEST((lower_case('A') == 'a' && lower_case(0x3A3) == 0x3C3 && lower_case(0x1C5) == 0x1C6));
  BOOST_TEST((lower_case(0x101) == 0x101 && lower_case(0x1E900) == 0x1E922));
  BOOST_TEST((script_of('a') == script_of(0xE9) && script_of('a') != script_of(0x43A)));
  BOOST_TEST((script_of(' ') == 0 && script_of(0x3042) == script_of(0x4E2D)));
  BOOST_TEST((!is_number(0x110000) && script_of(0xFFFFFFFF) == 0));
}

BOOST_AUTO_TEST_CASE(normal_forms) {
  struct Case {
    std::string text, c, d, kc, kd;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"e\u0301", "\u00e9", "e\u0301", "\u00e9", "e\u0301"},
           {"\u212b", "\u00c5", "A\u030a", "\u00c5", "A\u030a"},
           {"a\u0301\u0323", "\u1ea1\u0301", "a\u0323\u0301", "\u1ea1\u0301", "a\u0323\u0301"},
           {"\u1100\u1161\u11a8", "\uac01", "\u1100\u1161\u11a8", "\uac01", "\u1100\u1161\u11a8"},
           {"\uac00\u11a8", "\uac01", "\u1100\u1161\u11a8", "\uac01", "\u1100\u1161\u11a8"},
           {"\u0958", "\u0915\u093c", "\u0915\u093c", "\u0915\u093c", "\u0915\u093c"},
           {"\u0344", "\u0308\u0301", "\u0308\u0301", "\u0308\u0301", "\u0308\u0301"},
           {"x\ufb01\u00bd", "x\ufb01\u00bd", "x\ufb01\u00bd", "xfi1\u20442", "xfi1\u20442"},
           {"\u1e9b\u0323", "\u1e9b\u0323", "\u017f\u0323\u0307", "\u1e69", "s\u0323\u0307"},
           {"\uff21\uff9e", "\uff21\uff9e", "\uff21\uff9e", "A\u3099", "A\u3099"},
           {"\u00a0a", "\u00a0a", "\u00a0a", " a", " a"},
           {"xe\u0301y", "x\u00e9y", "xe\u0301y", "x\u00e9y", "xe\u0301y"},
           {"plain", "plain", "plain", "plain", "plain"}}) {
    BOOST_TEST(in_form(one.text, NormalForm::c) == one.c);
    BOOST_TEST(in_form(one.text, NormalForm::d) == one.d);
    BOOST_TEST(in_form(one.text, NormalForm::kc) == one.kc);
    BOOST_TEST(in_form(one.text, NormalForm::kd) == one.kd);
  }
}

BOOST_AUTO_TEST_CASE(a_form_is_its_own_form) {
  std::string all;
  for (uint32_t code = 1; code < 0x3400; ++code) append_utf8(all, code);
  for (NormalForm form : {NormalForm::c, NormalForm::d, NormalForm::kc, NormalForm::kd}) {
    const std::string once = in_form(all, form);
    BOOST_TEST((in_form(once, form) == once && once != all));
  }
}

BOOST_AUTO_TEST_CASE(clusters_are_what_a_reader_takes_for_a_character) {
  BOOST_TEST(cut("ab\r\nc") == "a|b|\r\n|c");
  BOOST_TEST(cut("a\u0301\u0301b") == "a\u0301\u0301|b");
  BOOST_TEST(cut("\u1100\u1161\u11a8\uac00\u11a8\uac01\u1161") ==
             "\u1100\u1161\u11a8|\uac00\u11a8|\uac01|\u1161");
  BOOST_TEST(cut("\U0001f469\u200d\U0001f467x") == "\U0001f469\u200d\U0001f467|x");
  BOOST_TEST(cut("a\u200d\U0001f467") == "a\u200d|\U0001f467");
  BOOST_TEST(cut("\U0001f1ea\U0001f1f8\U0001f1eb") == "\U0001f1ea\U0001f1f8|\U0001f1eb");
  BOOST_TEST(cut("\u0915\u094d\u0937x") == "\u0915\u094d\u0937|x");
  BOOST_TEST(cut("\u0915\u0903\u0937") == "\u0915\u0903|\u0937");
  BOOST_TEST(cut("\u0600a") == "\u0600a");
}

BOOST_AUTO_TEST_SUITE_END()
