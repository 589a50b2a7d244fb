// Finding and running commands.
#include "tools/options/command.h"

#include <iostream>

#include "engine/bf16_sums.h"
#include "engine/nearest.h"
#include "tools/options/options.h"
#include "tools/results/machine.h"
#include "tools/text/format.h"

namespace afina {

std::map<std::string, Command>& commands() {
  static std::map<std::string, Command> all;
  return all;
}

namespace {
void print_help(std::ostream& out) {
  out << "afina tunes language models in full and by adapters, side by side, for "
         "comparison.\n\nUsage: afina COMMAND "
         "[options]\n\nCommands:\n";
  for (auto& [name, command] : commands())
    out << "  " << name << std::string(12 - std::min<size_t>(11, name.size()), ' ')
        << command.summary << "\n";
  out << "\n'afina COMMAND --help' explains one. 'make demo' shows the main job on a model that "
         "comes with the repository.\n";
}
}  // namespace

int run_program(const std::vector<std::string>& words) {
  struct OwnSums {  // --dtype holds for this command
    ~OwnSums() { set_bf16_sums(Bf16Sums::pairs); }
  } own_sums;
  try {
    if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
      print_help(words.empty() ? std::cerr : std::cout);
      return words.empty() ? 2 : 0;
    }
    if (words[0] == "--version") {
      std::cout << "afina " << version() << " (" << commit() << ")\n";
      return 0;
    }
    auto found = commands().find(words[0]);
    if (found == commands().end()) {
      std::vector<std::string> names;
      for (auto& [name, command] : commands()) names.push_back(name);
      std::string close = nearest_word(words[0], names);
      throw UsageError("afina: no command '" + words[0] + "'" +
                       (close.empty() ? "" : "; did you mean '" + close + "'?") +
                       " ('afina --help' lists them)");
    }
    return found->second.run({words.begin() + 1, words.end()});
  } catch (const UsageError& e) {
    std::cerr << "error: " << harmless(e.what()) << "\n";
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << "error: out of memory; use a smaller --batch or --length, --dtype bf16 or "
                 "--checkpoint block\n";
  } catch (const std::exception& e) { std::cerr << "error: " << harmless(e.what()) << "\n"; }
  return 1;
}

}  // namespace afina
