// Finding and running commands.
#include "tools/options/command.h"

#include <filesystem>
#include <iostream>

#include "engine/device.h"
#include "engine/nearest.h"
#include "model/files/weights.h"
#include "tools/options/compute.h"
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
  out << "\n'afina help COMMAND' explains one. 'make demo' shows the main job on a model that "
         "comes with the repository.\n";
}

// "filesystem error: cannot remove: Permission denied [a/b]" as "a/b: cannot remove: Permission
// denied".
std::string words_of(const std::filesystem::filesystem_error& e) {
  std::string words = e.what();
  const std::string before = "filesystem error: ";
  if (words.starts_with(before)) words.erase(0, before.size());
  if (const size_t paths = words.find(" ["); paths != words.npos) words.resize(paths);
  return e.path1().string() + ": " + words;
}

const Command& command_named(const std::string& word) {
  auto found = commands().find(word);
  if (found != commands().end()) return found->second;
  std::vector<std::string> names = {"help", "version"};
  for (auto& [name, command] : commands()) names.push_back(name);
  const std::string close = nearest_word(word, names);
  throw UsageError("afina: no command '" + word + "'" +
                   (close.empty() ? "" : "; did you mean '" + close + "'?") +
                   " ('afina --help' lists them)");
}
}  // namespace

bool begin(Options& options, const std::vector<std::string>& words) {
  if (!options.parse(words)) return false;
  apply_to_process(options.general());
  const auto in_force = options.in_force();
  // Before anything else sees the path, so that every record names the file.
  if (auto model = in_force.find("model"); model != in_force.end())
    if (const std::string file = model_file(model->second); file != model->second) {
      options.at("model").set(file);
      std::cerr << "afina: the model is " << file << ", the only .gguf file of the folder\n";
    }
  auto device = in_force.find("device");
  if (device != in_force.end() && device->second == word_of(DeviceChoice::automatic) &&
      built_for(Device::cuda) && !present(Device::cuda))
    std::cerr << "afina: on the CPU, as " << why_absent(Device::cuda) << "\n";
  return true;
}

// Runs it and prints what goes wrong; gives `on_error` where something does.
static int printing_errors(int on_error, const std::function<int()>& run) {
  try {
    return run();
  } catch (const UsageError& e) {
    std::cerr << "error: " << harmless(e.what()) << "\n";
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << "error: out of memory; use a smaller --batch or --length, --dtype bf16 or "
                 "--checkpoint block\n";
  } catch (const std::filesystem::filesystem_error& e) {
    std::cerr << "error: " << harmless(words_of(e)) << "\n";
  } catch (const std::exception& e) { std::cerr << "error: " << harmless(e.what()) << "\n"; }
  return on_error;
}

int status_of_findings(const std::function<bool()>& clean) {
  return printing_errors(2, [&] { return clean() ? 0 : 1; });
}

int run_program(const std::vector<std::string>& words) {
  return printing_errors(1, [&] {
    const bool help = !words.empty() && words[0] == "help";
    if (words.empty() || words[0] == "--help" || words[0] == "-h" ||
        (help && (words.size() == 1 || words[1] == "help" || words[1] == "version"))) {
      print_help(words.empty() ? std::cerr : std::cout);
      return words.empty() ? 2 : 0;
    }
    if (words[0] == "--version" || words[0] == "version") {
      std::cout << "afina " << version() << " (" << commit() << ")\n";
      return 0;
    }
    if (help && words.size() > 2)
      throw UsageError("afina help: expected one command, found '" + words[1] + "' and '" +
                       words[2] + "'");
    if (help) return command_named(words[1]).run({"--help"});
    return command_named(words[0]).run({words.begin() + 1, words.end()});
  });
}

}  // namespace afina
