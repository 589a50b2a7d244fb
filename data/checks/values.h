// Values in a text: numbers with their units, prices, durations, times of day, weekdays, dates.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/checks/words.h"

namespace afina {

enum class ValueType : uint8_t {
  count,  // a number without a unit that is known
  duration,
  working_time,  // working days
  price,
  percent,
  time,  // of day
  weekday,
  month,
  date,
  measure  // lengths, weights
};

struct Value {
  uint32_t first, last;  // words, half-open
  ValueType type;
  double amount;  // durations in days, prices in their currency, times in minutes from midnight
  uint64_t id;    // equal for equal values: two weeks and 14 days
};

// The values among the words of a text, in their order. English and Spanish words for numbers and
// units, the symbols of currencies, and the commonest units of German and French.
void find_values(std::string_view text, const std::vector<Word>& words, std::vector<Value>& out);

}  // namespace afina
