// Writing, checking and resuming checkpoints.
#include "engine/train/checkpoint.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <set>

#include "engine/files/folder.h"
#include "engine/files/safetensors.h"
#include "engine/files/sha256.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

constexpr int kept = 2;

std::string stem(const std::string& folder, int64_t step) {
  char text[32];
  std::snprintf(text, sizeof text, "step-%08" PRId64, step);
  return folder + "/" + text;
}
std::vector<int64_t> extents(const Shape& shape) {
  std::vector<int64_t> all;
  for (int i = 0; i < shape.rank(); ++i) all.push_back(shape[i]);
  return all;
}

// Integers (indices of moments in 8 bits) are stored as they are, everything else as f32.
StoredType stored_type(const Tensor& tensor) {
  return tensor.dtype() == Dtype::i32 ? StoredType::i32 : StoredType::f32;
}

// Reads one checkpoint's tensors into the trainer. Checks everything before it changes anything.
void restore(const std::string& path, Trainer& trainer) {
  Safetensors file(path);
  auto state = trainer.state();
  std::set<std::string> wanted;
  for (auto& [name, tensor] : state) {
    wanted.insert(name);
    const StoredTensor* stored = file.find(name);
    require(stored, path, ": no tensor '", name,
            "'; the run trains something else now than when it was saved. Resume with the same "
            "--method and --optimizer.");
    require(stored->type == stored_type(tensor) && stored->shape == extents(tensor.shape()), path,
            ": tensor '", name, "' is ", afina::name(stored->type), " ", shape_text(stored->shape),
            ", expected ", afina::name(stored_type(tensor)), " ", tensor.shape().text());
  }
  for (const StoredTensor& stored : file.tensors())
    require(wanted.count(stored.name), path, ": tensor '", stored.name,
            "' is not trained by this run. Resume with the same --method and --optimizer.");
  for (auto& [name, tensor] : state) {
    const StoredTensor& stored = file.at(name);
    PurposeScope purpose(Purpose::workspace);
    Tensor values(tensor.shape(), tensor.dtype() == Dtype::i32 ? Dtype::i32 : Dtype::f32);
    std::memcpy(values.data<void>(), stored.data, stored.bytes);
    tensor.copy_from(values.to(tensor.device()));
  }
}

// Removes all but the last two. Values without a .json belong to a checkpoint that was never
// finished or was half removed by a killed process; on a small disk they could prevent the next
// one.
void remove_old(const std::string& folder) {
  auto steps = checkpoint_steps(folder);
  for (size_t i = 0; i + kept < steps.size(); ++i)
    fs::remove(stem(folder, steps[i]) + ".json");  // first, so that no half checkpoint looks whole
  std::vector<fs::path> abandoned;
  for (auto& entry : fs::directory_iterator(folder))
    if (fs::path path = entry.path();
        path.extension() == ".safetensors" && !fs::exists(path.replace_extension(".json")))
      abandoned.push_back(entry.path());
  for (const fs::path& path : abandoned) fs::remove(path);
}

}  // namespace

std::vector<int64_t> checkpoint_steps(const std::string& folder) {
  std::vector<int64_t> steps;
  if (!fs::is_directory(folder)) return steps;
  for (auto& entry : fs::directory_iterator(folder)) {
    long long step = 0;
    int used = 0;
    std::string file = entry.path().filename().string();
    if (std::sscanf(file.c_str(), "step-%lld.json%n", &step, &used) == 1 &&
        used == int(file.size()))
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void save_checkpoint(const std::string& folder, Trainer& trainer, const Json& extra) {
  make_folder(folder, "remove what is in the way");
  remove_old(folder);
  std::string path = stem(folder, trainer.steps_done());
  SafetensorsWriter out(path + ".safetensors",
                        {{"format", "afina-checkpoint"}, {"extra", to_text(extra, -1)}});
  auto state = trainer.state();
  for (auto& [name, tensor] : state)
    out.declare(name, stored_type(tensor), extents(tensor.shape()));
  for (auto& [name, tensor] : state) {
    if (tensor.dtype() == Dtype::i32) {
      std::vector<int32_t> values = tensor.integers();
      out.write(name, values.data(), values.size() * sizeof(int32_t));
      continue;
    }
    std::vector<float> values = tensor.values();
    out.write(name, values.data(), values.size() * sizeof(float));
  }
  out.commit();
  write_text_file(path + ".json", to_text(Json{{"step", trainer.steps_done()},
                                               {"sha256", sha256_file(path + ".safetensors")}}) +
                                      "\n");
  remove_old(folder);
}

Resumed resume_checkpoint(const std::string& folder, Trainer& trainer) {
  Resumed resumed;
  std::vector<std::string> damaged;
  auto steps = checkpoint_steps(folder);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::string path = stem(folder, *step) + ".safetensors", expected;
    try {
      expected = get<std::string>(parse_json_file(stem(folder, *step) + ".json"), "sha256",
                                  stem(folder, *step) + ".json");
      require(sha256_file(path) == expected, path,
              ": the checksum differs from the one written with it: the file is damaged");
    } catch (const Error& e) {
      resumed.notes.push_back(std::string(e.what()) + "; using the checkpoint before it");
      damaged.push_back(stem(folder, *step) + ".json");
      continue;
    }
    Safetensors file(path);
    restore(path, trainer);
    auto extra = file.metadata().find("extra");
    require(extra != file.metadata().end(), path,
            ": lacks the description ('extra') that afina writes into a checkpoint");
    resumed.extra = parse_json(extra->second, path);
    resumed.step = *step;
    trainer.resumed(*step);
    // Renamed, or it would count as one of the last two. If that fails, it is skipped again the
    // next time.
    std::error_code ignored;
    for (const std::string& path : damaged) fs::rename(path, path + ".damaged", ignored);
    return resumed;
  }
  return resumed;
}

}  // namespace afina
