// Man pages from what commands declare.
#include <sstream>

#include "tools/options/declared.h"
#include "tools/results/machine.h"

namespace afina {

namespace {

// A text as roff takes it: signs that it would read as commands, or print as other signs, by their
// names. Dashes stay dashes, so that options can be copied from the page.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      case '"': out += "\\(dq"; break;
      default: out += c;
    }
  }
  return out.starts_with(".") ? "\\&" + out : out;
}
std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
// A list of words, "f32|bf16", may go on in the next line: troff breaks it nowhere by itself.
std::string italic(const std::string& text) {
  std::string shown;
  for (char c : plain(text)) {
    shown += c;
    if (c == '|') shown += "\\:";
  }
  return "\\fI" + shown + "\\fR";
}
std::string upper(std::string text) {
  for (char& c : text) c = char(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string head(const std::string& name, const std::string& summary) {
  std::ostringstream out;
  out << "'\\\" -*- coding: utf-8 -*-\n.TH " << upper(name) << " 1 \"\" \"afina " << version()
      << "\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n"
      << plain(name) << " \\- " << plain(summary) << "\n";
  return out.str();
}

// Paragraphs as they are; lines that are set in by blanks, which are commands, one by one.
void write_intro(std::ostream& out, const std::string& text) {
  bool verbatim = false, fresh = true;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool set_in = line.starts_with("  ");
    if (verbatim != set_in) out << (set_in ? ".PP\n.nf\n" : ".fi\n");
    if (!set_in && (fresh || verbatim) && !line.empty()) out << ".PP\n";
    if (!line.empty()) out << plain(line) << "\n";
    else if (verbatim) out << ".fi\n";
    fresh = line.empty();
    verbatim = set_in;
  }
  if (verbatim) out << ".fi\n";
}

void write_option(std::ostream& out, const Option& o) {
  out << ".TP\n";
  if (!o.letter.empty()) out << bold("-" + o.letter) << ", ";
  out << bold("--" + o.name);
  if (const std::string value = placeholder_of(o); !value.empty()) out << " " << italic(value);
  out << "\n" << plain(o.help) << (o.help.ends_with('.') ? "" : ".");
  if (!o.shown.empty()) out << " Default: " << plain(o.shown) << ".";
  if (o.many && o.help.find("once") == std::string::npos) out << " May be given more than once.";
  if (o.required) out << " Required.";
  out << "\n";
}

void write_options(std::ostream& out, const std::vector<Option>& options) {
  std::string group;
  for (const Option& o : options) {
    if (o.group != group) out << ".SS " << plain(o.group) << "\n";
    group = o.group;
    write_option(out, o);
  }
}

}  // namespace

std::string manual_page(const Declared& command) {
  std::ostringstream out;
  out << head("afina-" + command.name, command.summary) << ".SH SYNOPSIS\n"
      << bold("afina " + command.name);
  for (const Option& o : command.options)
    if (o.required)
      out << (o.name == command.leading ? " [" + bold("--" + o.name) + "] "
                                        : " " + bold("--" + o.name) + " ")
          << italic(placeholder_of(o));
  for (const Option& o : command.options)
    if (!o.required && o.name == command.leading) out << " [" << italic(placeholder_of(o)) << "]";
  out << " [" << italic("options") << "]\n.SH DESCRIPTION\n";
  write_intro(out, command.intro);
  out << ".SH OPTIONS\n";
  write_options(out, command.options);
  out << ".SH SEE ALSO\n" << bold("afina") << "(1)\n";
  return out.str();
}

std::string manual_page(const std::vector<Declared>& commands) {
  std::ostringstream out;
  out << head("afina", "fine-tunes language models in full and by adapters, side by side")
      << ".SH SYNOPSIS\n"
      << bold("afina") << " " << italic("COMMAND") << " [" << italic("options") << "]\n.br\n"
      << bold("afina") << " " << italic("COMMAND") << " " << bold("--help") << "\n.br\n"
      << bold("afina --version") << "\n.SH DESCRIPTION\n"
      << "Fine-tunes a language model in full and with LoRA and its relatives, under equal "
         "conditions,\nand reports what each method cost, learned and forgot. Every experiment "
         "gives the same bits\nwhen it is repeated, on every machine.\n.SH COMMANDS\n";
  for (const Declared& c : commands)
    out << ".TP\n"
        << bold(c.name) << "\n"
        << plain(c.summary) << "; see " << bold("afina-" + c.name) << "(1).\n";
  out << ".SH OPTIONS OF EVERY COMMAND\n";
  std::vector<Option> general;
  for (const Option& o : commands.front().options)
    if (o.group == "General") general.push_back(o);
  for (const Option& o : general) write_option(out, o);
  out << ".SH EXIT STATUS\n"
         ".TP\n.B 0\nDone.\n.TP\n.B 1\nAn error, which is printed.\n.TP\n.B 2\nA wrong command "
         "line.\n.PP\n"
      << bold("afina plan --budget") << " has further ones.\n"
      << ".SH ENVIRONMENT\n"
         ".TP\n.B AFINA_THREADS\nThreads to compute with, where "
      << bold("--threads")
      << " does not say.\n.TP\n.B AFINA_ISA\nThe instruction set to use: scalar, avx2, avx512 or "
         "avx512bf16; the best that the processor has unless given. Results do not depend on "
         "it.\n.TP\n.B AFINA_PROFILE\n"
      << italic("off") << ": " << bold("afina plan")
      << " and the others do not measure the machine's speed and predict no times.\n.TP\n.B "
         "NO_COLOR\nNo colours in the terminal.\n"
      << ".SH FILES\n"
         "Below the folder that afina was installed to (/usr or /usr/local):\n"
         ".TP\n.I share/afina/pocket\nA small pretrained model to try everything on.\n"
         ".TP\n.I share/afina/samples\nTraining records and general text for it.\n"
         ".TP\n.I share/afina/configs\nShapes of larger models, for "
      << bold("afina plan")
      << ".\n.TP\n.I ~/.cache/afina\nThe speed of this machine, as measured.\n"
      << ".SH EXAMPLE\n.nf\n"
      << plain(
             "afina compare --model /usr/share/afina/pocket \\\n"
             "  --data /usr/share/afina/samples/support.jsonl \\\n"
             "  --retain /usr/share/afina/samples/general.jsonl \\\n"
             "  --method full:lr=2e-3 --method lora:rank=8,alpha=16,lr=6e-3 \\\n"
             "  --steps 320 --batch 1 --out first")
      << "\n.fi\n.SH SEE ALSO\n";
  for (size_t i = 0; i < commands.size(); ++i)
    out << bold("afina-" + commands[i].name) << "(1)" << (i + 1 < commands.size() ? ",\n" : "\n");
  return out.str();
}

}  // namespace afina
