// What tests of files need: a folder that goes away, and a check that an error says what it should.
#pragma once
#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>

#include "engine/error.h"

namespace afina {

// A fresh folder, removed with all that is in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "afina-test-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "cannot make a folder for tests");
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file without any ceremony, so that what is under test is not needed to test it.
  std::string put(const std::string& name, const std::string& bytes) const {
    std::ofstream(*this / name, std::ios::binary) << bytes;
    return *this / name;
  }
  size_t entries() const {
    return size_t(std::distance(std::filesystem::directory_iterator(path_),
                                std::filesystem::directory_iterator()));
  }

 private:
  std::string path_;
};

// Checks that f() throws an Error whose text has all of these in it.
template <class F>
void check_error(F&& f, std::initializer_list<std::string> words) {
  try {
    f();
  } catch (const Error& error) {
    std::string text = error.what();
    for (const std::string& word : words)
      BOOST_CHECK_MESSAGE(text.find(word) != text.npos, "'" << word << "' is not in: " << text);
    return;
  }
  BOOST_ERROR("no error, where one with '" << (words.size() ? *words.begin() : "")
                                           << "' was expected");
}

}  // namespace afina
