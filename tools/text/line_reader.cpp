// Lines of standard input.
#include "tools/text/line_reader.h"

#include <unistd.h>

#include <iostream>

#if AFINA_LIBEDIT
#include <histedit.h>
#include <locale.h>
#endif

namespace afina {

namespace {

// As it was when the program began: where std::cin reads something else by now, that is read, and
// not the terminal.
const std::streambuf* const standard_input = std::cin.rdbuf();

}  // namespace

#if AFINA_LIBEDIT

// libedit asks the locale for the encoding of what is typed. The locale is set for this thread, and
// while a line is read, so that nothing else of the process changes.
class Utf8Scope {
 public:
  explicit Utf8Scope(locale_t utf8)
      : before_(utf8 ? uselocale(utf8) : static_cast<locale_t>(nullptr)) {}
  ~Utf8Scope() {
    if (before_) uselocale(before_);
  }
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;

 private:
  locale_t before_;
};

struct LineReader::Editor {
  EditLine* line = nullptr;
  History* history = nullptr;
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string prompt;

  Editor() {
    const Utf8Scope scope(utf8);
    line = el_init("afina", stdin, stderr, stderr);
    history = history_init();
    if (!line || !history) return;
    HistEvent event;
    ::history(history, &event, H_SETSIZE, 500);
    ::history(history, &event, H_SETUNIQUE, 1);
    el_set(line, EL_CLIENTDATA, this);
    el_set(line, EL_PROMPT, &Editor::shown);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_HIST, ::history, history);
    // Ctrl-C is a key while a line is written: it clears the line, and reading goes on.
    el_set(line, EL_SETTY, "-d", "-isig", nullptr);
    el_set(line, EL_BIND, "^C", "em-kill-line", nullptr);
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }
  ~Editor() {
    if (history) history_end(history);
    if (line) el_end(line);
    if (utf8) freelocale(utf8);
  }
  bool usable() const { return line && history; }
  static char* shown(EditLine* of) {
    Editor* self = nullptr;
    el_get(of, EL_CLIENTDATA, &self);
    return self->prompt.data();
  }
  std::optional<std::string> next(const std::string& with) {
    const Utf8Scope scope(utf8);
    prompt = with;
    int count = 0;
    const char* text = el_gets(line, &count);
    if (!text || count <= 0) {
      std::cerr << "\n";
      return std::nullopt;
    }
    std::string read(text, size_t(count));
    if (read.ends_with('\n')) read.pop_back();
    HistEvent event;
    if (!read.empty()) ::history(history, &event, H_ENTER, read.c_str());
    return read;
  }
};

#else

struct LineReader::Editor {
  bool usable() const { return false; }
  std::optional<std::string> next(const std::string&) { return std::nullopt; }
};

#endif

LineReader::LineReader()
    : terminal_(std::cin.rdbuf() == standard_input && ::isatty(STDIN_FILENO) == 1) {
  if (!terminal_ || ::isatty(STDERR_FILENO) != 1) return;
  editor_ = std::make_unique<Editor>();
  if (!editor_->usable()) editor_.reset();
}
LineReader::~LineReader() = default;

std::optional<std::string> LineReader::next(const std::string& prompt) {
  std::cout << std::flush;
  if (editor_) return editor_->next(prompt);
  if (terminal_) std::cerr << prompt << std::flush;
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace afina
