// Dates as Python's strftime writes them in the C locale, in UTC.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace afina::jinja {

// `seconds` since 1970-01-01 UTC under a format ("%d %b %Y"). An Error for a code that is not
// known.
std::string date_text(int64_t seconds, std::string_view format);
// Seconds of a date "2024-07-26", UTC midnight. An Error for what is no date.
int64_t seconds_of_date(const std::string& date);

}  // namespace afina::jinja
