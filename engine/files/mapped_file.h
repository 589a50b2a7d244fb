// A file mapped read-only into memory: weights are read in place, and their pages can be released.
#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace afina {

// The bytes stay valid for the life of the object (moving it keeps them). The file must not be
// shortened meanwhile: touching a page that no longer exists kills the process, so writers replace
// files (AtomicFile) instead of rewriting them.
class MappedFile {
 public:
  // Throws an Error with the file's name and the system's reason if it cannot be opened or is not a
  // regular file. An empty file has no bytes.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& from) noexcept;
  MappedFile& operator=(MappedFile&& from) noexcept;

  const std::string& path() const { return path_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Lets the system reclaim the pages that lie entirely inside a range, which is clipped to the
  // file; touched again, they are read from the file again.
  void drop(size_t offset, size_t bytes) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace afina
