// A disk with faults, put before the C library's by LD_PRELOAD: slow to write, or full after so
// many bytes. FAULT_DELAY_US: microseconds that every write, fsync and rename takes longer.
// FAULT_BYTES: bytes that can be written; then ENOSPC.
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

namespace {

int64_t number(const char* name, int64_t otherwise) {
  const char* text = getenv(name);
  return text ? atoll(text) : otherwise;
}
const int64_t delay = number("FAULT_DELAY_US", 0);
std::atomic<int64_t> left{number("FAULT_BYTES", INT64_MAX)};

template <class F>
F next(const char* name, F) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}
bool is_file(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}
void wait() {
  if (delay) usleep(useconds_t(delay));
}
// How much of `bytes` still fits: a full disk takes a part, then nothing.
int64_t taken(size_t bytes) {
  int64_t before = left.load(), fits;
  do fits = before < 0 ? 0 : before < int64_t(bytes) ? before : int64_t(bytes);
  while (!left.compare_exchange_weak(before, before - fits));
  return fits;
}

}  // namespace

extern "C" {

ssize_t pwrite(int descriptor, const void* data, size_t bytes, off_t at) {
  static const auto real = next("pwrite", &::pwrite);
  wait();
  int64_t fits = taken(bytes);
  if (bytes && !fits) {
    errno = ENOSPC;
    return -1;
  }
  return real(descriptor, data, size_t(fits), at);
}
ssize_t write(int descriptor, const void* data, size_t bytes) {
  static const auto real = next("write", &::write);
  if (descriptor <= 2 || !is_file(descriptor)) return real(descriptor, data, bytes);
  int64_t fits = taken(bytes);
  if (bytes && !fits) {
    errno = ENOSPC;
    return -1;
  }
  return real(descriptor, data, size_t(fits));
}
int fsync(int descriptor) {
  static const auto real = next("fsync", &::fsync);
  wait();
  return real(descriptor);
}
int rename(const char* from, const char* to) noexcept {
  static const auto real =
      reinterpret_cast<int (*)(const char*, const char*)>(dlsym(RTLD_NEXT, "rename"));
  wait();
  return real(from, to);
}
}
