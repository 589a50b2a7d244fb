// Files that are there whole or not at all: written beside, forced to disk, then renamed over the
// old one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace afina {

// A file being written as `path.tmp-PID-n`. Until commit() the old file at `path` is untouched;
// without commit() the destructor removes the temporary file, and one left behind by a killed
// process is removed when the same path is written next.
class AtomicFile {
 public:
  // Error if the folder is missing, or if `path` exists and is not a regular file.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Appends. A full disk is an Error with the file's name and how many bytes did not fit.
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // Writes at a place of its own choosing; gaps read as zeros. Does not move where write() appends.
  void write_at(uint64_t offset, const void* data, size_t bytes);

  // Makes the contents durable and gives them their name. Once; nothing can be written afterwards.
  void commit();

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_; }

 private:
  std::string path_, temporary_;
  int descriptor_ = -1;
  uint64_t end_ = 0;
};

// The whole text, atomically.
void write_text_file(const std::string& path, std::string_view text);

// The whole of a file (pipes as well) as bytes; more than max_bytes is an Error.
std::string read_text_file(const std::string& path, size_t max_bytes = size_t(1) << 30);

}  // namespace afina
