// Dates in the C locale.
#include "data/jinja/dates.h"

#include <chrono>

#include "engine/error.h"

namespace afina::jinja {

namespace {

std::string padded(int64_t number, int digits, char fill = '0') {
  std::string text = std::to_string(number);
  while (int(text.size()) < digits) text.insert(text.begin(), fill);
  return text;
}

}  // namespace

std::string date_text(int64_t seconds, std::string_view format) {
  using namespace std::chrono;
  const sys_seconds at{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  const weekday week(day);
  constexpr const char* months[] = {"January",   "February", "March",    "April",
                                    "May",       "June",     "July",     "August",
                                    "September", "October",  "November", "December"};
  constexpr const char* weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
  const std::string month = months[unsigned(date.month()) - 1], name = weekdays[week.c_encoding()];
  const int64_t hour = time.hours().count();
  const int64_t hour12 = hour % 12 == 0 ? 12 : hour % 12;
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    bool bare = ++i < format.size() && format[i] == '-';  // without leading zeros
    if (bare) ++i;
    const char code = i < format.size() ? format[i] : '\0';
    auto number = [&](int64_t value, int digits) { out += padded(value, bare ? 1 : digits); };
    switch (code) {
      case 'Y': out += std::to_string(int(date.year())); break;
      case 'y': number(int(date.year()) % 100, 2); break;
      case 'm': number(unsigned(date.month()), 2); break;
      case 'd': number(unsigned(date.day()), 2); break;
      case 'e': out += padded(unsigned(date.day()), bare ? 1 : 2, ' '); break;
      case 'B': out += month; break;
      case 'b':
      case 'h': out += month.substr(0, 3); break;
      case 'A': out += name; break;
      case 'a': out += name.substr(0, 3); break;
      case 'H': number(hour, 2); break;
      case 'I': number(hour12, 2); break;
      case 'M': number(time.minutes().count(), 2); break;
      case 'S': number(time.seconds().count(), 2); break;
      case 'p': out += hour < 12 ? "AM" : "PM"; break;
      case 'j': number((day - sys_days(date.year() / 1 / 1)).count() + 1, 3); break;
      case 'w': out += std::to_string(week.c_encoding()); break;
      case 'u': out += std::to_string(week.iso_encoding()); break;
      case 'F': out += date_text(seconds, "%Y-%m-%d"); break;
      case 'T': out += date_text(seconds, "%H:%M:%S"); break;
      case 'D': out += date_text(seconds, "%m/%d/%y"); break;
      case 'Z':
      case 'z': break;  // a time without a zone, as datetime.now() gives it
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case '%': out += '%'; break;
      default:
        fail("strftime_now: '%", std::string(1, code ? code : ' '), "' in \"", std::string(format),
             "\" is not supported");
    }
  }
  return out;
}

int64_t seconds_of_date(const std::string& date) {
  using namespace std::chrono;
  int y = 0;
  unsigned m = 0, d = 0;
  char rest = '\0';
  const bool shaped =
      date.size() == 10 && std::sscanf(date.c_str(), "%4d-%2u-%2u%c", &y, &m, &d, &rest) == 3;
  const year_month_day parsed{year(y), month(m), day(d)};
  require(shaped && parsed.ok(), "'", date, "' is no date; expected a day such as 2024-07-26");
  return sys_seconds(sys_days(parsed)).time_since_epoch().count();
}

}  // namespace afina::jinja
