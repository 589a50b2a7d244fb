// chat: a conversation in the terminal, with several adapters at hand.
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "data/tokenizer/utf8.h"
#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/interrupt.h"
#include "tools/runs/speakers.h"
#include "tools/text/colour.h"
#include "tools/text/line_reader.h"
#include "tools/text/table.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(A conversation with a model. Answers come as they are written; Ctrl-C ends an answer, and
Ctrl-D or /exit the conversation. With several adapters, /adapter changes who answers, and /compare
lets two of them answer side by side.

  afina chat --model data/pocket --adapter runs/support/adapter
  afina chat --model data/pocket --adapter runs/a/adapter --adapter runs/b/adapter
  printf 'Where is my parcel?\n/exit\n' | afina chat --model data/pocket

In the conversation:

  /help               these commands
  /reset              forget everything but the system text
  /undo               take back the last question and its answer
  /system TEXT        another system text; without TEXT none
  /adapter NAME       who answers from now on (base: the model alone); without NAME who there is
  /compare [A] [B]    two answer every question, side by side; /compare off ends it
  /save FILE          write the conversation as a training record (new .jsonl file)
  /exit               the end; so are exit or quit alone on a line, and the end of input

A line that begins with // is said with one of the two.)";

struct ChatOptions {
  std::string system, chat_template, date = TemplateChoice::default_date, use;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("system", o.system, Bits::keep, "the system text");
    v("use", o.use, Bits::keep, "the name of the adapter that answers first, or base for none",
      shown("the first"));
    v("template", o.chat_template, Bits::keep,
      "chat template: a Jinja file, or a name; the adapter's or the model's own unless given",
      naming(Names::templates));
    v("date", o.date, Bits::keep,
      "the date that a chat template writes when it asks for today's, as YYYY-MM-DD");
  }
};

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}
std::vector<std::string> split_blanks(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// One conversation. What it needs is its own; several may go on in a process, at one terminal or
// none.
class Conversation {
 public:
  Conversation(ModelFiles& files, const LiveOptions& load, const ChatOptions& asked,
               const GenerateOptions& sampling)
      : tokenizer_(tokenizer_of(files)),
        ends_(ends_of(files, tokenizer_)),
        models_(files, load, true),
        asked_(asked),
        sampling_(sampling),
        now_(speaker(asked.use.empty() ? models_.adapters()[0] : models_.find(asked.use))),
        dialogue_(models_.use(now_.opened), tokenizer_, *now_.format, now_.options, asked.system),
        terminal_(::isatty(STDOUT_FILENO) == 1) {
    for (const std::string& note : tokenizer_.notes()) say(note);
    for (const std::string& note : models_.notes()) say(note);
  }

  // Until the end of input or /exit. 0, or 1 where a line could not be answered.
  int go() {
    std::optional<AnswerInterrupts> interrupts;
    if (lines_.terminal()) {
      interrupts.emplace();
      std::cerr << "/help lists commands; Ctrl-C ends an answer, Ctrl-D the conversation.\n";
    }
    while (std::optional<std::string> line = lines_.next(harmless(now_.opened.name) + "> ")) {
      const std::string text = trimmed(*line);
      if (text.empty()) continue;
      if (text == "/exit" || text == "/quit" || text == "exit" || text == "quit") break;
      try {
        if (text.starts_with("//")) answer(text.substr(1));
        else if (text.starts_with('/')) obey(text);
        else answer(text);
      } catch (const UsageError& wrong) { say(wrong.what()); } catch (const Error& error) {
        std::cerr << "error: " << harmless(error.what()) << "\n";
        failed_ = true;
      }
    }
    if (const std::string note = now_.format->date_note(); !note.empty()) say(note);
    return failed_ && !lines_.terminal() ? 1 : 0;
  }

 private:
  static void say(const std::string& text) { std::cerr << "(" << harmless(text) << ")\n"; }
  Speaker speaker(const OpenedModels::Opened& opened) const {
    return make_speaker(opened, tokenizer_, ends_, sampling_,
                        {asked_.chat_template, "", asked_.date});
  }
  // A model may say anything: a terminal gets it without control characters, a file unchanged.
  std::string shown(const std::string& text) const { return terminal_ ? harmless(text) : text; }

  void answer(const std::string& text) {
    AnswerInterrupts::forget();
    if (other_) return answer_both(text);
    const GivenAnswer answer = dialogue_.say(text, [this](const std::string& piece) {
      std::cout << shown(piece) << std::flush;
      return std::cout && !AnswerInterrupts::noted();
    });
    std::cout << "\n" << std::flush;
    report(answer, models_.use(now_.opened).context());
  }

  // Both read what was said so far; the conversation goes on with the first one's answer.
  void answer_both(const std::string& text) {
    auto go_on = [](const std::string&) { return !AnswerInterrupts::noted(); };
    Model& model = models_.use(other_->opened);
    const GivenAnswer second =
        dialogue_.would_say(model, *other_->format, other_->options, text, go_on);
    // Ctrl-C means both: the other one does not begin.
    if (AnswerInterrupts::noted())
      return say("ended before " + now_.opened.name +
                 " answered; the question is taken back, as if it had not been asked");
    const GivenAnswer first = dialogue_.say(text, go_on);
    Table table("ww");
    table.add({now_.opened.name, other_->opened.name});
    table.add({rule(now_.opened.name), rule(other_->opened.name)});
    table.add({first.text, second.text});
    table.print(std::cout, size_t(stdout_columns()));
    std::cout << std::flush;
    report(first, models_.use(now_.opened).context());
  }
  static std::string rule(const std::string& name) {
    return std::string(std::max<size_t>(display_width(harmless(name)), 3), '-');
  }

  void report(const GivenAnswer& answer, int64_t context) const {
    if (answer.left_out)
      say("the oldest " + counted(answer.left_out, "exchange") +
          " no longer fits the model's context and is left out");
    switch (answer.generated.end) {
      case Generated::context:
        return say("the model's context of " + std::to_string(context) + " tokens is full");
      case Generated::length: return say("cut at --max-tokens " + std::to_string(sampling_.most));
      case Generated::caller: return say("ended");
      case Generated::stop: return;
    }
  }

  void obey(const std::string& text) {
    const size_t blank = std::min(text.find_first_of(" \t"), text.size());
    const std::string command = text.substr(1, blank - 1), rest = trimmed(text.substr(blank));
    if (!rest.empty() && (command == "help" || command == "reset" || command == "undo" ||
                          command == "exit" || command == "quit"))
      throw UsageError("/" + command + " stands alone on its line, and this one has '" + rest +
                       "' behind it. A line that is to begin with / is written with two of them");
    if (command == "help") help();
    else if (command == "reset") reset();
    else if (command == "undo") undo();
    else if (command == "system") system(rest);
    else if (command == "adapter") adapter(rest);
    else if (command == "compare") compare(rest);
    else if (command == "save") save(rest);
    else
      throw UsageError("there is no /" + command +
                       "; /help lists what there is. A line that is to " +
                       "begin with / is written with two of them");
  }

  static void help() {
    const std::string all = intro;
    const size_t from = all.find("  /help"), to = all.find("\n\nA line");
    std::cerr << all.substr(from, to - from) << "\n";
  }
  void reset() {
    dialogue_.reset();
    say("everything is forgotten but the system text");
  }
  void undo() {
    say(dialogue_.undo() ? "the last question and its answer are taken back"
                         : "there is nothing to take back");
  }
  void system(const std::string& text) {
    dialogue_.system(text);
    say(text.empty() ? "no system text" : "the system text is: " + text);
  }

  std::string names() const {
    std::string all;
    auto add = [&](const std::string& name) {
      all += (all.empty() ? "" : ", ") + name + (name == now_.opened.name ? " (answers)" : "");
    };
    if (models_.live()) add(LiveAdapters::none);
    for (const OpenedModels::Opened& one : models_.adapters()) add(one.name);
    return all;
  }
  void adapter(const std::string& name) {
    if (name.empty()) return say(names());
    const Speaker next = speaker(models_.find(name));
    dialogue_.use(models_.use(next.opened), *next.format, next.options);
    now_ = next;
    if (other_ && other_->opened.name == name) other_.reset();
    say(name + " answers");
  }

  void compare(const std::string& rest) {
    const std::vector<std::string> asked = split_blanks(rest);
    if (!asked.empty() && asked[0] == "off") {
      if (asked.size() > 1) throw UsageError("/compare off stands alone");
      other_.reset();
      return say(now_.opened.name + " answers alone");
    }
    if (!models_.live())
      throw UsageError("there is one model and no adapter to compare it with; give --adapter");
    if (asked.size() > 2)
      throw UsageError("/compare takes two names at most; there are: " + names());
    if (asked.size() == 2 && asked[0] == asked[1])
      throw UsageError("/compare " + asked[0] + " " + asked[1] + ": give two different ones");
    std::string second = asked.empty() ? LiveAdapters::none : asked.back();
    if (asked.empty() && now_.opened.name == second) second = models_.adapters()[0].name;
    const Speaker other = speaker(models_.find(second));
    if (asked.size() == 2) adapter(asked[0]);
    if (second == now_.opened.name)
      throw UsageError(second + " answers already; name another one: " + names());
    other_ = other;
    say(now_.opened.name + " and " + second + " answer; the conversation goes on with what " +
        now_.opened.name + " says");
  }

  void save(const std::string& path) {
    if (path.empty()) throw UsageError("/save FILE: give the name of a new .jsonl file");
    std::error_code ignored;
    // A link that leads nowhere is somebody's as well.
    if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
      throw UsageError(path + ": is there already; give another name");
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
      throw UsageError(path + ": there is no folder " + folder.string());
    bool answered = false, changed = false;
    Json messages = Json::array();
    for (const Message& one : dialogue_.messages()) {
      const std::string content = valid_utf8(one.content);
      answered = answered || one.role == "assistant";
      changed = changed || content != one.content;
      messages.push_back(Json{{"role", one.role}, {"content", content}});
    }
    if (!answered) throw UsageError("nothing was answered yet, so there is nothing to train on");
    if (changed) say("what is not UTF-8 is written as U+FFFD");
    write_text_file(path, to_text(Json{{"messages", messages}}, -1) + "\n");
    say("written to " + path);
  }

  const Tokenizer tokenizer_;
  const std::vector<int32_t> ends_;
  OpenedModels models_;
  const ChatOptions asked_;
  const GenerateOptions sampling_;
  Speaker now_;                   // who answers
  std::optional<Speaker> other_;  // who answers beside, while comparing
  Dialogue dialogue_;
  LineReader lines_;
  const bool terminal_;
  bool failed_ = false;
};

int chat_command(const std::vector<std::string>& words) {
  ChatOptions asked;
  LiveOptions load;
  SamplingOptions sampling;
  sampling.most = 512;
  Options options("chat", intro);
  options.add("Model", load);
  options.add("Conversation", asked);
  options.add("Generation", sampling);
  if (!begin(options, words)) return 0;
  sampling.check("chat");
  const ComputeScope scope = load.scope();
  ModelFiles files = open_model(load.model);
  if (!asked.use.empty() && load.adapters.empty())
    throw UsageError("afina chat: --use chooses among --adapter");
  return Conversation(files, load, asked, sampling).go();
}

REGISTER_COMMAND("chat", "a conversation with a model, with adapters side by side", chat_command);

}  // namespace

}  // namespace afina
