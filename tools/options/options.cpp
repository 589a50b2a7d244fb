// Declared options, and their values taken in.
#include "tools/options/options.h"

#include <algorithm>
#include <iostream>

#include "engine/files/atomic_file.h"
#include "tools/options/parser.h"
#include "tools/text/colour.h"
#include "tools/text/wrap.h"

namespace afina {

Options::Options(std::string command, std::string intro)
    : command_(std::move(command)), intro_(std::move(intro)) {
  add("General", general_);
}

void Options::declare(Option option) {
  auto same = [&](const Option& o) { return o.name == option.name; };
  require(std::none_of(options_.begin(), options_.end(), same), "afina ", command_,
          " declares the option --", option.name, " twice");
  // In front of the general ones, which --help shows last.
  auto at = option.group == "General"
                ? options_.end()
                : std::find_if(options_.begin(), options_.end(),
                               [](const Option& o) { return o.group == "General"; });
  options_.insert(at, std::move(option));
}

Option& Options::at(const std::string& name) {
  for (Option& o : options_)
    if (o.name == name) return o;
  fail("afina ", command_, " has no option --", name);
}
void Options::leave_out(const std::string& name) {
  const Option* known = &at(name);
  options_.erase(options_.begin() + (known - options_.data()));
}

void Options::set(const Texts& texts) {
  for (Option& o : options_) {
    auto found = texts.find(o.name);
    if (found == texts.end() || given_.count(o.name)) continue;
    for (const std::string& text : found->second) o.set(text);
    given_.insert(o.name);
  }
}

void Options::parse_ini(const std::string& text, const std::string& path) {
  try {
    set(read_ini(options_, text, path, command_));
  } catch (const UsageError& e) {
    const std::string said = e.what();
    throw UsageError(said.starts_with(path) ? said : path + ": " + said);
  }
}

thread_local const std::function<void(const Options&)>* Options::on_help = nullptr;

bool Options::parse(const std::vector<std::string>& typed) {
  std::vector<std::string> words = typed;
  if (!leading_.empty()) {
    // Wherever it stands, where it is the only word that belongs to no option.
    std::vector<std::string> named = with_name(leading_, words);
    if (named.size() == words.size() + 1) words = std::move(named);
    else if (!words.empty() && !words[0].starts_with("-"))
      words.insert(words.begin(), "--" + leading_);
  }
  set(read_words(options_, words, command_));
  if (general_.help && on_help) {
    (*on_help)(*this);
    return false;
  }
  if (general_.help) {
    const int width = std::clamp(stdout_columns(100), 60, 100);
    std::cout << "Usage: afina " << command_ << " [options]\n\n"
              << reflowed(intro_, size_t(width)) << "\n\n"
              << help_of(options_, width) << "\n";
    return false;
  }
  if (!general_.config.empty())
    parse_ini(read_text_file(general_.config, 1 << 20), general_.config);
  for (const Option& o : options_)
    if (o.required && !given(o.name) && o.name == leading_)
      throw UsageError("afina " + command_ + ": expected " + o.help.substr(0, o.help.find(';')) +
                       ", found nothing; see 'afina " + command_ + " --help'");
    else if (o.required && !given(o.name))
      throw UsageError("afina " + command_ + ": --" + o.name + " is missing (" + o.help +
                       "); see 'afina " + command_ + " --help'");
  return true;
}

std::vector<std::string> Options::with_name(const std::string& name,
                                            const std::vector<std::string>& words) const {
  std::vector<std::string> all;
  bool value = false;  // the next word is that of an option
  for (const std::string& word : words) {
    const bool an_option = word.size() > 1 && word[0] == '-';
    if (!value && !an_option) all.push_back("--" + name);
    value = false;
    if (an_option && word.find('=') == word.npos)
      for (const Option& o : options_) {
        const bool long_form = word == "--" + o.name,
                   short_form = !o.letter.empty() && word == "-" + o.letter;
        value = value || ((long_form || short_form) && !o.flag);
      }
    all.push_back(word);
  }
  return all;
}

void Options::not_both(const std::string& one, const std::string& other) const {
  if (given(one) && given(other))
    throw UsageError("afina " + command_ + ": --" + one + " and --" + other +
                     " say the same thing; give one of them");
}

std::map<std::string, std::string> Options::in_force() const {
  std::map<std::string, std::string> out;
  for (const Option& o : options_)
    if (std::string text = o.text(); !text.empty() && o.name != "help") out[o.name] = text;
  return out;
}

std::map<std::string, std::string> Options::readable() const {
  std::map<std::string, std::string> out = in_force();
  for (const Option& o : options_) {
    if (given(o.name) || o.flag || o.shown == o.text()) continue;
    if (o.shown.empty()) out.erase(o.name);
    else out[o.name] = o.shown;
  }
  return out;
}

}  // namespace afina
