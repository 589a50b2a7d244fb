// Units, estimates and names of figures.
#include "tools/text/units.h"

#include <cctype>

namespace afina {

namespace {
constexpr const char* dash = "\u2013";
}

Format format_of(Unit unit) {
  switch (unit) {
    case Unit::count: return format_count;
    case Unit::bytes: return format_bytes;
    case Unit::seconds: return format_seconds;
    case Unit::flops: return format_flops;
    case Unit::per_second: return format_rate;
    case Unit::nats: return format_loss;
    case Unit::nats_change: return format_difference;
    case Unit::share: return format_percent;
    case Unit::load: return format_load;
  }
  return format_loss;
}

std::string format_estimate(const Estimate& estimate, Format one) {
  if (!estimate.known()) return dash;
  std::string text = one(estimate.mean);
  if (!estimate.has_interval()) return text;
  std::string half = one(estimate.half);
  return text + " ± " + (half.starts_with("+") ? half.substr(1) : half);
}

std::string format_interval(const Estimate& estimate) {
  if (!estimate.known()) return dash;
  std::string text = format_difference(estimate.mean);
  if (!estimate.has_interval()) return text;
  return text + " [" + format_difference(estimate.low()) + ", " +
         format_difference(estimate.high()) + "]";
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string full_name(const Shown& figure) {
  if (figure.unit == Unit::per_second) return capital(figure.name);
  return std::string(name(figure.group)) + ", " + figure.name;
}

}  // namespace afina
