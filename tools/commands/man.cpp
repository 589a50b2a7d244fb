// man: the manual of the program and of each command, from the options that they declare.
#include <filesystem>
#include <iostream>

#include "engine/files/atomic_file.h"
#include "engine/nearest.h"
#include "tools/options/command.h"
#include "tools/options/declared.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Prints the man page of the program, or of a command, in the language of man. Where afina is
installed, 'man afina' and 'man afina-compare' show the same.

  afina man | man -l -
  afina man compare | man -l -
  afina man --out pages)";

struct ManOptions {
  std::string command, out;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("command", o.command, Bits::keep,
      "the command to explain, the program unless given; '--command' may be left out",
      naming(Names::commands));
    v("out,o", o.out, Bits::keep, "folder to write all pages to, in place of printing one",
      naming(Names::folders));
  }
};

void write_pages(const std::vector<Declared>& commands, const std::string& folder) {
  std::filesystem::create_directories(folder);
  write_text_file(folder + "/afina.1", manual_page(commands));
  for (const Declared& one : commands)
    write_text_file(folder + "/afina-" + one.name + ".1", manual_page(one));
}

int man(const std::vector<std::string>& words) {
  ManOptions asked;
  Options options("man", intro);
  options.add("Manual", asked);
  options.may_lead("command");
  if (!begin(options, words)) return 0;
  options.not_both("command", "out");
  const std::vector<Declared> all = declared_commands();
  if (!asked.out.empty()) {
    write_pages(all, asked.out);
    return 0;
  }
  if (asked.command.empty()) {
    std::cout << manual_page(all);
    return 0;
  }
  std::vector<std::string> names;
  for (const Declared& one : all) {
    names.push_back(one.name);
    if (one.name != asked.command) continue;
    std::cout << manual_page(one);
    return 0;
  }
  const std::string close = nearest_word(asked.command, names);
  throw UsageError("afina man: no command '" + asked.command + "'" +
                   (close.empty() ? "" : "; did you mean '" + close + "'?") +
                   " ('afina --help' lists them)");
}

REGISTER_COMMAND("man", "print the man page of the program or of a command", man);

}  // namespace

}  // namespace afina
