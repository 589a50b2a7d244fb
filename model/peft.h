// adapter_config.json as the PEFT library writes it: what methods read of it and write into it.
#pragma once
#include <set>
#include <string>

#include "engine/files/json.h"

namespace afina {

// A config being read. A key counts as understood once it was asked for; finish() refuses what is
// left, because an option that we ignore would make the adapter mean something else. Errors begin
// with where(), the file's name.
class PeftConfig {
 public:
  PeftConfig(const std::string& text, std::string where);
  const std::string& where() const { return where_; }
  const Json& json() const { return json_; }
  // The member, nullptr if it is absent or null.
  const Json* find(const std::string& key);
  // The member; an Error if it is absent or of another kind.
  template <class T>
  T get(const std::string& key) {
    understood_.insert(key);
    return afina::get<T>(json_, key, where_);
  }
  // The same; `fallback` if it is absent or null.
  template <class T>
  T get_or(const std::string& key, const std::type_identity_t<T>& fallback) {
    understood_.insert(key);
    return afina::get_or<T>(json_, key, where_, fallback);
  }
  // A number, or true or false, as a method's options have it.
  std::string number(const std::string& key);
  std::string number_or(const std::string& key, double fallback);
  std::string flag_or(const std::string& key, bool fallback);
  // target_modules as the option targets: "all", names joined by '+', or re:EXPRESSION. An Error if
  // it is absent or empty.
  std::string targets();
  // Another key of that form, such as exclude_modules as the option exclude; empty: none.
  std::string modules(const std::string& key);
  std::string exclude() { return modules("exclude_modules"); }
  // rank_pattern and its kind as an option of exceptions ("q_proj:16+..."), in the file's order:
  // the first pattern that matches counts. Empty: none. anywhere: PEFT looks for the pattern in any
  // part of a path, where it else takes it for the path's end.
  std::string patterns(const std::string& key, bool anywhere = false);
  // An Error unless the value is `expected`, absent or null; `why` ends the message.
  void only(const std::string& key, const Json& expected, const std::string& why);
  // Error for a key that nobody asked for, unless every config has it or its value is null, false
  // or empty.
  void finish() const;

 private:
  std::string where_;
  Json json_;
  OrderedJson ordered_;  // the same, in the file's order
  std::set<std::string> understood_;
};

// What every adapter_config.json begins with.
Json peft_common(const std::string& peft_type);
// A whole number without a decimal point, as PEFT has it.
Json plain_number(double value);

}  // namespace afina
