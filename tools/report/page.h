// The sections of report.html, and the little they share.
#pragma once
#include <string>
#include <string_view>
#include "tools/report/facts.h"

namespace afina::page {

// Text for HTML, in content and in quoted attributes.
std::string escape(std::string_view text);
// "style" attribute that gives an element the colour of a method.
std::string method_colour(size_t method);
// The method's label behind a dot of its colour.
std::string method_name(const Facts& facts, size_t method);
std::string cell(std::string_view text, std::string_view second_line = "");
std::string header_cell(std::string_view text);
// A short explanation for students, folded.
std::string why(std::string_view question, std::string_view answer);

std::string overview(const Facts& facts);    // a card for each method
std::string costs(const Facts& facts);       // bars and the table
std::string learning(const Facts& facts);    // losses, curves, learnt against forgotten
std::string search(const Facts& facts);      // of the learning rate
std::string samples(const Facts& facts);     // generations before and after
std::string conditions(const Facts& facts);  // all that is needed to run it again

}  // namespace afina::page
