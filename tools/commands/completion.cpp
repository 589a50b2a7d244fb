// completion: the script with which a shell completes commands, options and values.
#include <iostream>

#include "engine/files/atomic_file.h"
#include "tools/options/command.h"
#include "tools/options/declared.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Prints a script with which bash, zsh or fish completes commands, options and their values.
'make install' and the Debian package put it where the shell finds it. To try it:

  source <(afina completion bash)
  afina completion zsh --out ~/.zfunc/_afina
  afina completion fish --out ~/.config/fish/completions/afina.fish)";

struct CompletionOptions {
  Shell shell = Shell::bash;
  std::string out;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("shell", o.shell, Bits::keep, "bash, zsh or fish; '--shell' may be left out", required);
    v("out,o", o.out, Bits::keep, "file to write it to, in place of printing it",
      naming(Names::files));
  }
};

int completion(const std::vector<std::string>& words) {
  CompletionOptions asked;
  Options options("completion", intro);
  options.add("Completion", asked);
  options.may_lead("shell");
  if (!begin(options, words)) return 0;
  const std::string script = completion_for(asked.shell, declared_commands());
  if (asked.out.empty()) std::cout << script;
  else write_text_file(asked.out, script);
  return 0;
}

REGISTER_COMMAND("completion", "print a script that completes the command line in a shell",
                 completion);

}  // namespace

}  // namespace afina
