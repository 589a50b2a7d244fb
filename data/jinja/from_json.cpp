// JSON as the values of a template.
#include "data/jinja/from_json.h"

#include "engine/error.h"

namespace afina::jinja {

Value value_of(const OrderedJson& json) {
  using Type = OrderedJson::value_t;
  switch (json.type()) {
    case Type::null: return Value();
    case Type::boolean: return Value(json.get<bool>());
    case Type::number_integer: return Value(json.get<int64_t>());
    case Type::number_unsigned:
      require(json.get<uint64_t>() <= uint64_t(INT64_MAX), "the number ", json.get<uint64_t>(),
              " is larger than 64 bits hold");
      return Value(json.get<int64_t>());
    case Type::number_float: return Value(json.get<double>());
    case Type::string: return Value(json.get<std::string>());
    case Type::array: {
      Values items;
      for (auto& one : json.elements()) items.push_back(value_of(one));
      return Value(std::move(items));
    }
    case Type::object: {
      Dict dict;
      for (auto& [key, one] : json.members()) dict.items.emplace_back(key, value_of(one));
      return Value(std::move(dict));
    }
  }
  fail("this JSON value has no place in a template");
}

}  // namespace afina::jinja
