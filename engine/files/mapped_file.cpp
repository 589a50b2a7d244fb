// A file mapped read-only into memory.
#include "engine/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/error.h"

namespace afina {

MappedFile::MappedFile(const std::string& path) : path_(path) {
  // Non-blocking, or opening a pipe would wait for a writer before it can be refused.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  require(descriptor >= 0, path, ": cannot open: ", std::strerror(errno));
  struct stat status = {};
  int failed = ::fstat(descriptor, &status) != 0 ? errno : 0;
  bool regular = S_ISREG(status.st_mode), folder = S_ISDIR(status.st_mode);
  bool fits = uint64_t(status.st_size) <= uint64_t(PTRDIFF_MAX);
  if (!failed && regular && fits && status.st_size > 0) {
    void* data = ::mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) failed = errno;
    else {
      data_ = static_cast<const std::byte*>(data);
      size_ = size_t(status.st_size);
    }
  }
  ::close(descriptor);
  require(!failed, path, ": cannot map into memory: ", std::strerror(failed));
  require(regular, path, ": ", folder ? "is a folder" : "is a pipe or device",
          "; expected a regular file");
  require(fits, path, ": ", status.st_size, " bytes are more than the address space holds");
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& from) noexcept
    : path_(std::move(from.path_)),
      data_(std::exchange(from.data_, nullptr)),
      size_(std::exchange(from.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& from) noexcept {
  std::swap(path_, from.path_);
  std::swap(data_, from.data_);
  std::swap(size_, from.size_);
  return *this;
}

void MappedFile::drop(size_t offset, size_t bytes) const {
  if (offset >= size_) return;
  size_t page = size_t(::sysconf(_SC_PAGESIZE));
  size_t end = offset + std::min(bytes, size_ - offset);
  size_t first = (offset + page - 1) / page * page;
  // The last page of the file is whole although the file may end inside it.
  size_t last = end == size_ ? end : end / page * page;
  // Advice: the data are the same whether it is taken or not.
  if (first < last)
    (void)::madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

}  // namespace afina
