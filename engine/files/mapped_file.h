// A file mapped read-only into memory: weights are read where they lie, and their pages can be
// given back.
#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace afina {

// The bytes stay valid for the life of the object (moving it keeps them). The file must not be
// shortened meanwhile: no process can survive touching pages that are gone, so writers replace
// files whole (AtomicFile) instead of rewriting them.
class MappedFile {
 public:
  // Error with the file's name and the system's words if it cannot be opened or is not a regular
  // file. An empty file has no bytes.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& from) noexcept;
  MappedFile& operator=(MappedFile&& from) noexcept;

  const std::string& path() const { return path_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Gives the memory of the whole pages inside a range back to the system; touched again, they are
  // read again from the file. A range outside the file is cut to it.
  void drop(size_t offset, size_t bytes) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace afina
