// config.json as it is read: every key that changes the computation is asked for, and one that
// nobody asked for is an error.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "engine/files/json.h"

namespace afina {

// Errors begin with where(), the file's name.
class ConfigReader {
 public:
  ConfigReader(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {}
  const std::string& where() const { return where_; }
  const Json& json() const { return *json_; }
  // The member, nullptr if it is absent or null. The key counts as understood.
  const Json* find(const std::string& key);
  // Is the key there, be it null? transformers tells the two apart where a default is not null.
  bool has(const std::string& key) const { return json_->contains(key); }
  // An integer from 1 to `most`; an Error if it is absent.
  int64_t size(const std::string& key, int64_t most = 1 << 20);
  // The same; `otherwise` if it is absent or null.
  int64_t size_or(const std::string& key, int64_t otherwise, int64_t most = 1 << 20);
  // A number within least .. most; `otherwise` if it is absent or null.
  double number(const std::string& key, double otherwise, double least, double most);
  bool flag(const std::string& key, bool otherwise);
  std::string text(const std::string& key, const std::string& otherwise);
  std::vector<std::string> texts(const std::string& key);  // empty if it is absent or null
  std::vector<int64_t> integers(const std::string& key);   // likewise
  // An Error unless the value is `expected`, absent or null.
  void only(const std::string& key, const Json& expected);
  // The probability of a dropout while training, which is not applied: above 0 it is said in
  // notes().
  void dropout(const std::string& key);
  // Keys that this architecture has and that do not change what is computed.
  void ignore(std::initializer_list<const char*> keys);
  // What the user should be told once.
  std::vector<std::string> notes() const;
  // Error for a key that nobody asked for, unless every config may have it or its value is null,
  // false or empty.
  void finish() const;

 private:
  const Json* json_;
  std::string where_;
  std::set<std::string> understood_;
  std::vector<std::string> dropouts_;  // "resid_pdrop 0.1"
};

}  // namespace afina
