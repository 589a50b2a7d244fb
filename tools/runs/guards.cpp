// What guards of a run look at.
#include "tools/runs/guards.h"

#include <algorithm>
#include <filesystem>

#include "engine/train/trainer.h"
#include "tools/text/format.h"

namespace afina {

namespace fs = std::filesystem;

Batch one_row(Batch batch) {
  auto has_target = [](int32_t target) { return target >= 0; };
  const auto first =
      std::find_if(batch.targets.begin(), batch.targets.end(), has_target) - batch.targets.begin();
  const int64_t begin = std::min<int64_t>(first / batch.length, batch.rows - 1) * batch.length;
  auto keep = [&](auto& all) {
    all.erase(all.begin(), all.begin() + begin);
    all.resize(size_t(batch.length));
  };
  keep(batch.tokens);
  keep(batch.targets);
  keep(batch.starts);
  keep(batch.samples);
  batch.rows = 1;
  return batch;
}

uint64_t frozen_checksum(const Model& model) {
  uint64_t all = 0;
  for (const Parameter& p : model.parameters->all)
    if (!p.trained) all = (all ^ checksum(p.value)) * 0x9E3779B97F4A7C15ull;
  return all;
}

int64_t bytes_in(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code none;
  for (fs::directory_iterator file(folder, none), end; !none && file != end; file.increment(none))
    bytes += int64_t(file->file_size(none));
  return bytes;
}

void require_room(const std::string& folder, int64_t bytes) {
  std::error_code failed;
  const fs::space_info disk = fs::space(folder, failed);
  if (failed || disk.available == std::uintmax_t(-1)) return;
  require(disk.available >= std::uintmax_t(bytes), folder, ": the run will write ",
          format_bytes(double(bytes)), " of checkpoints and results, and the disk has ",
          format_bytes(double(disk.available)),
          " left; make room, choose another --out, or write less (--save-every 0, --store bf16)");
}

}  // namespace afina
