// The tables of filters: of single values (filters.cpp), of lists and dicts (sequence_filters.cpp).
#pragma once
#include <map>
#include <string>

#include "data/jinja/interpreter.h"

namespace afina::jinja {

using Filter = Value (*)(Interpreter&, const Value&, const std::string& name, const Arguments&);
using Filters = std::map<std::string, Filter, std::less<>>;
const Filters& sequence_filters();
// (key, value) tuples of a dict; nothing for an undefined value.
Value dict_items(Interpreter& in, const Value& v, const std::string& name, const Arguments& given);

}  // namespace afina::jinja
