// Parsing by Boost.Program_options, with messages of our own where it has none that help.
#include "tools/options/parser.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <list>
#include <sstream>

#include "engine/nearest.h"
#include "tools/options/options.h"
#include "tools/options/other_names.h"

namespace afina {

namespace po = boost::program_options;

namespace {

using Group = po::options_description;

[[noreturn]] void explain(const std::string& command, const std::string& what,
                          const std::string& where) {
  std::string text = where.empty() ? "afina " + command + ": " + what : where + ": " + what;
  throw UsageError(text + "; see 'afina " + command + " --help'");
}
[[noreturn]] void unknown(const std::string& command, const std::vector<Option>& known,
                          const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const Option& o : known) names.push_back(o.name);
  const std::string bare = name.substr(std::min(name.size(), name.find_first_not_of('-'))),
                    ours = our_name_for(bare, names), close = nearest_word(bare, names);
  explain(command,
          "unknown option '" + name + "'" +
              (!ours.empty() ? "; " + ours
               : !close.empty()
                   ? "; did you mean '" + name.substr(0, name.size() - bare.size()) + close + "'?"
                   : ""),
          where);
}

// What a po::error says. Boost puts a value into the place "%value%" of its message again and again
// for as long as there is one: for ever, where the value has these words in it. So values go
// without their percent signs meanwhile.
struct Named : po::error_with_option_name {
  static std::map<std::string, std::string>& words(po::error_with_option_name& e) {
    return e.*(&Named::m_substitutions);
  }
};
std::string said_by(po::error& e) {
  constexpr char stand_in = '\1';
  if (auto* named = dynamic_cast<po::error_with_option_name*>(&e))
    for (auto& [place, word] : Named::words(*named))
      std::replace(word.begin(), word.end(), '%', stand_in);
  std::string text = e.what();
  std::replace(text.begin(), text.end(), stand_in, '%');
  return text;
}

// The text that Boost shows for an option's default is the one that was declared; values themselves
// stay texts, and are read into their fields by tools/options/fields.h.
const po::value_semantic* semantic_of(const Option& o) {
  if (o.flag) return po::value<std::string>()->zero_tokens()->implicit_value("true", "");
  if (o.many) return po::value<std::vector<std::string>>();
  auto* value = po::value<std::string>();
  return o.shown.empty() ? value : value->default_value(o.shown, o.shown);
}

// All options, each group under its title, in the order of the first of each.
Group everything(const std::vector<Option>& options, unsigned width = 100) {
  std::list<std::pair<std::string, Group>> groups;  // a Group cannot be moved
  for (const Option& o : options) {
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& group) { return group.first == o.group; });
    if (found == groups.end()) found = groups.emplace(groups.end(), o.group, Group(o.group, width));
    std::string name = o.name + (o.letter.empty() ? "" : "," + o.letter);
    found->second.add_options()(name.c_str(), semantic_of(o),
                                (o.help + (o.required ? " (required)" : "")).c_str());
  }
  Group all;
  for (auto& [title, group] : groups) all.add(group);
  return all;
}

Texts texts_of(const std::vector<Option>& options, const po::variables_map& values) {
  Texts texts;
  for (const Option& o : options) {
    if (!values.count(o.name) || values[o.name].defaulted()) continue;
    if (o.many) texts[o.name] = values[o.name].as<std::vector<std::string>>();
    else texts[o.name] = {values[o.name].as<std::string>()};
  }
  return texts;
}

}  // namespace

Texts read_words(const std::vector<Option>& known, const std::vector<std::string>& words,
                 const std::string& command) {
  po::variables_map values;
  Group all = everything(known);
  try {
    auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional({}).style(style).run(),
              values);
  } catch (const po::unknown_option& e) {
    unknown(command, known, e.get_option_name(), "");
  } catch (const po::too_many_positional_options_error&) {
    explain(command, "a word that belongs to no option; every value follows its --option", "");
  } catch (po::error& e) { explain(command, said_by(e), ""); }
  return texts_of(known, values);
}

namespace {

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// INI files as people write them, in the form that Boost reads: without a byte order mark, comments
// that begin with ';', a section named after the command, and quotes around a value.
std::string plain_ini(const std::string& text, const std::string& path,
                      const std::string& command) {
  std::istringstream lines(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
  std::string out, line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    const std::string where = path + ", line " + std::to_string(number);
    line = trimmed(line);
    if (line.empty() || line[0] == ';' || line[0] == '#') line.clear();
    if (line.starts_with('[')) {
      const std::string section = trimmed(line.substr(1, line.find(']') - 1));
      if (section != command || line.find(']') == line.npos)
        explain(command, "the section '" + line + "': expected none, or [" + command + "]", where);
      line.clear();
    }
    const size_t equals = line.find('='), comment = line.find('#');
    if (!line.empty() && (equals == line.npos || comment < equals))
      explain(command, "expected name = value, found '" + line + "'", where);
    std::string value = line.empty() ? "" : trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      line = line.substr(0, equals) + "=" + value.substr(1, value.size() - 2);
    out += line + "\n";
  }
  return out;
}

}  // namespace

Texts read_ini(const std::vector<Option>& known, const std::string& text, const std::string& path,
               const std::string& command) {
  po::variables_map values;
  Group all = everything(known);
  const std::string plain = plain_ini(text, path, command);
  try {
    std::istringstream lines(plain);
    po::store(po::parse_config_file(lines, all), values);
  } catch (const po::unknown_option& e) {
    unknown(command, known, e.get_option_name(), path);
  } catch (po::error& e) { explain(command, said_by(e), path); }
  return texts_of(known, values);
}

std::string help_of(const std::vector<Option>& options, int width) {
  std::ostringstream out;
  out << everything(options, unsigned(width));
  return out.str();
}

}  // namespace afina
