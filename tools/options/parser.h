// Command lines and INI files taken apart into the texts of options, and --help: what is left to
// Boost.Program_options, whose headers are large and included by parser.cpp alone.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace afina {

struct Option;

// The texts given for each option, by its name.
using Texts = std::map<std::string, std::vector<std::string>>;

// A UsageError names the command and the option, or the nearest known one.
Texts read_words(const std::vector<Option>& known, const std::vector<std::string>& words,
                 const std::string& command);
// path: the file's name, with which errors begin.
Texts read_ini(const std::vector<Option>& known, const std::string& text, const std::string& path,
               const std::string& command);
// Every group with its options, in lines of at most 100 columns.
std::string help_of(const std::vector<Option>& options, int width);

}  // namespace afina
