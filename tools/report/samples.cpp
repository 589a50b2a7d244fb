// Answers of all methods, prompt by prompt.
#include "tools/report/samples.h"

#include "tools/report/page.h"

namespace afina {

namespace {

// The generations of the method's first run that has some.
const std::vector<Generation>* generations(const MethodResult& method) {
  for (const RunResult& run : method.runs)
    if (!run.generations.empty()) return &run.generations;
  return nullptr;
}

}  // namespace

std::vector<Answers> answers_of(const Comparison& comparison) {
  std::vector<Answers> all;
  for (size_t which = 0; which < comparison.methods.size(); which++) {
    const std::vector<Generation>* ours = generations(comparison.methods[which]);
    if (!ours) continue;
    if (all.empty())
      for (const Generation& one : *ours)
        all.push_back({one.prompt, one.reference, one.before, {}, {}});
    for (size_t i = 0; i < ours->size() && i < all.size(); i++) {
      if ((*ours)[i].prompt != all[i].prompt) continue;
      all[i].after.push_back((*ours)[i].after);
      all[i].methods.push_back(which);
    }
  }
  return all;
}

namespace page {

namespace {

std::string answer(std::string_view name_html, std::string_view text,
                   std::string_view attributes = "") {
  std::string shown = text.empty() ? "<span class=\"soft\">(nothing)</span>" : escape(text);
  return "<div " + std::string(attributes) + "><div class=\"what\">" + std::string(name_html) +
         "</div><div class=\"text\">" + shown + "</div></div>\n";
}

// As many columns as leave no row nearly empty, five at most.
size_t columns_for(size_t count) {
  const size_t rows = (count + 4) / 5;
  return (count + rows - 1) / rows;
}

// The first lines of an answer: some go on and on.
std::string beginning(const std::string& text) {
  constexpr size_t most_lines = 9, most_bytes = 420;
  size_t end = 0, lines = 0;
  while (end < text.size() && end < most_bytes && lines < most_lines) lines += text[end++] == '\n';
  if (end == text.size()) return text;
  while (end > 0 && (text[end] & 0xC0) == 0x80) end--;
  while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' ')) end--;
  return text.substr(0, end) + " …";
}

std::string sample(const Facts& facts, const Answers& answers) {
  const size_t count = 1 + answers.after.size() + !answers.reference.empty();
  std::string html =
      "<div class=\"card sample\"><div class=\"prompt\"><div class=\"what\">Prompt</div><div "
      "class=\"text\">" +
      escape(answers.prompt) +
      "</div></div><div class=\"answers\" style=\"--columns:" + std::to_string(columns_for(count)) +
      "\">\n";
  html += answer("Before training", answers.before);
  for (size_t i = 0; i < answers.after.size(); i++)
    html += answer("After " + escape(facts.label(answers.methods[i])), answers.after[i],
                   method_colour(answers.methods[i]));
  if (!answers.reference.empty())
    html += answer("Answer in the data", answers.reference, "class=\"given\"");
  return html + "</div></div>\n";
}

}  // namespace

std::string first_sample(const Facts& facts) {
  const std::vector<Answers> all = answers_of(facts.comparison);
  if (all.empty()) return "";
  Answers first = all[0];
  first.before = beginning(first.before);
  first.reference = beginning(first.reference);
  for (std::string& text : first.after) text = beginning(text);
  return "<h3 class=\"above\">A held-out prompt, answered before and after</h3>\n" +
         sample(facts, first);
}

std::string samples(const Facts& facts) {
  const std::vector<Answers> all = answers_of(facts.comparison);
  if (all.empty()) return "";
  std::string html =
      "<section id=\"samples\">\n<h2>Answers</h2>\n<p class=\"lead\">The same held-out "
      "prompts, answered greedily by the untouched model and by each trained one.</p>\n";
  for (const Answers& one : all) html += sample(facts, one);
  return html + "</section>\n";
}

}  // namespace page

}  // namespace afina
