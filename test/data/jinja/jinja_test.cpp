// Jinja templates against stored results of jinja2 as transformers sets it up
// (test/reference/jinja.py), and the limits of what a template may do.
#include "data/jinja/jinja.h"

#include <regex>

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

// The same with limits that are reached sooner than a template's own.
void fails_soon(const std::string& source, std::initializer_list<std::string> words) {
  jinja::Limits limits;
  limits.work >>= 4;
  limits.memory >>= 4;
  limits.output = size_t(1) << 20;
  check_error([&] { jinja::Template(source, "chat.jinja").render({}, {}, limits); }, words);
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
  fails("{{ (5).real }}", {"int.real"});
  fails("{% macro m() %}{% endmacro %}\n{{ m.name }}", {"line 2", "function.name"});
  fails("a\n{% macro m() %}{% endmacro %}{{ m }}", {"chat.jinja, line 2", "cannot be printed"});
  fails("\n{{ 'ŉ'|upper }}", {"chat.jinja, line 2", "'ŉ'"});
  fails("{{ 'x' | urlencode }}", {"the filter 'urlencode' is not supported"});
  fails("{{ 'x' | nothing }}", {"the filter 'nothing' is not known"});
  fails("{% macro m() %}{% generation %}{% endgeneration %}{% endmacro %}{{ m() }}",
        {"{% generation %} inside of a macro"});
  fails("{{ raise_exception('roles must alternate') }}",
        {"the template refuses this conversation: roles must alternate"});
  fails("{{ 9223372036854775807 + 1 }}", {"larger than 64 bits hold"});
  fails("{% for x in [1] %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
        {"{% break %} outside of a loop"});
  fails("{% set ns = namespace() %}{% set ns._x = 1 %}", {"'_x'", "begins with '_'"});
  fails("{{ namespace(_x=1) }}", {"'_x'", "begins with '_'"});
}

BOOST_AUTO_TEST_CASE(a_strangers_template_cannot_run_away) {
  fails("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        {"than a chat template can need"});
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

// Lists that hold each other twice, walked: by what prints, by what compares.
BOOST_AUTO_TEST_CASE(what_doubles_is_bounded) {
  auto doubles = [](const std::string& value, const std::string& use) {
    return "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set ns.x = " + value +
           " %}{% set ns.y = " + std::regex_replace(value, std::regex("ns\\.x"), "ns.y") +
           " %}{% endfor %}{% set x = ns.x %}" + use;
  };
  for (const char* value : {"[ns.x, ns.x]", "(ns.x, ns.x)", "{'a': ns.x, 'b': ns.x}"}) {
    BOOST_TEST(rendered(doubles(value, ""), ordered_json::object()).text == "");
    for (const char* use : {"{{ x }}", "{{ x ~ 'a' }}", "{{ x | string }}", "{{ [x] | join }}",
                            "{{ x | tojson }}", "{{ x | tojson(indent=2) }}", "{{ x | upper }}",
                            "{% set t %}{{ x }}{% endset %}", "{{ raise_exception(x) }}"})
      BOOST_TEST_CONTEXT(use) fails_soon(doubles(value, use), {"line 1", "1048576 bytes"});
    for (const char* use : {"{{ x == ns.y }}", "{{ x is eq ns.y }}", "{{ ns.y in [x] }}",
                            "{{ [x, ns.y] | unique | list }}", "{{ [x].index(ns.y) }}"})
      BOOST_TEST_CONTEXT(use)
    fails_soon(doubles(value, use), {"line 1", "more than a chat template can need"});
  }
  // Steps that are small, and keep much.
  const std::string many = "{% for i in range(99999) %}{% for j in range(99999) %}",
                    end = "{% endfor %}{% endfor %}";
  for (const char* keep : {"{% set ns.x = [ns.x] %}", "{% macro m() %}{% endmacro %}",
                           "{% set n = namespace() %}{% set n.n = n %}"})
    BOOST_TEST_CONTEXT(keep)
  fails_soon("{% set ns = namespace(x=1) %}" + many + keep + end,
             {"than a chat template can need"});
  for (const char* large : {"{% for c in s %}{% endfor %}", "{{ s.split('x') | length }}",
                            "{{ s.splitlines() | length }}", "{{ s | list | length }}"})
    BOOST_TEST_CONTEXT(large)
  fails_soon(std::string("{% set s = 'x\n' * 2000000 %}") + large,
             {"than a chat template can need"});
  for (const char* slow :
       {"{{ s.find(s[1:] ~ 'y') }}", "{{ s.count(s[100:] ~ 'y') }}", "{{ (s ~ 'y') in s }}",
        "{{ s.replace(s[1:] ~ 'y', '') | length }}", "{{ s.split(s[1:] ~ 'y') | length }}"})
    BOOST_TEST_CONTEXT(slow)
  rendered(std::string("{% set s = 'x' * 1000000 %}") + slow, ordered_json::object());
}

// Run under a checker of leaks (make sanitize) these are its cases.
BOOST_AUTO_TEST_CASE(values_that_hold_themselves_are_freed) {
  const OrderedJson none = OrderedJson::object();
  const std::string space = "{% set ns = namespace() %}";
  BOOST_TEST(rendered(space + "{% set ns.x = ns %}{{ ns.x.x is defined }}", none).text == "True");
  for (const char* holds :
       {"{% set ns.x = [ns] %}", "{% set ns.x = {'a': (ns,)} %}", "{% set ns.x = [ns].index %}",
        "{% set m = namespace(x=ns) %}{% set ns.x = m %}", "{% set ns.x = namespace(a=ns) %}",
        "{% macro m() %}{{ ns.y }}{% endmacro %}{% set ns.x = m %}{% set ns.y = ns %}",
        "{% for a in [1, 2] %}{% set ns.x = loop %}{% set x = loop.changed(loop, ns) %}{% endfor "
        "%}"})
    BOOST_TEST(rendered(space + holds, none).text == "");
  fails(space + "{% set ns.x = ns %}{{ ns.x.y.z }}", {"has no attribute 'y'"});
  fails(
      "{% set ns = namespace() %}{% for x in [1] %}{% set ns.c = loop.changed %}{% endfor %}"
      "{{ ns.c(1) }}",
      {"loop.changed()", "has ended"});
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
