// Files that are there whole or not at all.
#include "engine/files/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "engine/error.h"

namespace afina {

namespace {

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// A temporary file is locked as long as its writer lives: an unlocked one belongs to a process that
// was killed.
void remove_abandoned(const std::string& path) {
  namespace fs = std::filesystem;
  std::string prefix = fs::path(path).filename().string() + ".tmp-";
  std::error_code ignored;
  for (fs::directory_iterator entry(folder_of(path), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (entry->path().filename().string().compare(0, prefix.size(), prefix) != 0) continue;
    std::string found = entry->path().string();
    int descriptor = ::open(found.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (descriptor < 0) continue;
    struct stat status = {};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        ::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      ::unlink(found.c_str());
    ::close(descriptor);
  }
}

// Between creating and locking, another process may take the new file for an abandoned one: then
// make another.
int create_locked(const std::string& path, std::string& temporary) {
  static std::atomic<unsigned> counter = 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    int descriptor = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    require(descriptor >= 0, path, ": cannot write: ", std::strerror(errno), " (creating ",
            temporary, ")");
    struct stat status = {};
    // A file system without locks has no cleaning up either; both are a convenience.
    bool locked = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (locked && ::fstat(descriptor, &status) == 0 && status.st_nlink > 0) return descriptor;
    ::close(descriptor);
  }
  fail(path, ": cannot write: no free name for a temporary file beside it (the last tried is ",
       temporary, ")");
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  require(!path_.empty(), "cannot write a file without a name");
  struct stat status = {};
  if (::stat(path_.c_str(), &status) == 0)
    require(S_ISREG(status.st_mode), path_, ": is ",
            S_ISDIR(status.st_mode) ? "a folder" : "no regular file",
            ", so no file can be written there");
  remove_abandoned(path_);
  descriptor_ = create_locked(path_, temporary_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(descriptor_);
}

void AtomicFile::write(const void* data, size_t bytes) {
  write_at(end_, data, bytes);
  end_ += bytes;
}

void AtomicFile::write_at(uint64_t offset, const void* data, size_t bytes) {
  require(descriptor_ >= 0, path_, ": written to after it was finished");
  const char* from = static_cast<const char*>(data);
  for (size_t done = 0; done < bytes;) {
    ssize_t wrote = ::pwrite(descriptor_, from + done, bytes - done, off_t(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    int reason = wrote < 0 ? errno : ENOSPC;
    require(wrote > 0, path_, ": cannot write ", bytes - done, " bytes at ", offset + done, ": ",
            std::strerror(reason));
    done += size_t(wrote);
  }
}

void AtomicFile::commit() {
  require(descriptor_ >= 0, path_, ": finished twice");
  require(::fsync(descriptor_) == 0, path_, ": cannot force to disk: ", std::strerror(errno));
  require(::rename(temporary_.c_str(), path_.c_str()) == 0, path_, ": cannot give ", temporary_,
          " its name: ", std::strerror(errno));
  ::close(descriptor_);
  descriptor_ = -1;
  // The new name itself is durable only with its folder. Where a folder cannot be opened or forced,
  // the file system decides.
  int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  bool lost = ::fsync(folder) != 0 && errno == EIO;
  ::close(folder);
  require(!lost, path_, ": cannot force its folder to disk: ", std::strerror(EIO));
}

void write_text_file(const std::string& path, std::string_view text) {
  AtomicFile out(path);
  out.write(text);
  out.commit();
}

std::string read_text_file(const std::string& path, size_t max_bytes) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(descriptor >= 0, path, ": cannot open: ", std::strerror(errno));
  std::unique_ptr<int, void (*)(int*)> close_it(&descriptor, [](int* d) { ::close(*d); });
  std::string text;
  struct stat status = {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    require(uint64_t(status.st_size) <= max_bytes, path, ": has ", status.st_size,
            " bytes; at most ", max_bytes, " are expected of such a file");
    text.reserve(size_t(status.st_size) + 1);
  }
  char piece[1 << 16];
  for (;;) {
    ssize_t got = ::read(descriptor, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    require(got >= 0, path, ": cannot read: ", std::strerror(errno));
    if (got == 0) return text;
    text.append(piece, size_t(got));
    require(text.size() <= max_bytes, path, ": has more than ", max_bytes,
            " bytes, which is more than expected of such a file");
  }
}

}  // namespace afina
