// Reads of shared memory that nobody wrote, and races in it.
#include "cuda/emulator/shared_memory.h"

#include <link.h>

#include <cstdlib>

#include "engine/error.h"

namespace afina::emulated {

SharedMemory::SharedMemory() {
  struct Found {
    const char* at = nullptr;
    size_t bytes = 0;
  } found;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        auto* f = static_cast<Found*>(out);
        for (int i = 0; i < info->dlpi_phnum; ++i)
          if (info->dlpi_phdr[i].p_type == PT_TLS)
            f->at = static_cast<const char*>(info->dlpi_tls_data), f->bytes = info->dlpi_phdr[i].p_memsz;
        return 1;  // the first is the program itself, where the kernels are
      },
      &found);
  static_ = found.at, static_end_ = found.at + found.bytes;
  static_notes_.resize(found.bytes / 2 + 1);
  dynamic_ = static_cast<unsigned char*>(std::aligned_alloc(1024, (most_dynamic + 1023) / 1024 * 1024));
  require(dynamic_ != nullptr, "no memory for the shared memory of the emulated GPU");
}

void SharedMemory::begin_block(size_t dynamic_bytes) {
  dynamic_bytes_ = dynamic_bytes;
  begun_ = ++now_;
  if (dynamic_notes_.size() < dynamic_bytes / 2 + 1) dynamic_notes_.resize(dynamic_bytes / 2 + 1);
}

bool SharedMemory::beyond_dynamic(const void* at) const {
  auto* p = static_cast<const unsigned char*>(at);
  return p >= dynamic_ && p < dynamic_ + most_dynamic + 4096;
}

bool SharedMemory::ordered(const Touch& before, unsigned thread) const {
  if (before.time != now_ || before.thread == thread) return true;
  if (before.thread == several_threads) return false;
  unsigned warp = before.thread >= several_in_warp ? before.thread - several_in_warp : before.thread / 32;
  return warp == thread / 32 && before.sync < of_warp_[warp];
}

// Who read since the barrier: one thread, several of a warp, or several.
void SharedMemory::note_read(Note& note, unsigned thread) const {
  uint32_t reader = thread, last = note.read.thread;
  if (note.read.time == now_ && last != thread) {
    bool same_warp = last != several_threads && (last >= several_in_warp ? last - several_in_warp : last / 32) == thread / 32;
    reader = same_warp ? several_in_warp + thread / 32 : several_threads;
  }
  note.read = {now_, of_warp_[thread / 32], reader};
}

SharedMemory::Judgement SharedMemory::access(unsigned thread, const void* at, size_t bytes, bool write, unsigned& other) {
  auto* p = static_cast<const char*>(at);
  Note* notes;
  if (p >= static_ && p + bytes <= static_end_) notes = static_notes_.data() + (p - static_) / 2;
  else if (auto* d = reinterpret_cast<const char*>(dynamic_); p >= d && p + bytes <= d + dynamic_bytes_)
    notes = dynamic_notes_.data() + (p - d) / 2;
  else return Judgement::elsewhere;
  for (size_t i = 0; i < (bytes + 1) / 2; ++i) {
    Note& note = notes[i];
    if (!ordered(note.write, thread)) return other = note.write.thread, Judgement::race;
    if (write) {
      if (!ordered(note.read, thread)) return other = note.read.thread, Judgement::race;
      note.write = {now_, of_warp_[thread / 32], thread};
    } else {
      if (note.write.time < begun_) return Judgement::unwritten;
      note_read(note, thread);
    }
  }
  return Judgement::fine;
}

}  // namespace afina::emulated
