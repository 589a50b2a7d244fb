// How every page begins that looks like report.html.
#include "tools/report/embedded.h"
#include "tools/report/page.h"
#include "tools/report/svg.h"

namespace afina::page {

namespace {

// No request can leave the page, whatever the data contain.
const char* const head =
    R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; )html"
    R"html(style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
)html";

// The colours of drawings and page, light, dark and on paper, from the one list of them.
std::string colours() {
  std::string light, dark;
  for (const svg::Colour& colour : svg::palette()) {
    light += std::string("--") + colour.name + ":" + colour.light + ";";
    dark += std::string("--") + colour.name + ":" + colour.dark + ";";
  }
  return ":root{" + light + "color-scheme:light}\n" +
         "@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){" + dark +
         "color-scheme:dark}}\n@media screen{:root[data-theme=dark]{" + dark +
         "color-scheme:dark}}\n";
}

}  // namespace

std::string opening(std::string_view title) {
  std::string html = head;
  html += "<title>" + escape(title) + " · afina</title>\n<style>\n" + colours();
  html += embedded::style_sheet;
  return html + "</style>\n</head>\n<body>\n";
}

std::string closing(const std::string& command, const std::vector<std::string>& notes,
                    const std::string& version, const std::string& created, const char* file) {
  std::string html = "<section><h2>How to run it again</h2>\n<pre>" + escape(command) + "</pre>\n";
  if (!notes.empty()) {
    html += "<div class=\"notes\"><ul>";
    for (const std::string& note : notes) html += "<li>" + escape(note) + "</li>";
    html += "</ul></div>\n";
  }
  return html + "</section>\n</main>\n<footer><div><p>afina " + escape(version) + ", " +
         escape(created) + ". All figures are in " + file +
         " beside this page.</p></div></footer>\n</body>\n</html>\n";
}

std::string titled(std::string_view kicker, std::string_view sentence,
                   const std::vector<std::pair<std::string, std::string>>& tags) {
  std::string html = "<header class=\"top\"><div>\n<div class=\"kicker\">" + escape(kicker) +
                     "</div>\n<h1>" + prose(sentence) + "</h1>\n<ul class=\"tags\">";
  for (auto& [value, name] : tags)
    html += "<li><b>" + escape(value) + "</b> " + escape(name) + "</li>";
  return html + "</ul>\n</div></header>\n";
}

}  // namespace afina::page
