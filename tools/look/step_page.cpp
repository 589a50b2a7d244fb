// The frame of the page around a step's data: head, places that the script fills, scripts.
#include "tools/look/step_page.h"

#include "tools/look/embedded.h"
#include "tools/results/machine.h"

namespace afina {

namespace {

// No request can leave the page, whatever the data contain.
constexpr const char* head = R"html(<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
  style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="generator" content="afina step">
<link rel="icon" href="data:,">
<script>
if (matchMedia("(prefers-color-scheme: dark)").matches)
  document.documentElement.dataset.theme = "dark";
</script>
<title>One training step</title>
<style>
)html";

constexpr const char* body = R"html(</style>
</head>
<body>
<header><div>
<div class="kicker">One training step, operation by operation</div>
<h1 id="title"></h1>
<p id="lead"></p>
<p class="soft" id="facts"></p>
</div>
<button id="theme" type="button" title="Light or dark" aria-label="Light or dark">◐</button>
</header>
<main>
<div class="scroll" id="summary"></div>
<h2>Memory during the step</h2>
<p class="soft">From left to right every operation in order; in height, what the device held when
most was held while it ran, by what it is for. Click to see the operation.</p>
<div class="charts" id="charts"></div>
<p class="legend" id="legend"></p>
<h2>Every operation in order</h2>
<p class="soft">Norm: of the result's values; in the backward pass of the result's gradient; in the
update of the parameter's gradient. Layers fold: click them.</p>
<details class="soft"><summary>How to read time and FLOPs</summary>
<p>A fused operation is one line for what are several in a formula: linear_lora is W x + B A x, and
cross_entropy is the head and the loss. Its time is that of all its kernels, with the work on the
host around them; a click lists the kernels, each with its own time. lora_low is A x of all layers
that read the same x.</p>
<p>FLOPs are those that were computed, a multiply-add counted as two. Only matrix products count.
Attention is counted by pairs of a query and a key that it sees, so that causal rows cost half of
full ones and short documents in a row less; forward it has two products (scores and output),
backward five, as the scores are computed again and not stored.</p></details>
<div class="bar" id="controls"></div>
<div class="work"><div class="scroll" id="list"></div>
<aside class="detail" id="detail"></aside></div>
)html";

}  // namespace

std::string step_page(const std::vector<SeenStep>& steps, const StepConditions& conditions) {
  std::string html = head;
  html += embedded::look_style;
  html += body;
  html += "<footer>afina " + std::string(version()) +
          ". Times are those of this one step on this machine, each operation with the work around "
          "its kernels; values were looked at in a second pass. Looking changed no bit.</footer>\n"
          "</main>\n<script type=\"application/json\" id=\"data\">" +
          step_data(steps, conditions) + "</script>\n<script>\n";
  html += embedded::look_script;
  html += embedded::look_detail;
  return html + "</script>\n</body>\n</html>\n";
}

}  // namespace afina
