// The page of blind votes.
#include "tools/report/vote_page.h"

#include "data/tokenizer/utf8.h"
#include "engine/files/json.h"
#include "engine/random.h"
#include "tools/report/embedded.h"

namespace afina {

namespace {

constexpr size_t most_pairs = 200;

constexpr const char* head = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Which answer is better?</title><style>
:root{--ink:#1c2330;--soft:#5b6577;--line:#d9dee7;--back:#fff;--card:#f6f8fb;--key:#2d5fa8;
color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#a2abba;--line:#394050;
--back:#14181f;--card:#1c222c;--key:#8fb8f5}}
body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--back);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.4rem}.soft{color:var(--soft)}
.text{background:var(--card);padding:.8rem 1rem;border-radius:.4rem;white-space:pre-wrap;
overflow-wrap:anywhere;margin:.3rem 0}.pair{display:flex;flex-wrap:wrap;gap:1rem}
.pair>section{flex:1 1 18rem;min-width:0}h2{font-size:1rem;margin:.8rem 0 .2rem}
button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);
border-radius:.4rem;padding:.5rem 1rem;cursor:pointer;margin:.8rem .5rem 0 0}
button:focus-visible{outline:3px solid var(--key)}button[aria-pressed=true]{
border-color:var(--key);box-shadow:0 0 0 1px var(--key)}
table{border-collapse:collapse;margin-top:1rem}th,td{text-align:left;padding:.3rem .8rem;
border-bottom:1px solid var(--line)}</style></head><body>
<h1>Which answer is better?</h1>
<p class="soft">Keys: 1 the first, 2 the second, 0 neither; the arrows go back and on. Whose the
answers are is said at the end. Nothing leaves this page; save the votes when you are done.</p>
<noscript><p>This page needs JavaScript, all of which is in the page itself.</p></noscript>
<main id="main"></main>
)html";

// JSON within a script element: what could end the element is written as an escape.
std::string in_script(const Json& value) {
  std::string out;
  for (char c : to_text(value, -1)) {
    if (c == '<') out += "\\u003c";
    else if (c == '>') out += "\\u003e";
    else if (c == '&') out += "\\u0026";
    else out += c;
  }
  return out;
}

Json answer_json(const VoteRow::Answer& answer) {
  return {{"model", valid_utf8(answer.model)}, {"text", valid_utf8(answer.text)}};
}

Json turns_json(const std::vector<VoteRow::Turn>& turns) {
  Json all = Json::array();
  for (const VoteRow::Turn& turn : turns)
    all.push_back({{"role", valid_utf8(turn.role)}, {"text", valid_utf8(turn.text)}});
  return all;
}

}  // namespace

VotePage vote_page(const std::vector<VoteRow>& rows, const std::string& described, uint64_t seed) {
  std::vector<Json> pairs;
  const Random sides(seed, "votes", "sides");
  for (const VoteRow& row : rows)
    for (size_t a = 0; a < row.answers.size(); ++a)
      for (size_t b = a + 1; b < row.answers.size(); ++b) {
        if (row.answers[a].text == row.answers[b].text) continue;
        const bool turned = sides.below(pairs.size(), 2) == 1;
        pairs.push_back(Json{{"place", valid_utf8(row.place)},
                             {"turns", turns_json(row.turns)},
                             {"first", answer_json(row.answers[turned ? b : a])},
                             {"second", answer_json(row.answers[turned ? a : b])}});
      }
  Json shown = Json::array();
  for (uint32_t i : permutation(uint32_t(pairs.size()), Random(seed, "votes", "order")))
    if (shown.size() < most_pairs) shown.push_back(pairs[i]);
  const Json data{{"records", valid_utf8(described)}, {"pairs", shown}};
  VotePage page;
  page.pairs = int64_t(shown.size());
  page.html = std::string(head) + "<script type=\"application/json\" id=\"data\">" +
              in_script(data) + "</script>\n<script>\n" + std::string(embedded::vote_script) +
              "</script></body></html>\n";
  return page;
}

}  // namespace afina
