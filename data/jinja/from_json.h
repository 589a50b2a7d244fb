// JSON as the values of a template.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "data/jinja/value.h"

namespace afina::jinja {

// Objects keep the order of their keys. An Error for a number that 64 bits do not hold.
Value value_of(const nlohmann::ordered_json& json);

}  // namespace afina::jinja
