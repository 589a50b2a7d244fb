// Two files of the same questions, answered in two ways, and mixtures of them.
#pragma once
#include <string>
#include <vector>

#include "data/examples.h"

namespace afina {

// Records of two files, pair by pair.
struct Twins {
  std::vector<Example> clean, other;
  std::vector<uint32_t> differing;  // pairs whose answers differ, in the order of the files

  // Without these pairs (indices, ascending).
  Twins without(const std::vector<uint32_t>& pairs) const;
  // How many pairs are the other file's at a rate in percent: that share of those that differ,
  // rounded.
  int64_t replaced(double rate) const;
  // The clean records with so many replaced, each in its place. Which ones follows from the seed,
  // and those of a lower rate are among those of a higher one.
  std::vector<Example> mixed(double rate, uint64_t seed) const;
};
// Reads and pairs them. An Error that names the first pair that is none: where the files have
// unequal numbers of records, or where anything but the assistant's words differs; where no answer
// differs; and for records with tools or variables, which a mixture could not be written with.
Twins read_twins(const std::string& clean, const ExampleOptions& reading_clean,
                 const std::string& other, const ExampleOptions& reading_other);

// "0,25,100": two percentages or more, from the least to the most. Errors name the option.
std::vector<double> parse_percentages(const std::string& text, const char* option);

// Records as JSON lines of `messages`, or of `text`.
std::string as_lines(const std::vector<Example>& examples);

}  // namespace afina
