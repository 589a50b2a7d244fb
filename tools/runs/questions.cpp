// What models are compared on: held-out rows where there are any, else texts.
#include <algorithm>

#include "engine/counted.h"
#include "engine/random.h"
#include "tools/runs/certify.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/replay.h"

namespace afina {

namespace {

constexpr int64_t most_positions = 1024, longest_row = 256;
constexpr size_t most_prompts = 3;

const std::vector<std::string> usual_texts = {
    "Good morning. I ordered a lamp three weeks ago and it has not arrived yet. Could you tell me "
    "where it is and when I may expect it?",
    "The river rises in the mountains, passes two old mill towns and reaches the sea after ninety "
    "kilometres. In spring it floods the meadows.",
    "Tom has 14 apples. He gives 5 of them to Ana and buys 8 more. How many apples does he have "
    "now? 14 - 5 = 9, and 9 + 8 = 17.",
    "Buenos días. ¿Podría decirme a qué hora abre la biblioteca los sábados? Gracias por su ayuda.",
    "def total(prices, tax):\n    return sum(prices) * (1 + tax)\n\nprint(total([2.5, 4.0], "
    "0.1))\n"};

// Cuts rows to what is compared in all.
void fit(Questions& q, int64_t context) {
  int64_t left = most_positions;
  std::vector<Questions::Row> rows;
  for (Questions::Row& row : q.rows) {
    const int64_t length =
        std::min({int64_t(row.tokens.size()), context, std::min(longest_row, left)});
    if (length < 2) continue;
    row.tokens.resize(size_t(length));
    row.targets.resize(size_t(length));
    left -= length;
    rows.push_back(std::move(row));
  }
  q.rows = std::move(rows);
}

// A row in which every token but the first is a target.
Questions::Row whole(std::vector<int32_t> tokens) {
  Questions::Row row{std::move(tokens), {}};
  row.targets.assign(row.tokens.size(), 1);
  if (!row.targets.empty()) row.targets[0] = 0;
  return row;
}

void add_prompt(Questions& q, std::vector<Message> messages, const TemplateInput& input,
                const Tokenizer& tokenizer, const ChatTemplate& chat, int64_t context) {
  if (q.prompts.size() >= most_prompts) return;
  std::vector<int32_t> tokens = tokenizer.encode(chat.text(messages, true, input));
  if (tokens.empty() || int64_t(tokens.size()) + 8 > context) return;
  q.prompts.push_back({std::move(messages), input, std::move(tokens)});
}

// The rows of a run that nothing was trained on or chosen by.
void add_held_out(Questions& q, const Subject& subject, int64_t rows, const Tokenizer& tokenizer,
                  const ChatTemplate& chat) {
  const std::string where = subject.run + "/manifest.json";
  try {
    const Replay replay = parse_replay(subject.manifest, where);
    const Workbench bench = open_workbench(replay.model, replay.data, replay.run);
    const std::string changed = changed_data(subject.manifest, bench);
    require(changed.empty(), changed);
    for (const Sample& sample : bench.final.rows)
      if (int64_t(q.rows.size()) < rows) q.rows.push_back({sample.tokens, sample.trained});
    q.described = counted(int64_t(q.rows.size()), "held-out row") + " of " + subject.run;
    for (const Example& e : bench.prompts)
      add_prompt(q, {e.messages.begin(), e.messages.end() - 1}, e.input, tokenizer, chat,
                 subject.files.config.context);
  } catch (const Error& error) {
    q = {};
    q.notes.push_back(std::string("the run's held-out rows cannot be read (") + error.what() +
                      "); built-in texts were taken in their place");
  }
}

void add_random(Questions& q, const ModelConfig& config) {
  const Random random(1, "certificate", "tokens");
  for (uint64_t r = 0, at = 0; r < 5; ++r) {
    std::vector<int32_t> tokens;
    for (; tokens.size() < 40; ++at)
      tokens.push_back(int32_t(random.below(at, uint32_t(config.vocabulary))));
    q.rows.push_back(whole(tokens));
  }
  q.prompts.push_back({{}, {}, {q.rows[0].tokens.begin(), q.rows[0].tokens.begin() + 8}});
  q.described = "5 rows of tokens drawn at random (the model has no tokenizer)";
}

}  // namespace

Questions make_questions(const Subject& subject, const QuestionOptions& options) {
  require(options.rows > 0, "--rows ", options.rows, ": expected at least 1");
  Questions q;
  const ModelConfig& config = subject.files.config;
  if (!subject.has_tokenizer) {
    add_random(q, config);
    fit(q, config.context);
    return q;
  }
  const Tokenizer tokenizer = subject.tokenizer();
  const ChatTemplate chat = subject.chat(tokenizer);
  if (options.texts.empty() && !subject.run.empty())
    add_held_out(q, subject, options.rows, tokenizer, chat);
  const bool own = !options.texts.empty();
  q.texts = own ? options.texts : usual_texts;
  if (q.rows.empty()) {
    for (const std::string& text : q.texts) {
      const std::vector<int32_t> tokens = prompt_tokens(tokenizer, text);
      require(tokens.size() > 1, "--text: a text of ", tokens.size(), " tokens certifies nothing");
      q.rows.push_back(whole(tokens));
    }
    q.described = counted(int64_t(q.texts.size()), own ? "text of yours" : "built-in text");
  }
  for (const std::string& text : q.texts)
    add_prompt(q, {{"user", text}}, {}, tokenizer, chat, config.context);
  fit(q, config.context);
  require(!q.rows.empty(), "the model's context of ", config.context, " tokens leaves nothing to ",
          "compare on");
  return q;
}

}  // namespace afina
