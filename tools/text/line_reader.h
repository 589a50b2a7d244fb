// Lines that a user writes: with editing and history at a terminal, plain from a pipe or a file.
#pragma once
#include <memory>
#include <optional>
#include <string>

namespace afina {

// Reads standard input. At a terminal a line can be edited, and earlier ones come back with the
// arrows, where the program was built with libedit (BSD licence); Ctrl-C clears the line then.
// History is kept in memory alone. One at a time.
class LineReader {
 public:
  LineReader();
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  // Does a person write?
  bool terminal() const { return terminal_; }
  // The next line without its line feed; at a terminal after a prompt, on standard error. Nothing
  // at the end of input.
  std::optional<std::string> next(const std::string& prompt);

 private:
  struct Editor;
  bool terminal_;
  std::unique_ptr<Editor> editor_;  // null: without libedit, or no terminal
};

}  // namespace afina
