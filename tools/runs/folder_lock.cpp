// A lock that a killed process does not leave behind.
#include "tools/runs/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/error.h"
#include "engine/files/folder.h"

namespace afina {

namespace {

// The process that wrote its number into the file: " (process 123)", or nothing.
std::string holder(int descriptor) {
  char text[32] = {};
  const ssize_t got = ::pread(descriptor, text, sizeof text - 1, 0);
  const std::string number(text, size_t(got > 0 ? got : 0));
  const bool digits = !number.empty() && number.find_first_not_of("0123456789") == number.npos;
  return digits ? " (process " + number + ")" : "";
}

// Is the file of this name still the one that is open? Whoever held it before may have removed it
// after we opened it.
bool is_named(int descriptor, const std::string& path) {
  struct stat open = {}, named = {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder)
    : folder_(folder), path_(folder + "/.afina-lock") {
  for (;;) {
    made_ = make_folder(folder, "choose another --out") || made_;
    descriptor_ =
        ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    const int reason = errno;
    if (descriptor_ < 0 && reason == ENOENT) continue;  // the folder has just been removed
    require(descriptor_ >= 0, path_, ": cannot be opened: ", std::strerror(reason));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const bool held = errno == EWOULDBLOCK;
      const std::string who = held ? holder(descriptor_) : "";
      ::close(descriptor_);
      descriptor_ = -1;
      if (!held) return;
      fail(folder, ": another process", who,
           " is writing into this folder; wait until it is done, or choose another --out");
    }
    if (is_named(descriptor_, path_)) break;
    ::close(descriptor_);
  }
  const std::string number = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
    ssize_t wrote = ::pwrite(descriptor_, number.data(), number.size(), 0);
}

FolderLock::~FolderLock() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());  // while it is held, so that nobody waits for a file without a name
  ::close(descriptor_);
  if (made_) ::rmdir(folder_.c_str());  // where it is empty
}

}  // namespace afina
