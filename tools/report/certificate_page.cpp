// A certificate as a page.
#include "tools/report/certificate_page.h"

#include <cstdio>

#include "tools/report/page.h"
#include "tools/text/format.h"

namespace afina {

namespace {

using page::escape;

constexpr const char* style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c1c1c;background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ddd;vertical-align:top}code,pre{font:.9rem ui-monospace,monospace;"
    "overflow-wrap:anywhere;white-space:pre-wrap}.yes{color:#0b6b3a}.no{color:#b3261e;"
    "font-weight:600}.verdict{padding:.8rem 1rem;border:1px solid;border-radius:.4rem}"
    "@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}td,th{"
    "border-color:#444}.yes{color:#6fd39a}.no{color:#ff8a80}}";

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string row(const std::string& name, const std::string& value) {
  return "<tr><th scope=\"row\">" + escape(name) + "</th><td>" + value + "</td></tr>\n";
}

std::string verdict(const ExportCertificate& c) {
  if (c.holds())
    return "<p class=\"verdict yes\">What was written answers as what was trained: every "
           "difference "
           "is within what its storage explains.</p>\n";
  return std::string("<p class=\"verdict no\">Not every check holds.") +
         (c.accepted ? " It was written all the same, as --accept asked." : "") + "</p>\n";
}

std::string checks(const ExportCertificate& c) {
  std::string html =
      "<h2>Checks</h2>\n<table><tr><th>check</th><th>found</th><th>bound</th>"
      "<th></th></tr>\n";
  for (const CertificateCheck& one : c.checks)
    html += "<tr><td>" + escape(one.name) + "<br><small>" + escape(one.means) +
            "</small></td><td>" + escape(one.found) + "</td><td>" + escape(one.bound) +
            "</td><td class=\"" + (one.holds ? "yes\">holds" : "no\">does not hold") +
            "</td></tr>\n";
  return html + "</table>\n";
}

std::string figures(const ExportCertificate& c) {
  const LogitDifference &d = c.logits, &r = c.rounding;
  auto cells = [](const std::string& name, const std::string& a, const std::string& b) {
    return "<tr><th scope=\"row\">" + name + "</th><td>" + a + "</td><td>" + b + "</td></tr>\n";
  };
  auto same = [](const LogitDifference& of) {
    return of.positions ? format_percent(double(of.same_choice) / double(of.positions))
                        : std::string("-");
  };
  // Nothing was rounded where all is F32.
  auto alone = [&](double value) { return r.positions ? number(value) : std::string("-"); };
  std::string html =
      "<h2>Differences</h2>\n<p>" + escape(c.rows) + ", " + std::to_string(d.positions) +
      " positions. The last column is the trained model against itself with random rounding of the "
      "stored types' size: what the storage alone explains.</p>\n<table><tr><th></th><th>trained "
      "and written</th><th>rounding alone</th></tr>\n";
  html += cells("largest |Δlogit|", number(d.largest), alone(r.largest));
  html += cells("root mean square of Δlogit",
                number(d.rms) + " (logits: " + number(d.deviation) + ")", alone(r.rms));
  html += cells("KL per position, nats", number(d.kl), alone(r.kl));
  html += cells("KL, largest", number(d.worst_kl), alone(r.worst_kl));
  html += cells("same likeliest token", same(d), same(r));
  html +=
      cells("perplexity, trained and then written",
            d.targets ? number(d.perplexity_before) + " and " + number(d.perplexity_after) : "-",
            d.targets ? alone(r.perplexity_after) : "-");
  if (c.has_effect) html += cells("KL of the training itself", number(c.effect_kl), "");
  return html + "</table>\n";
}

std::string stored(const ExportCertificate& c) {
  if (c.stored.empty()) return "";
  std::string html =
      "<h2>Stored types</h2>\n<table><tr><th>type</th><th>tensors</th><th>worst tensor: relative "
      "error</th><th>bound</th><th>worst part: error</th><th>bound</th></tr>\n";
  for (const StoredError& s : c.stored)
    html += "<tr><td>" + escape(s.what) + " in " + escape(s.type) + "</td><td>" +
            std::to_string(s.tensors) + "</td><td>" + number(s.error) + "<br><code>" +
            escape(s.where) + "</code></td><td>" + number(s.bound) + "</td><td>" + number(s.part) +
            "<br><code>" + escape(s.place) + "</code></td><td>" + number(s.part_bound) +
            "</td></tr>\n";
  return html + "</table>\n";
}

std::string files(const ExportCertificate& c) {
  if (c.files.size() < 2) return "";
  std::string html =
      "<h2>Files</h2>\n<table><tr><th>file</th><th>bytes</th><th>SHA-256</th></tr>\n";
  for (const CertifiedFile& one : c.files)
    html += "<tr><td><code>" + escape(one.name) + "</code></td><td>" +
            escape(format_grouped(one.bytes)) + "</td><td><code>" + escape(one.sha256) +
            "</code></td></tr>\n";
  return html + "</table>\n";
}

std::string answers(const ExportCertificate& c) {
  if (c.answers.empty()) return "";
  std::string html = "<h2>Answers</h2>\n<p>The likeliest token each time.</p>\n";
  for (const AnswerPair& a : c.answers) {
    html += "<table>\n" + row("prompt", "<pre>" + escape(a.prompt) + "</pre>") +
            row("trained", "<pre>" + escape(a.before) + "</pre>");
    html += a.same == a.tokens && a.before == a.after
                ? row("written", "the same " + std::to_string(a.tokens) + " tokens")
                : row("written", "<pre>" + escape(a.after) + "</pre><small>the first " +
                                     std::to_string(a.same) + " of " + std::to_string(a.tokens) +
                                     " tokens are the same</small>");
    html += "</table>\n";
  }
  return html;
}

}  // namespace

std::string certificate_page(const ExportCertificate& c) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
      "name=\"viewport\" content=\"width=device-width\"><title>Certificate of " +
      escape(c.file) + "</title><style>" + style + "</style></head><body>\n<h1>" +
      "Certificate of " + escape(c.file) + "</h1>\n" + verdict(c) + "<table>\n";
  html += row("SHA-256", "<code>" + escape(c.sha256) + "</code>");
  html += row("size", escape(format_bytes(double(c.bytes))) + ", " +
                          escape(format_grouped(c.bytes)) + " bytes");
  html += row("form", escape(c.form));
  html += row("compared with", "<code>" + escape(c.trained) + "</code>");
  html += row("made by", "afina " + escape(c.version) + ", " + escape(c.created));
  html += "</table>\n" + checks(c) + figures(c) + stored(c) + files(c) + answers(c);
  if (!c.notes.empty()) {
    html += "<h2>Notes</h2>\n<ul>\n";
    for (const std::string& note : c.notes) html += "<li>" + escape(note) + "</li>\n";
    html += "</ul>\n";
  }
  return html + "</body></html>\n";
}

}  // namespace afina
