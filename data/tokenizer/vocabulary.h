// The vocabulary of a tokenizer.json that is an object of tokens and ids.
#pragma once
#include <cstdint>
#include <string>

#include "engine/files/json.h"

namespace afina {

// The member "vocab" of a tokenizer's model, as a Table that has reserve() and emplace(). An Error
// for what is no object, is empty, or has an id that is none.
template <class Table>
Table read_vocabulary(const Json& model, const std::string& where) {
  const Json& json = member(model, "vocab", where);
  require(json.is_object() && !json.empty(), where,
          ": vocab: expected an object of tokens and ids, found ", describe(json));
  Table ids;
  ids.reserve(json.size());
  for (auto& [token, value] : json.items()) {
    const Json& id = value;  // a name whose type the template does not have to deduce
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= INT32_MAX)
      fail(where, ": vocab: expected an id for \"", token, "\", found ", describe(id));
    ids.emplace(token, id.get<int32_t>());
  }
  return ids;
}

}  // namespace afina
