// What a drawing says, read back from its SVG: is it well-formed, and where do its texts lie?
#pragma once
#include <string>
#include <vector>

#include "tools/report/svg.h"

namespace afina {

// Why a text is no well-formed XML, as far as our drawings go; empty: it is.
std::string xml_fault(const std::string& xml);

struct DrawnText {
  std::string text;
  svg::Box box;  // by the estimate of tools/report/svg.h
};
std::vector<DrawnText> drawn_texts(const std::string& xml);
// The view box.
svg::Box drawn_extent(const std::string& xml);

}  // namespace afina
