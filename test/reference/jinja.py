"""Writes test/stored/jinja.json: small Jinja templates with what they render to in transformers.

Each case is [template, variables, result]; a result is {"text": ...}, with "generated" (byte ranges) where the
template marks what the assistant writes, or {"error": kind}. Run with the versions of requirements.txt:

    python test/reference/jinja.py
    python test/reference/jinja.py FOLDER   checks nothing stored: renders every *.jinja below FOLDER on the
                                            conversations below and writes FOLDER/jinja_cases.json, the same form
"""
import datetime
import glob
import json
import os
import sys

from transformers.utils import chat_template_utils

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "stored", "jinja.json")


class FixedDate(datetime.datetime):
    """strftime_now() of a day that does not pass."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26, 15, 4, 5)


chat_template_utils.datetime = FixedDate

TOOL = {"type": "function", "function": {
    "name": "opening_hours", "description": "When a shop is open.",
    "parameters": {"type": "object", "required": ["shop"], "properties": {
        "shop": {"type": "string", "description": "its name"}, "day": {"type": "integer"}}}}}
CONVERSATIONS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": " One?\n"},
     {"role": "assistant", "content": "\nYes. "}, {"role": "user", "content": "\u00bfDos? \U0001f642 <b>\"x\"</b>"},
     {"role": "assistant", "content": "No.", "reasoning_content": "Not two."}],
    [{"role": "user", "content": "Open?"},
     {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "id": "call00001", "function": {
         "name": "opening_hours", "arguments": {"shop": "Le\u00f3n", "day": 2, "x": 1.5, "no": None, "yes": True}}}]},
     {"role": "tool", "name": "opening_hours", "tool_call_id": "call00001", "content": "9 to 5"},
     {"role": "assistant", "content": "From 9 to 5."}],
]
V = {"s": "abc", "t": " a b ", "u": "\u00d1and\u00fa \u00e9\u00df", "i": 7, "n": -7, "f": 2.5, "big": 1e16, "small": 1.25e-7,
     "none": None, "yes": True, "no": False, "l": [3, 1, 2], "e": [], "d": {"b": 1, "a": "x", "items": 5}, "words": ["b", "A", "c"],
     "rows": [{"k": "x", "v": 1}, {"k": "y", "v": 2}, {"k": "x"}], "q": "it's \"q\"\n\t\\", "nested": {"a": {"b": [1, {"c": "deep"}]}}}
TEMPLATES = """
{{ s }}|{{ i }}|{{ f }}|{{ none }}|{{ yes }}|{{ missing }}|{{ big }}|{{ small }}|{{ l }}|{{ d }}|{{ e }}|{{ (1,) }}|{{ (1, 'a') }}
{{ q }}|{{ [q] }}|{{ [u] }}|{{ {'k': [none, yes, 1.0]} }}
{{ 7 // 2 }}|{{ n // 2 }}|{{ n % 3 }}|{{ 7 % n }}|{{ 7 / 2 }}|{{ 2 ** 10 }}|{{ -i }}|{{ 6 / 3 }}|{{ 7.5 // 2 }}|{{ -7.5 % 2 }}|{{ 1_000 }}|{{ 1e3 }}
{{ 1 + 2 * 3 }}|{{ (1 + 2) * 3 }}|{{ -2 ** 2 }}
{{ 2 + 3 ~ 4 }}
{{ 'a' ~ 1 ~ none }}|{{ 'ab' * 2 }}|{{ [1] * 2 + [3] }}|{{ 10 - 2 - 3 }}
{{ 1 < 2 < 3 }}|{{ 1 < 3 < 2 }}|{{ 1 == 1.0 }}|{{ yes == 1 }}|{{ 'a' < 'b' }}|{{ [1, 2] < [1, 3] }}|{{ 'b' in s }}|{{ 9 not in l }}|{{ 'a' in d }}|{{ none == no }}
{{ not yes }}|{{ not s is defined }}|{{ yes and '' or 'x' }}|{{ 0 or none }}|{{ 1 if no }}|{{ 1 if no else 2 if no else 3 }}|{{ 'a' if missing else 'b' }}
{{ s[0] }}|{{ s[-1] }}|{{ s[1:] }}|{{ s[::-1] }}|{{ l[:-1] }}|{{ l[5:] }}|{{ u[:2] }}|{{ s[9] }}|{{ l[-9:2] }}|{{ s[None:2] }}|{{ l[2:0:-1] }}|{{ (1, 2, 3)[1:] }}
{{ d.a }}|{{ d['b'] }}|{{ d.items is callable }}
{{ d['items'] }}|{{ d.zz }}|{{ nested.a.b[1].c }}|{{ nested['a'].b.0 }}|{{ d.get('zz', 'no') }}|{{ d.get('a') }}|{{ d.get('zz') }}
{{ missing.x }}
{{ missing + 1 }}
{{ 'a' + 1 }}
{{ s.upper() }}|{{ u.upper() }}|{{ u.lower() }}|{{ 'aB c'.capitalize() }}|{{ 'ab cd'.title() }}|{{ t.strip() }}|{{ t.lstrip() }}|{{ t.rstrip() }}|{{ 'xxaxx'.strip('x') }}
{{ 'a,b,c'.split(',') }}|{{ 'a,b,c'.split(',', 1) }}|{{ ' a  b '.split() }}|{{ ' a  b c '.split(none, 1) }}|{{ 'a,b,c'.rsplit(',', 1) }}|{{ ''.split(',') }}|{{ ''.split() }}|{{ 'a\\nb\\r\\nc'.splitlines() }}
{{ s.startswith('a') }}|{{ s.startswith(('x', 'ab')) }}|{{ s.endswith('c') }}|{{ s.replace('b', 'BB') }}|{{ 'aaa'.replace('a', 'b', 2) }}|{{ 'ab'.replace('', '-') }}|{{ s.find('c') }}|{{ u.find('\u00fa') }}|{{ s.find('z') }}|{{ 'aaa'.count('a') }}|{{ '-'.join(['a', 'b']) }}
{{ 'prefix-x'.removeprefix('prefix-') }}|{{ 'x.y'.removesuffix('.y') }}|{{ '12'.isdigit() }}|{{ 'a1'.isalpha() }}|{{ ' '.isspace() }}|{{ s.index('b') }}
{{ d.keys() | list }}|{{ d.values() | list }}|{{ d.items() | list }}|{{ l.index(1) }}|{{ l.count(3) }}
{{ t | trim }}|{{ s | upper }}|{{ 'ABC' | lower }}|{{ s | length }}|{{ u | length }}|{{ l | length }}|{{ d | count }}|{{ missing | length }}|{{ 'ab-cd ef' | title }}|{{ 'ABC' | capitalize }}
{{ missing | default('x') }}|{{ '' | default('x') }}|{{ '' | default('x', true) }}|{{ none | d('y') }}|{{ missing | default }}
{{ l | sort }}|{{ words | sort }}|{{ words | sort(case_sensitive=true) }}|{{ l | sort(reverse=true) }}|{{ rows | sort(attribute='k') | map(attribute='v', default=0) | list }}
{{ d | dictsort }}|{{ {'b': 1, 'a': 2} | dictsort(by='value') }}|{{ d | items | list }}
{{ words | join }}|{{ words | join(', ') }}|{{ rows | join('-', attribute='k') }}|{{ l | join('+') }}
{{ l | first }}|{{ l | last }}|{{ e | first }}|{{ s | first }}|{{ s | reverse }}|{{ l | reverse | list }}|{{ [1, 1, 2] | unique | list }}|{{ l | min }}|{{ l | max }}|{{ l | sum }}
{{ rows | selectattr('v', 'defined') | list }}|{{ rows | selectattr('k', 'equalto', 'x') | map(attribute='k') | join }}|{{ rows | rejectattr('v') | list | length }}|{{ [1, 2, 3, 4] | select('odd') | list }}|{{ [0, 1] | reject | list }}|{{ words | map('upper') | list }}
{{ '3' | int }}|{{ 'x' | int }}|{{ '2.7' | int }}|{{ f | int }}|{{ '2.5' | float }}|{{ i | float }}|{{ 2.5 | round }}|{{ 3.5 | round }}|{{ 2.1 | round(method='ceil') | int }}|{{ -3 | abs }}|{{ n | abs }}
{{ i | string ~ 'x' }}|{{ s | safe }}|{{ s | list }}|{{ 'a\\nb\\n\\nc' | indent(2) }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'aXbX' | replace('X', '1') }}|{{ 'ab cd' | wordcount }}
{{ d | tojson }}|{{ q | tojson }}|{{ u | tojson }}|{{ l | tojson }}|{{ none | tojson }}|{{ [1.0, 1e20, 1e-9, yes] | tojson }}|{{ e | tojson }}|{{ {} | tojson }}
{{ nested | tojson(indent=2) }}
{{ d | tojson(sort_keys=true, separators=(',', ':')) }}|{{ u | tojson(ensure_ascii=true) }}|{{ [1, [2, {}]] | tojson(indent=4) }}
{{ missing | tojson }}
{{ s is string }}|{{ i is number }}|{{ i is integer }}|{{ f is float }}|{{ yes is boolean }}|{{ yes is integer }}|{{ d is mapping }}|{{ l is sequence }}|{{ s is sequence }}|{{ d is sequence }}|{{ i is iterable }}|{{ s is iterable }}
{{ missing is defined }}|{{ missing is undefined }}|{{ none is none }}|{{ s is not none }}|{{ yes is true }}|{{ 1 is true }}|{{ no is false }}|{{ 3 is odd }}|{{ 3 is divisibleby 3 }}|{{ 3 is divisibleby(2) }}|{{ 2 is in [1, 2] }}|{{ s is eq 'abc' }}|{{ s is sameas s }}|{{ 'a' is lower }}
{{ missing.x is defined }}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}
{% for x in l if x > 1 %}{{ x }}{{ loop.length }}{% else %}none{% endfor %}|{% for x in e %}{{ x }}{% else %}none{% endfor %}|{% for x in missing %}{% else %}empty{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %}|{% for k in d %}{{ k }}{% endfor %}|{% for c in u %}{{ c }}.{% endfor %}|{% for a, b in [(1, 2), [3, 4]] %}{{ a + b }}{% endfor %}
{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}|{{ range(3) | list }}|{{ range(5, 0, -2) | list }}
{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% endfor %}|{% for x in [1, 2] %}{% for y in [1] %}{{ loop.depth }}{% endfor %}{{ loop.depth }}{% endfor %}
{% set x = 0 %}{% for i in l %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}|{% set ns = namespace(n=0, m='a') %}{% for i in l %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}{{ ns.m }}{{ ns.zz is defined }}
{% if no %}{% set y = 1 %}{% else %}{% set y = 2 %}{% endif %}{{ y }}|{% set a, b = 1, 2 %}{{ a }}{{ b }}|{% set c = 1, 2 %}{{ c }}|{% set z %}x{{ i }}{% endset %}{{ z }}|{% set w | upper %}abc{% endset %}{{ w }}
{% macro f(a, b=2, c='c') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, c=3) }}{{ f(b=1, a=2) }}{{ f() }}
{% macro g(n) %}{% if n > 0 %}{{ n }}{{ g(n - 1) }}{% endif %}{% endmacro %}{{ g(3) }}|{% set v = 1 %}{% macro h() %}{{ v }}{{ s }}{% endmacro %}{% set v = 2 %}{{ h() }}
{% macro box() %}<{{ caller() }}>{% endmacro %}{% call box() %}in {{ s }}{% endcall %}|{% filter upper %}a{{ s }}{% endfilter %}|{% with a = 1, b = i %}{{ a + b }}{% endwith %}{{ a is defined }}
{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{% endmacro %}{{ f(z=2) }}
{{ raise_exception('no ' ~ s) }}
{{ strftime_now('%d %b %Y') }}|{{ strftime_now('%Y-%m-%d') }}|{{ strftime_now('%B %A %j %H:%M:%S %I %p %y %%') }}
{{ dict(a=1, b='x') }}|{{ dict([('k', 1)]) }}|{{ 'a' 'b' }}|{{ "\\u00e9\\x41\\n\\'" }}|{{ 'tab\\tend' }}
{% raw %}{{ no }} {% if %}{% endraw %}|{# a comment #}|{{ '{{' }}
a
  {% if yes %}
b
  {% endif %}
c
x   {%- if yes -%}   y   {%- endif -%}   z
  {%+ if yes %}y{% endif +%}

z
{{- ' a ' -}}   b
line {# comment #}
next {#- comment -#}  end
{%- for m in [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'a'}] %}{{ m.role }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}.{% endgeneration %}{% else %}{{ m.content }}{% endif %}
{% endfor %}
{% generation %}{% set inside = 1 %}\u00e9{% endgeneration %}{{ inside is defined }}
{% for x in l %}
{% if
{{ s
{{ 'abc
{% unknown %}
{{ s | nofilter }}
{{ s is notest }}
{% endif %}
{{ d.update({'a': 1}) }}
{{ range(1000000) | length }}
{{ 1 / 0 }}
{{ l.x.y }}
{{ s() }}
{% set s.x = 1 %}
{% for x in l %}{% set y %}{{ x }}{% if x == 1 %}{% break %}{% endif %}{% endset %}{{ y }}{% endfor %}z
{% for x in l %}a{% filter upper %}b{{ x }}{% if x == 1 %}{% continue %}{% endif %}c{% endfilter %}d{% endfor %}z
{% for x in l %}a{% with q = 1 %}b{{ x }}{% if x == 1 %}{% continue %}{% endif %}c{% endwith %}d{% endfor %}z
{% for x in l %}{% generation %}{{ x }}{% break %}{% endgeneration %}{% endfor %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{{ namespace(_x=1) }}
{% set ns = namespace() %}{% set ns.x = ns %}{{ ns.x.x is defined }}
{{ 'abc'[1:9:5] }}|{{ u[::-2] }}|{{ u[-2] }}|{{ s[9223372036854775807] }}|{{ s[-9:-1] }}|{{ l[9:0:-1] }}|{{ u[5:1:-1] }}
{{ [1, 2] | map(attribute='99999999999999999999') | list | length }}
{% set ns = namespace(found=true) %}{% if ns['found'] %}yes{% else %}no{% endif %}{{ ns['missing'] is defined }}
{% for x in [7, 8] %}{{ loop|attr('index') }}{{ loop['last'] }} {% endfor %}
{{ 1e400 }} {{ -1e400 }} {{ 1e400|tojson }} {{ 1e-400 }} {{ 12.5e-1 }}
{{ ['\u200b', '\u2028', '\u3000', '\ufeff', '\ue000', '\u0378', 'é漢', '\U000e0001'] }}
{{ {'\u200d': '\u2003'} }}
{{ (5).nothing }}|{{ 5|attr('nothing') }}
"""


def result(template, variables):
    try:
        compiled = chat_template_utils._compile_jinja_template(template)
        if "generation" not in template:
            return {"text": compiled.render(**variables)}
        rest = {k: v for k, v in variables.items() if k not in ("messages", "tools", "documents", "add_generation_prompt")}
        text, ranges = chat_template_utils._render_with_assistant_indices(
            compiled, variables.get("messages"), variables.get("tools"), None, variables.get("add_generation_prompt"), **rest)
        return {"text": text, "generated": [[len(text[:a].encode()), len(text[:b].encode())] for a, b in ranges]}
    except Exception as error:  # any: that it fails is the result
        return {"error": type(error).__name__}


def pieces():
    """The templates above: a line each, but for those of several lines."""
    several = {"a": 5, "  {%+ if yes %}y{% endif +%}": 3, "{%- for m in": 2, "line {#": 2}
    lines = TEMPLATES[1:-1].split("\n")
    at = 0
    while at < len(lines):
        count = next((n for begin, n in several.items() if lines[at] == begin or (len(begin) > 1 and lines[at].startswith(begin))), 1)
        yield "\n".join(lines[at:at + count])
        at += count


def main():
    if len(sys.argv) == 1:
        cases = [[t, None, result(t, V)] for t in pieces()]
        with open(OUT, "w", encoding="utf8") as out:
            json.dump({"variables": V, "date": "2024-07-26 15:04:05", "cases": cases}, out, ensure_ascii=False, indent=1)
            out.write("\n")
        print(len(cases), "cases,", sum("error" in c[2] for c in cases), "of them errors")
        return
    cases = []
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "**", "*.jinja"), recursive=True)):
        template = open(path, encoding="utf8").read()
        for messages in CONVERSATIONS:
            for prompt in (False, True):
                for tools in (None, [TOOL]):
                    variables = {"messages": messages, "tools": tools, "documents": None, "add_generation_prompt": prompt,
                                 "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
                    cases.append([template, variables, result(template, variables)])
    with open(os.path.join(sys.argv[1], "jinja_cases.json"), "w", encoding="utf8") as out:
        json.dump({"variables": {}, "date": "2024-07-26 15:04:05", "cases": cases}, out, ensure_ascii=False)
    print(len(cases), "cases of", len({c[0] for c in cases}), "templates,", sum("error" in c[2] for c in cases), "of them errors")


if __name__ == "__main__":
    main()
