// Drafts of folders and files.
#include "tools/runs/draft.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "engine/error.h"
#include "engine/files/folder.h"

namespace afina {

namespace fs = std::filesystem;

Draft::Draft(const std::string& out)
    : out_(out), path_(out + ".draft-" + std::to_string(getpid())) {
  require(!out.empty(), "--out: a name is expected, and it is empty");
  std::error_code ignored;  // said when the draft is made
  require(!fs::exists(fs::symlink_status(out, ignored)), out,
          ": exists already; choose another --out");
  clear_abandoned();
  make_folder(path_, "choose another --out");
}

Draft::~Draft() {
  std::error_code ignored;
  if (!kept_) fs::remove_all(path_, ignored);
}

std::string Draft::in_words(std::string text) const {
  const std::string name = fs::path(out_).filename().string();
  // A single file's draft has its name once more.
  for (const std::string& drafted : {path_ + "/" + name, path_})
    for (size_t at = 0; (at = text.find(drafted, at)) != text.npos; at += out_.size())
      text.replace(at, drafted.size(), out_);
  return text;
}

void Draft::keep() {
  std::error_code failed;
  fs::rename(path_, out_, failed);  // over nothing: not over what came there meanwhile
  require(!failed, out_, ": what was written could not get this name (", failed.message(),
          "), as when another process has written there meanwhile; choose another --out");
  kept_ = true;
}

void Draft::keep_files(const std::vector<std::string>& names) {
  const fs::path folder = fs::absolute(out_).parent_path();
  std::error_code failed;
  for (const std::string& name : names)
    require(!fs::exists(fs::symlink_status(folder / name, failed)), (folder / name).string(),
            ": exists already; choose another --out");
  for (const std::string& name : names) {
    fs::rename(fs::path(path_) / name, folder / name, failed);
    require(!failed, (folder / name).string(), ": what was written could not get this name (",
            failed.message(), ")");
  }
}

void Draft::clear_abandoned() const {
  const fs::path result = fs::absolute(out_);
  const std::string begin = result.filename().string() + ".draft-";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(result.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string number = name.starts_with(begin) ? name.substr(begin.size()) : "";
    const bool digits = !number.empty() && number.size() < 10 &&
                        number.find_first_not_of("0123456789") == number.npos;
    if (digits && kill(pid_t(std::stol(number)), 0) != 0 && errno == ESRCH)
      fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace afina
