// JSON as the values of a template.
#pragma once
#include "data/jinja/value.h"
#include "engine/files/json_value.h"

namespace afina::jinja {

// Objects keep the order of their keys. An Error for a number that 64 bits do not hold.
Value value_of(const OrderedJson& json);

}  // namespace afina::jinja
