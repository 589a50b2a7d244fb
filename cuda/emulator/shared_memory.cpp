// Locates shared memory, and keeps notes on halves of its words.
#include "cuda/emulator/shared_memory.h"

#include <link.h>

#include <cstdlib>

#include "engine/error.h"

namespace afina::emulated {

SharedMemory::SharedMemory() {
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        auto* area = static_cast<Area*>(out);
        for (int i = 0; i < info->dlpi_phnum; ++i)
          if (info->dlpi_phdr[i].p_type == PT_TLS) {
            area->begin = static_cast<const char*>(info->dlpi_tls_data);
            area->take_notes_of(info->dlpi_phdr[i].p_memsz);
          }
        return 1;  // the first entry is the program itself, which contains the kernels
      },
      &static_);
  dynamic_ =
      static_cast<unsigned char*>(std::aligned_alloc(1024, (most_dynamic + 1023) / 1024 * 1024));
  require(dynamic_ != nullptr, "no memory for the shared memory of the emulated GPU");
  dynamic_area_.begin = reinterpret_cast<const char*>(dynamic_);
}

void SharedMemory::Area::take_notes_of(size_t size) {
  bytes = size;
  size_t count = size / 4 + 1;
  if (words.size() < count) {
    words.resize(count);
    second_halves.resize(count);
    split.resize(count);
  }
}

void SharedMemory::begin_block(size_t dynamic_bytes) {
  dynamic_area_.take_notes_of(dynamic_bytes);
  block_barrier();
  begun_ = now_;
}

void SharedMemory::block_barrier() {
  for (uint32_t& exchanges : of_warp_) exchanges = 0;  // the barrier orders everything before it
  if (++now_) return;
  for (Area* area : {&static_, &dynamic_area_}) {  // after 4 billion barriers: reset all notes
    area->words.assign(area->words.size(), {});
    area->second_halves.assign(area->second_halves.size(), {});
  }
  now_ = 1;
  begun_ = 0;
}

// A part of a word, or a word whose halves were accessed separately before.
SharedMemory::Judgement SharedMemory::touch_part(Area& area, size_t at, size_t end, uint32_t who,
                                                 bool write, unsigned& other) {
  size_t word = at / 4;
  if (!area.split[word]) {
    area.second_halves[word] = area.words[word];
    area.split[word] = 1;
  }
  Judgement judged = Judgement::fine;
  if (at % 4 < 2) judged = touch(area.words[word], who, write, other);
  if (judged == Judgement::fine && (end - 1) % 4 >= 2)
    judged = touch(area.second_halves[word], who, write, other);
  if (write && end - at == 4) area.split[word] = 0;  // both halves are equal again
  return judged;
}

}  // namespace afina::emulated
