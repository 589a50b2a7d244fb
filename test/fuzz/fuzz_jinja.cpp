// Fuzz target: chat templates, which are programs of strangers.
#include "data/jinja/from_json.h"
#include "data/jinja/jinja.h"
#include "test/fuzz/fuzz.h"

static void run(std::string_view input) {
  using namespace afina;
  static const jinja::Value variables = jinja::value_of(OrderedJson::parse(
      R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q \u00e9"},
          {"role": "assistant", "content": "A", "n": 1, "list": [1, 2.5, null, true]}],
          "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})"));
  jinja::Limits limits;
  limits.work = 1 << 16;
  limits.output = 1 << 16;
  limits.memory = 1 << 22;
  jinja::Rendered rendered =
      jinja::Template(input, "fuzz.jinja").render(*variables.dict(), {}, limits);
  for (auto& span : rendered.generated)
    if (span.begin > span.end || span.end > rendered.text.size())
      throw std::logic_error("a span beyond the text");
}

static std::vector<std::string> seeds() {
  return {
      "{{ bos_token }}{% for m in messages %}{{ '<|' ~ m.role + '|>' }}{{ m['content'] | trim }}"
      "{% endfor %}{% if add_generation_prompt %}{{ '<|a|>' }}{% endif %}",
      "{%- set ns = namespace(n=0, last=none) -%}{% for m in messages if m.role != 'system' %}\n"
      "  {%- set ns.n = ns.n + loop.index0 * 2 // 1 %}{% if not loop.last %}{% continue %}"
      "{% endif %}{% else %}none{% endfor %}{{ ns.n }}",
      "{% macro f(a, b='x') %}[{{ a }}{{ b | upper }}]{% endmacro %}{{ f(messages[-1].list[1:]) }}"
      "{{ messages | map(attribute='role') | join(', ') | replace('a', 'b') }}",
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
      "{% endgeneration %}{% endif %}{% endfor %}{# c #}{% raw %}{{ x }}{% endraw %}",
      "{{ messages | tojson(indent=2) }}{{ 'a,b'.split(',')[0].strip() }}{{ 1 < 2 <= 3 and x is "
      "not defined }}{{ strftime_now('%d %b %Y') }}{% set a, b = 1, [2] %}{{ {'k': a} | dictsort "
      "}}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(9) %}{% set ns.x = [ns.x, ns.x] %}"
      "{% set ns.me = ns %}{{ loop.changed(ns.x, loop) }}{% endfor %}{{ ns.x }}{{ ns.x == [1] }}"
      "{% macro m() %}{{ ns.me.x | tojson }}{% endmacro %}{% set ns.m = m %}{{ ns.m() }}"};
}

static const afina::FuzzTarget registered("jinja", run, seeds,
                                          {"{{",
                                           "}}",
                                           "{%",
                                           "%}",
                                           "{%-",
                                           "-%}",
                                           "{#",
                                           "#}",
                                           "endfor",
                                           "endif",
                                           "else",
                                           "elif",
                                           "range(",
                                           "| list",
                                           "loop.",
                                           "caller()",
                                           "**",
                                           "//",
                                           "~",
                                           "is ",
                                           "not in ",
                                           "[::-1]",
                                           "* 99999",
                                           "namespace(",
                                           "= [ns.x, ns.x]",
                                           "ns.me = ns",
                                           "loop.changed(",
                                           ".items()",
                                           "| sort",
                                           "'",
                                           "\"",
                                           "\\u00e9",
                                           "\\x"},
                                          64 << 20);
