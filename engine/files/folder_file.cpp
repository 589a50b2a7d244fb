// Where links lead, and whether that is still the folder.
#include "engine/files/folder_file.h"

#include <algorithm>
#include <filesystem>

#include "engine/error.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

bool lies_in(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

// models--AUTHOR--NAME/snapshots/COMMIT/FILE is a link to models--AUTHOR--NAME/blobs/HASH.
fs::path blobs_of(const fs::path& snapshot) {
  fs::path model = snapshot.parent_path().parent_path();
  bool cache = snapshot.parent_path().filename() == "snapshots" &&
               model.filename().string().starts_with("models--");
  return cache ? model / "blobs" : snapshot;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() || folder.back() == '/' ? folder + name : folder + "/" + name;
}

}  // namespace

bool in_folder(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(joined(folder, name), ignored));
}

std::string file_of_folder(const std::string& folder, const std::string& name) {
  const std::string path = joined(folder, name);
  std::error_code failed;
  const fs::path file = fs::canonical(path, failed);
  require(!failed, path, ": cannot open: ", failed.message());
  const fs::path root = fs::canonical(folder.empty() ? "." : folder, failed);
  require(!failed, folder, ": cannot open: ", failed.message());
  require(lies_in(file, root) || lies_in(file, blobs_of(root)), path,
          ": leads out of the folder, to ", file.string(),
          "; a model from elsewhere could read any file in this way. Put the file itself into the "
          "folder");
  const fs::file_status status = fs::status(file, failed);
  require(fs::is_regular_file(status), path, ": is ",
          fs::is_directory(status) ? "a folder" : "a pipe or device", "; expected a regular file");
  return path;
}

}  // namespace afina
