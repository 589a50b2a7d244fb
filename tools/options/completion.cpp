// Completion scripts for shells from what commands declare.
#include <algorithm>
#include <map>
#include <sstream>

#include "tools/options/declared.h"

namespace afina {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}
// Within single quotes: a quote ends them, stands escaped, and begins them again.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}
std::vector<std::string> names_of(const std::vector<Declared>& commands) {
  std::vector<std::string> names;
  for (const Declared& c : commands) names.push_back(c.name);
  return names;
}
// "--model" and "-m".
std::vector<std::string> words_for(const Option& o) {
  std::vector<std::string> words{"--" + o.name};
  if (!o.letter.empty()) words.push_back("-" + o.letter);
  return words;
}
const Option* leading_of(const Declared& c) {
  for (const Option& o : c.options)
    if (o.name == c.leading) return &o;
  return nullptr;
}
// What --help alone understands, and what lists the commands.
const std::vector<std::string> without_command{"--help", "--version", "help", "version"};

// bash: a line for each kind of value, which names the options that take it.
constexpr const char* bash_head =
    R"(# Completion of afina for bash, made by 'afina completion bash'.
_afina_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}
_afina() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} choices= options=
  # bash takes --option=value for three words
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
)";
constexpr const char* bash_tail = R"(  if [[ $word != -* ]] && ((COMP_CWORD == 2)); then
    case ${COMP_WORDS[1]} in
%LEADING%    esac
  fi
  COMPREPLY=($(compgen -W "${choices:-$options}" -- "$word"))
}
complete -F _afina afina
)";

// What completes the value of an option in bash; `how` is carried out within a case.
std::string bash_value(const Option& o) {
  const std::vector<std::string> choices = choices_of(o);
  if (o.names == Names::methods)  // its options follow after a colon
    return "compopt -o nospace 2>/dev/null; choices='" + joined(choices) + "'";
  if (!choices.empty() && o.names != Names::templates) return "choices='" + joined(choices) + "'";
  if (o.names == Names::folders) return "_afina_files -d; return";
  if (o.names == Names::files || o.names == Names::templates) return "_afina_files -f; return";
  return "return";
}

std::string bash(const std::vector<Declared>& commands) {
  std::ostringstream out;
  std::vector<std::string> first = names_of(commands);
  first.insert(first.end(), without_command.begin(), without_command.end());
  out << bash_head << "  if ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W '"
      << joined(first) << "' -- \"$word\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n";
  std::map<std::string, std::string> values;  // what to do: for which words
  std::string leading;
  for (const Declared& c : commands) {
    std::vector<std::string> options;
    for (const Option& o : c.options) {
      options.push_back("--" + o.name);
      if (o.flag) continue;
      std::string& cases = values[bash_value(o)];
      for (const std::string& word : words_for(o))
        cases += (cases.empty() ? "" : " | ") + quoted(c.name + " " + word);
    }
    out << "    " << c.name << ") options='" << joined(options) << "' ;;\n";
    if (const Option* o = leading_of(c))
      leading += "      " + c.name + ") " + bash_value(*o) + " ;;\n";
  }
  out << "    help) choices='" << joined(names_of(commands)) << "' ;;\n  esac\n"
      << "  case \"${COMP_WORDS[1]} $option\" in\n";
  // A value that nothing completes: an empty list, which is no file either.
  for (auto& [how, cases] : values) out << "    " << cases << ")\n      " << how << " ;;\n";
  std::string tail = bash_tail;
  const std::string place = "%LEADING%";
  tail.replace(tail.find(place), place.size(), leading);
  out << "  esac\n" << tail;
  return out.str();
}

// Text within the brackets of _arguments.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += (std::string("[]:\\").find(c) != std::string::npos ? "\\" : "") + std::string(1, c);
  return out;
}
std::string zsh_value(const Option& o) {
  const std::vector<std::string> choices = choices_of(o);
  const std::string message = ":" + zsh_text(placeholder_of(o)) + ":";
  if (o.names == Names::methods) return message + "compadd -S \"\" -- " + joined(choices);
  if (!choices.empty() && o.names != Names::templates) return message + "(" + joined(choices) + ")";
  if (o.names == Names::folders) return message + "_files -/";
  if (o.names == Names::files || o.names == Names::templates) return message + "_files";
  return message;
}

std::string zsh(const std::vector<Declared>& commands) {
  std::ostringstream out;
  out << "#compdef afina\n# Completion of afina for zsh, made by 'afina completion zsh'.\n"
         "_afina() {\n  local -a commands=(\n";
  for (const Declared& c : commands)
    out << "    " << quoted(c.name + ":" + zsh_text(c.summary)) << "\n";
  out << "  )\n  if ((CURRENT == 2)); then\n    _describe -t commands command commands\n"
         "    compadd -- "
      << joined(without_command)
      << "\n    return\n  fi\n  shift words\n  ((CURRENT--))\n  case $words[1] in\n";
  for (const Declared& c : commands) {
    out << "    " << c.name << ")\n      _arguments";
    if (const Option* o = leading_of(c)) out << " \\\n        " << quoted("1" + zsh_value(*o));
    for (const Option& o : c.options)
      for (const std::string& word : words_for(o)) {
        std::string others;
        for (const std::string& each : words_for(o)) others += (others.empty() ? "" : " ") + each;
        const std::string once = o.many ? "*" : "(" + others + ")";
        const std::string takes = o.flag ? "" : word.starts_with("--") ? "=" : "+";
        out << " \\\n        "
            << quoted(once + word + takes + "[" + zsh_text(brief(o.help)) + "]" +
                      (o.flag ? "" : zsh_value(o)));
      }
    out << " ;;\n";
  }
  out << "    help) _describe -t commands command commands ;;\n  esac\n}\n"
         "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  _afina \"$@\"\nelse\n"
         "  compdef _afina afina\nfi\n";
  return out.str();
}

std::string fish_value(const Option& o) {
  const std::vector<std::string> choices = choices_of(o);
  if (o.flag) return "";
  if (o.names == Names::templates) return " -r -F -a " + quoted(joined(choices));
  if (!choices.empty()) return " -x -a " + quoted(joined(choices));
  if (o.names == Names::folders) return " -x -a '(__fish_complete_directories)'";
  return o.names == Names::files ? " -r -F" : " -x";
}

std::string fish(const std::vector<Declared>& commands) {
  std::ostringstream out;
  out << "# Completion of afina for fish, made by 'afina completion fish'.\n"
         "complete -c afina -f\n";
  for (const std::string& word : without_command)
    out << "complete -c afina -n __fish_use_subcommand -a " << quoted(word) << "\n";
  out << "complete -c afina -n '__fish_seen_subcommand_from help' -a "
      << quoted(joined(names_of(commands))) << "\n";
  for (const Declared& c : commands) {
    out << "complete -c afina -n __fish_use_subcommand -a " << c.name << " -d " << quoted(c.summary)
        << "\n";
    const std::string here = "complete -c afina -n '__fish_seen_subcommand_from " + c.name + "'";
    if (const Option* o = leading_of(c)) out << here << fish_value(*o) << "\n";
    for (const Option& o : c.options)
      out << here << " -l " << o.name << (o.letter.empty() ? "" : " -s " + o.letter)
          << fish_value(o) << " -d " << quoted(brief(o.help)) << "\n";
  }
  return out.str();
}

}  // namespace

std::string completion_for(Shell shell, const std::vector<Declared>& commands) {
  switch (shell) {
    case Shell::bash: return bash(commands);
    case Shell::zsh: return zsh(commands);
    case Shell::fish: return fish(commands);
  }
  fail("no completion for shell ", int(shell));
}

}  // namespace afina
