// One process at a time works in a folder of results.
#pragma once
#include <string>

namespace afina {

// Holds a folder, which it makes where there is none, until it is destroyed or the process ends,
// however that ends: the lock is one of the system (flock) on the file .afina-lock in the folder.
// An Error that names the folder and the other process when that one holds it. Where a file system
// has no locks, nothing is held. At the end the file goes, and the folder that it made where
// nothing came into it.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;

 private:
  std::string folder_, path_;
  int descriptor_ = -1;
  bool made_ = false;
};

}  // namespace afina
