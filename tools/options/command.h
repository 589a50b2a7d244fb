// Commands of the afina program: one file each, found by name.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace afina {

struct Command {
  const char* summary;  // one line for `afina --help`
  int (*run)(const std::vector<std::string>&
                 words);  // the words after the command's name; returns the exit status
};
std::map<std::string, Command>& commands();

// Runs `afina words...`: finds the command, prints errors to stderr as one message. 0 done, 1 an
// error, 2 a wrong command line.
int run_program(const std::vector<std::string>& words);

}  // namespace afina

#define REGISTER_COMMAND(name, summary, run)              \
  [[maybe_unused]] static const bool registered_command = \
      (::afina::commands()[name] = ::afina::Command{summary, run}, true)
