// generate: text from a model, to one prompt or in a conversation, as it comes.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "engine/counted.h"
#include "model/files/end_tokens.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/speakers.h"
#include "tools/text/format.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Generates text with a model, with or without an adapter. A prompt is put into the model's
chat template as a user's turn; with --raw it is continued without a template. The likeliest token
is chosen unless --temperature says otherwise; the same seed gives the same text.

  afina generate --model data/pocket --adapter runs/lora/adapter --prompt 'Where is my parcel?'
  afina generate --model data/pocket --raw --prompt 'Once upon a time' \
      --temperature 0.8 --top-p 0.95 --seed 7
  afina generate --model SmolLM2.gguf --chat

'afina chat' is a conversation with line editing and commands (/undo, /adapter, /compare).

Several adapters, or sums of LoRAs, stand beside each other over one model; each of them answers, or
--use NAME alone. In a conversation a line '/use NAME' goes on with another of them:

  afina generate --model data/pocket --adapter runs/a/adapter --adapter runs/b/adapter \
      --adapter runs/a/adapter:0.5+runs/b/adapter:0.5 --prompt 'Where is my parcel?')";

struct PromptOptions {
  std::string prompt, system, chat_template, date = TemplateChoice::default_date, use;
  bool chat = false, raw = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("prompt", o.prompt, Bits::keep, "what to answer or continue; - reads it from standard input");
    v("use", o.use, Bits::keep,
      "with several adapters: the name of the one that answers, or base for none", shown("all"));
    v("chat", o.chat, Bits::keep, "a conversation: every line of standard input is a user's turn");
    v("system", o.system, Bits::keep, "the system prompt");
    v("template", o.chat_template, Bits::keep,
      "chat template: a Jinja file, or a name; the adapter's or the model's own unless given",
      naming(Names::templates));
    v("date", o.date, Bits::keep,
      "the date that a chat template writes when it asks for today's, as YYYY-MM-DD");
    v("raw", o.raw, Bits::keep, "no chat template: the prompt is continued as it stands");
  }
};
struct Generate : PromptOptions {
  LiveOptions load;
  SamplingOptions options;
  std::vector<int32_t> ends;     // the tokens at which other programs stop
  std::string unnamed_end = "";  // the one at which an answer ended that is not among them

  void check(const Options& given) const {
    if (given.given("prompt") == chat)
      throw UsageError(
          "afina generate: give either --prompt TEXT or --chat; see 'afina generate --help'");
    if (raw && (chat || !system.empty() || !chat_template.empty()))
      throw UsageError(
          "afina generate: --raw uses no chat template, so --chat, --system and --template do not "
          "go with it");
    options.check("generate");
  }

  // Text to standard output as it comes. A model may say anything: a terminal gets it without
  // control characters, a file unchanged.
  static bool write(const std::string& text) {
    static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    std::cout << (terminal ? harmless(text) : text) << std::flush;
    return bool(std::cout);
  }

  // What is worth knowing after an answer, on standard error.
  void report(const GivenAnswer& answer, const Tokenizer& tokenizer, int64_t context) {
    const Generated& g = answer.generated;
    if (g.stopped_at >= 0 && std::find(ends.begin(), ends.end(), g.stopped_at) == ends.end())
      unnamed_end = tokenizer.token_text(g.stopped_at);
    if (g.end == Generated::context)
      std::cerr << "\n(the model's context of " << context << " tokens is full)";
    std::cout << "\n" << std::flush;
    if (answer.left_out)
      std::cerr << "(the oldest exchange no longer fits the model's context and is left out)\n";
    double rate = g.tokens.size() > 1 && g.token_seconds > 0.
                      ? double(g.tokens.size() - 1) / g.token_seconds
                      : 0.;
    std::cerr << "(" << counted(answer.prompt_tokens, "token") << " of prompt in "
              << format_seconds(g.prompt_seconds) << ", " << g.tokens.size() << " new ones";
    if (rate > 0.) std::cerr << " at " << format_rate(rate) << " tokens/s";
    std::cerr << ")\n";
  }

  Speaker speaker(const OpenedModels::Opened& opened, const Tokenizer& tokenizer) const {
    return make_speaker(opened, tokenizer, ends, options, {chat_template, "", date}, raw);
  }

  // A line '/use NAME' where several adapters are live. True: it was one.
  static bool changes(const std::string& line, std::string& name) {
    const std::string word = "/use ";
    if (!line.starts_with(word)) return false;
    name = line.substr(word.size());
    return true;
  }

  void converse(Dialogue& dialogue, OpenedModels& models, const Tokenizer& tokenizer,
                int64_t context) {
    const bool terminal = isatty(0);
    if (terminal) std::cerr << "Write, and press Enter; an empty line ends the conversation.\n";
    std::string name;
    for (std::string line; (terminal && std::cerr << "> "), std::getline(std::cin, line);) {
      if (line.empty() && terminal) return;
      if (models.live() && changes(line, name)) {
        try {
          const Speaker next = speaker(models.find(name), tokenizer);
          Model& model = models.use(next.opened);
          context = model.context();
          dialogue.use(model, *next.format, next.options);
          std::cerr << "(" << harmless(name) << " answers)\n";
        } catch (const UsageError& wrong) { std::cerr << "(" << harmless(wrong.what()) << ")\n"; }
        continue;
      }
      if (!line.empty()) report(dialogue.say(line, write), tokenizer, context);
    }
  }

  void answer(const Speaker& one, OpenedModels& models, const Tokenizer& tokenizer) {
    Model& model = models.use(one.opened);
    const int64_t context = model.context();
    if (raw) {
      std::vector<int32_t> ids = prompt_tokens(tokenizer, prompt);
      require(!ids.empty(), "--prompt is empty: there is nothing to continue");
      return report(continue_tokens(model, tokenizer, ids, one.options, write), tokenizer, context);
    }
    Dialogue dialogue(model, tokenizer, *one.format, one.options, system);
    if (chat) converse(dialogue, models, tokenizer, context);
    else report(dialogue.say(prompt, write), tokenizer, context);
    if (const std::string note = one.format->date_note(); !note.empty())
      std::cerr << "(" << note << ")\n";
  }

  void go() {
    ModelFiles files = open_model(load.model);
    Tokenizer tokenizer = tokenizer_of(files);
    for (const std::string& note : tokenizer.notes()) std::cerr << "(" << harmless(note) << ")\n";
    for (const std::string& key : generation_not_applied(files.path))
      std::cerr << "(generation_config.json: " << harmless(key)
                << " is not applied: other programs may write other words)\n";
    ends = ends_of(files, tokenizer);
    OpenedModels models(files, load);
    for (const std::string& note : models.notes()) std::cerr << "(" << harmless(note) << ")\n";
    if (!use.empty() && !models.live())
      throw UsageError("afina generate: --use chooses among several --adapter");
    std::vector<OpenedModels::Opened> turns = models.adapters();
    if (!use.empty()) turns = {models.find(use)};
    if (chat) turns.resize(1);
    std::vector<Speaker> speakers;
    for (const OpenedModels::Opened& one : turns) speakers.push_back(speaker(one, tokenizer));
    if (!chat && prompt == "-") prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
    for (size_t i = 0; i < speakers.size(); ++i) {
      if (models.live() && !chat)
        std::cout << (i ? "\n" : "") << harmless(speakers[i].opened.name) << ":\n";
      answer(speakers[i], models, tokenizer);
    }
    if (!unnamed_end.empty())
      std::cerr << "(answers end with " << unnamed_end
                << ", which the model's files do not name as an end token: other programs go on "
                   "there; name it in generation_config.json (eos_token_id)"
                << (load.adapters.empty() ? ""
                                          : ", or write the model with 'afina merge', which does")
                << ")\n";
  }
};

int generate_command(const std::vector<std::string>& words) {
  Generate command;
  Options options("generate", intro);
  options.add("Model", command.load);
  options.add("Prompt", command);
  options.add("Generation", command.options);
  if (!begin(options, words)) return 0;
  command.check(options);
  const ComputeScope scope = command.load.scope();
  command.go();
  return 0;
}

REGISTER_COMMAND("generate", "let a model answer", generate_command);

}  // namespace

}  // namespace afina
