// What is wrong with records, by its kind: how many have it, and which is the first.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

class Problems {
 public:
  // words: place and problem of one record. Problems are of one kind if their words differ in
  // numbers and quoted text alone.
  void add(const std::string& words);
  void add(const Problems& others);
  bool none() const { return kinds_.empty(); }
  bool several() const { return kinds_.size() > 1; }
  int64_t count() const { return count_; }
  // Every kind with its number and the words of the first, a line each where there are several.
  // records: how many were looked at.
  std::string summary(int64_t records) const;
  // A line for each kind: "3 records left out, the first: ...".
  std::vector<std::string> notes() const;

 private:
  struct Kind {
    std::string kind, first;
    int64_t count;
  };
  std::vector<Kind> kinds_;  // in the order of their first records
  int64_t count_ = 0;
};

}  // namespace afina
