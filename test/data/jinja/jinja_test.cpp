// Jinja templates against stored results of jinja2 as transformers sets it up
// (test/reference/jinja.py), and the limits of what a template may do.
#include "data/jinja/jinja.h"

#include "data/jinja/dates.h"
#include "data/jinja/from_json.h"
#include "engine/files/atomic_file.h"
#include "test/scratch.h"

using namespace afina;
using ordered_json = OrderedJson;

namespace {

jinja::Rendered rendered(const std::string& source, const ordered_json& variables) {
  jinja::Environment environment;
  environment.now = jinja::seconds_of_date("2024-07-26") + 15 * 3600 + 4 * 60 + 5;
  return jinja::Template(source, "chat.jinja")
      .render(*jinja::value_of(variables).dict(), environment);
}

void same_as_stored(const std::string& path) {
  const ordered_json stored = ordered_json::parse(read_text_file(path));
  for (auto& one : stored.at("cases").elements()) {
    const std::string source = one.elements()[0].get<std::string>();
    const ordered_json& variables =
        one.elements()[1].is_null() ? stored.at("variables") : one.elements()[1];
    const ordered_json& result = one.elements()[2];
    BOOST_TEST_CONTEXT(source.substr(0, 300)) {
      if (result.contains("error")) {
        BOOST_CHECK_THROW(rendered(source, variables), Error);
        continue;
      }
      jinja::Rendered found = rendered(source, variables);
      BOOST_TEST(found.text == result.at("text").get<std::string>());
      std::string spans, expected;
      for (auto& span : found.generated)
        spans += std::to_string(span.begin) + "-" + std::to_string(span.end) + " ";
      if (result.contains("generated"))
        for (auto& span : result.at("generated").elements())
          expected += span.elements()[0].dump() + "-" + span.elements()[1].dump() + " ";
      BOOST_TEST(spans == expected);
    }
  }
}

void fails(const std::string& source, std::initializer_list<std::string> words) {
  check_error([&] { rendered(source, ordered_json::object()); }, words);
}

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jinja_templates)

BOOST_AUTO_TEST_CASE(every_stored_case_renders_as_jinja2_has_it) {
  same_as_stored(AFINA_SOURCE_DIR "/test/stored/jinja.json");
}

// Templates of a folder of one's own: test/reference/jinja.py FOLDER writes what they should give.
BOOST_AUTO_TEST_CASE(templates_of_a_folder) {
  const char* path = std::getenv("AFINA_JINJA_CASES");
  if (!path) std::cout << "skipped: AFINA_JINJA_CASES names no cases (test/reference/jinja.py)\n";
  else same_as_stored(path);
}

BOOST_AUTO_TEST_CASE(errors_name_the_file_the_line_and_the_construct) {
  fails("a\n\n{{ missing.x }}", {"chat.jinja, line 3", "'missing' is undefined"});
  fails("{% include 'x' %}", {"line 1", "{% include %} is not supported"});
  fails("\n{% for x in y recursive %}{% endfor %}", {"line 2", "recursive"});
  fails("{{ 'x'.format(1) }}", {"str.format() is not supported"});
  fails("{{ 'x' | urlencode }}", {"the filter 'urlencode' is not supported"});
  fails("{{ 'x' | nothing }}", {"the filter 'nothing' is not known"});
  fails("{% macro m() %}{% generation %}{% endgeneration %}{% endmacro %}{{ m() }}",
        {"{% generation %} inside of a macro"});
  fails("{{ raise_exception('roles must alternate') }}",
        {"the template refuses this conversation: roles must alternate"});
  fails("{{ 9223372036854775807 + 1 }}", {"larger than 64 bits hold"});
}

BOOST_AUTO_TEST_CASE(a_strangers_template_cannot_run_away) {
  fails("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        {"more than a chat template can need"});
  fails("{{ 'x' * 999999999999 }}", {"more than a chat template can need"});
  fails(
      "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(60) %}"
      "{% set ns.s = ns.s + ns.s %}{% endfor %}",
      {"more than a chat template can need"});
  fails("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", {"nested more than"});
  fails("{{ " + times(5000, "(") + times(5000, ")") + " }}", {"nested more than"});
  fails(times(5000, "{% if true %}") + times(5000, "{% endif %}"), {"nested more than"});
  fails("{{ " + times(5000, "not ") + "1 }}", {"nested more than"});
  fails("{{ " + times(5000, "-") + "1 }}", {"nested more than"});
  fails("{{ " + times(5000, "[") + times(5000, "]") + " }}", {"nested more than"});
  fails("{% if 0 %}" + times(5000, "{% elif 0 %}") + "{% endif %}", {"nested more than"});
  fails("{{ " + times(5000, "1 if 1 else ") + "1 }}", {"nested more than"});
}

// What is parsed by a loop makes a tree as high as the chain is long.
BOOST_AUTO_TEST_CASE(chains_are_bounded) {
  const struct {
    const char *begin, *link, *construct;
  } kinds[] = {{"1", "+1", "'+'"},
               {"1", "-1", "'-'"},
               {"1", " * 1", "'*'"},
               {"1", " ** 1", "'**'"},
               {"1", "~1", "'~'"},
               {"1", " and 1", "'and'"},
               {"0", " or 0", "'or'"},
               {"1", " if 1", "'if'"},
               {"m", ".a", "'.'"},
               {"m", ".a.0", "'.'"},
               {"m", "['a']", "'[]'"},
               {"m", "[1:]", "'[]'"},
               {"m", "()", "a call"},
               {"1", "|string", "the filter 'string'"},
               {"1", "|d(1)", "the filter 'd'"},
               {"1", " is odd|d", " "}};
  for (auto& kind : kinds) BOOST_TEST_CONTEXT(kind.link) {
      for (const char* before : {"\n{{ ", "\n{% if ", "\n{% set x = ", "\n{% for x in "})
        fails(before + std::string(kind.begin) + times(20000, kind.link) +
                  (before[2] == '{' ? " }}" : " %}"),
              {"chat.jinja, line 2", "1000 links", kind.construct, "{% set %}"});
    }
  fails("{% filter string" + times(20000, "|string") + " %}{% endfilter %}", {"1000 links"});
  // Chains in each other: what counts is the height of the whole tree.
  std::string inner = "1";
  for (int i = 0; i < 20; ++i) inner = "(" + inner + times(900, "+1") + times(900, "~1") + ")";
  fails("{{ " + inner + " }}", {"1000 links"});
  // Macros that call each other put their expressions on one stack.
  std::string macros = "{% macro m0() %}1{% endmacro %}";
  for (int i = 1; i < 60; ++i)
    macros += "{% macro m" + std::to_string(i) + "() %}{{ m" + std::to_string(i - 1) + "()" +
              times(900, "~1") + " }}{% endmacro %}";
  fails(macros + "{{ m59() }}", {"nested more than 2000"});
  // Long ones that a template may have, and what is no chain.
  const OrderedJson none = OrderedJson::object();
  BOOST_TEST(rendered("{{ 1" + times(900, "+1") + " }}", none).text == "901");
  BOOST_TEST(rendered("{{ 1" + times(900, "|string") + " }}", none).text == "1");
  BOOST_TEST(rendered("{{ 1" + times(20000, "<=1") + " }}", none).text == "True");
  BOOST_TEST(rendered("{{ [1" + times(20000, ",1") + "]|length }}", none).text == "20001");
  BOOST_TEST(rendered("{{ 'a'" + times(20000, " 'a'") + " }}", none).text.size() == 20001);
}

// Values in each other: whatever walks them calls itself, and so would freeing them.
BOOST_AUTO_TEST_CASE(deep_values_are_bounded) {
  auto nest = [](const std::string& value) {
    return "{% set ns = namespace(x=1, y=1) %}{% for i in range(99999) %}{% set ns.x = " + value +
           " %}{% endfor %}";
  };
  const OrderedJson none = OrderedJson::object();
  for (const char* value :
       {"[ns.x]", "(ns.x,)", "{'a': ns.x}", "{'a': ns.x}.get", "namespace(x=ns.x)", "dict(a=ns.x)"})
    BOOST_TEST(rendered(nest(value), none).text == "");
  fails(nest("[ns.x]") + "{{ ns.x }}", {"nested more than"});
  fails(nest("{'a': ns.x}") + "{{ ns.x }}", {"nested more than"});
  fails(nest("[ns.x]") + "{{ ns.x | tojson }}", {"nested more than"});
  fails(nest("[ns.x]") + "{% set a = ns.x %}" + nest("[ns.x]") + "{{ a == ns.x }}",
        {"nested more than"});
  fails(nest("[ns.x]") + "{% set a = ns.x %}" + nest("[ns.x]") + "{{ a < ns.x }}",
        {"nested more than"});
}

BOOST_AUTO_TEST_SUITE_END()
