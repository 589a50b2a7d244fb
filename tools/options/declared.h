// What the commands of the program declare, for whoever describes all of them: man pages and
// completion in shells.
#pragma once
#include <string>
#include <vector>

#include "tools/options/options.h"

namespace afina {

struct Declared {
  std::string name, summary, intro;
  std::string leading;          // the option whose name may be left out in front; empty: none
  std::vector<Option> options;  // to be looked at only: their fields are gone

  bool takes(const std::string& option) const;
};

// Every command, by name, with the options that its --help shows. An Error for a command that
// begins otherwise than by begin() (tools/options/command.h).
std::vector<Declared> declared_commands();

// The words that complete an option's value: those of its enum, or the names that are registered.
// Empty where there are none, or too many.
std::vector<std::string> choices_of(const Option& option);
// How the value is written in a synopsis: "f32|bf16", "N", "FILE"; empty for a flag.
std::string placeholder_of(const Option& option);
// The beginning of a help text, as far as it stands for itself: at most 70 letters.
std::string brief(const std::string& help);

// The page of the program, or of one command, in the language of man (roff, UTF-8).
std::string manual_page(const std::vector<Declared>& commands);
std::string manual_page(const Declared& command);

// The script that completes commands, options and values in a shell.
enum class Shell : uint8_t { bash, zsh, fish };
template <>
struct WordList<Shell> {
  static constexpr std::pair<const char*, Shell> all[] = {
      {"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};
};
std::string completion_for(Shell shell, const std::vector<Declared>& commands);

}  // namespace afina
