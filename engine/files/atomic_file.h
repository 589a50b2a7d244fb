// Files that are written completely or not at all: written under a temporary name, flushed to disk,
// then renamed over the old file.
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
  // Throws an Error if the folder is missing, or if `path` exists and is not a regular file.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Appends. Throws an Error with the file's name and the bytes left over if the disk is full.
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // Writes at an offset; gaps read as zeros. Does not change where write() appends.
  void write_at(uint64_t offset, const void* data, size_t bytes);

  // Flushes the contents to disk and renames the file to `path`. May be called once; nothing can be
  // written afterwards.
  void commit();

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_; }

 private:
  std::string path_, temporary_;
  int descriptor_ = -1;
  uint64_t end_ = 0;
};

// Writes the text as the whole file, atomically.
void write_text_file(const std::string& path, std::string_view text);

// Reads a whole file, or a pipe to its end. Throws an Error if it has more than max_bytes.
std::string read_text_file(const std::string& path, size_t max_bytes = size_t(1) << 30);

}  // namespace afina
