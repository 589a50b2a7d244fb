// Making folders, and saying what is in the way.
#include "engine/files/folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/error.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

constexpr size_t longest_name = 255, longest_path = 4095;  // bytes, on the usual file systems

std::string shortened(const std::string& path) {
  return path.size() <= 200 ? path : path.substr(0, 80) + "..." + path.substr(path.size() - 40);
}

// Why a path cannot become a folder: the first part of it that is none.
std::string in_the_way(const std::string& path, const std::error_code& failed) {
  if (failed.value() == ENAMETOOLONG && path.size() > longest_path)
    return "it has " + std::to_string(path.size()) + " bytes, and a path has at most " +
           std::to_string(longest_path);
  fs::path part, there;
  for (const fs::path& name : fs::path(path)) {
    part /= name;
    if (failed.value() == ENAMETOOLONG && name.string().size() > longest_name)
      return "the name " + shortened(name.string()) + " has " +
             std::to_string(name.string().size()) + " bytes, and a name has at most " +
             std::to_string(longest_name);
    std::error_code why;
    const fs::file_status status = fs::status(part, why);
    if (fs::is_directory(status)) {
      there = part;
      continue;
    }
    const std::string what = part == fs::path(path) ? "it" : part.string();
    if (fs::is_symlink(fs::symlink_status(part, why)))
      if (!fs::exists(fs::status(part, why))) {
        if (why.value() == ELOOP) return what + " is a link that leads back to itself";
        return what + " is a link to " + fs::read_symlink(part, why).string() +
               ", where nothing is";
      }
    if (fs::is_regular_file(status)) return what + " is a file";
    if (fs::exists(status)) return what + " is a pipe or device";
    break;
  }
  return failed.message() + (there.empty() ? "" : " in " + there.string());
}

}  // namespace

bool make_folder(const std::string& path, const std::string& advice) {
  require(!path.empty(), "the name of a folder is expected, and it is empty; ", advice);
  std::error_code failed;
  const bool made = fs::create_directories(path, failed);
  // Whether it was made is not told where the path ends with a slash.
  std::error_code ignored;
  if (failed || !fs::is_directory(path, ignored))
    fail(shortened(path),
         ": a folder is expected, and this can be none: ", in_the_way(path, failed), "; ", advice);
  if (::access(path.c_str(), W_OK | X_OK) != 0) {
    const int reason = errno;
    fail(shortened(path), ": nothing can be written into this folder: ", std::strerror(reason),
         "; ", advice);
  }
  return made;
}

}  // namespace afina
