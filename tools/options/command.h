// Commands of the afina program: one file each, found by name.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace afina {

class Options;

struct Command {
  const char* summary;  // one line for `afina --help`
  int (*run)(const std::vector<std::string>&
                 words);  // the words after the command's name; returns the exit status
};
std::map<std::string, Command>& commands();

// How every command begins: parses its words, and sets for the process what the general options say
// (tools/options/general.h). False when --help was asked and printed; errors are those of both.
bool begin(Options& options, const std::vector<std::string>& words);

// For commands whose exit status says whether something was found: 0 where `clean` gives true, 1
// where it gives false, and 2 for an error, which is printed.
int status_of_findings(const std::function<bool()>& clean);

// Runs `afina words...`: finds the command, prints errors to stderr as one message. 0 done, 1 an
// error, 2 a wrong command line.
int run_program(const std::vector<std::string>& words);

}  // namespace afina

#define REGISTER_COMMAND(name, summary, run)              \
  [[maybe_unused]] static const bool registered_command = \
      (::afina::commands()[name] = ::afina::Command{summary, run}, true)
