// One block of device memory per step shape, and two staging buffers for the next step's inputs.
#include "model/step_inputs.h"

#include <algorithm>
#include <cstring>

#include "engine/ops/attention.h"
#include "engine/ops/cross_entropy.h"

namespace afina {

StepInputs::~StepInputs() {
  for (Staging& staging : staging_)
    if (staging.pinned) {
      graphs(device_).arrived();
      wait_for(device_);
      graphs(device_).unpin(staging.pinned);
    }
}

StepInputs::Block& StepInputs::block_for(const std::vector<InputRows>& micro_batches) {
  std::string shape;
  int64_t words = 0;
  for (const InputRows& m : micro_batches) {
    shape += std::to_string(m.rows) + "x" + std::to_string(m.length) + " ";
    words += 6 * m.rows * m.length;
  }
  Block& block = blocks_[shape];
  if (block.all) return block;
  PurposeScope purpose(Purpose::workspace);
  block.all = Tensor({words}, Dtype::i32, device_);
  int64_t at = 0;
  auto part = [&](Shape of) {
    at += of.size();
    return block.all.slice_rows(at - of.size(), of.size()).viewed(of);
  };
  for (const InputRows& m : micro_batches) {
    const Shape rows{m.rows, m.length};
    Inputs in;
    in.tokens = part(rows);
    in.targets = part(rows);
    in.positions = part(rows);
    in.starts = part(rows);
    in.keys = part({m.rows * m.length, 2});
    block.inputs.push_back(in);
  }
  return block;
}

// Parts are packed in the order of a block's tensors.
StepInputs::Packed StepInputs::pack(const std::vector<InputRows>& micro_batches, uint64_t seed,
                                    int64_t step) {
  Packed packed{"seed " + std::to_string(seed), {}, seed, step};
  auto add = [&](const std::vector<int32_t>& some) {
    packed.words.insert(packed.words.end(), some.begin(), some.end());
  };
  for (const InputRows& m : micro_batches) {
    const size_t n = size_t(m.rows * m.length);
    require(m.tokens.size() == n && m.targets.size() == n && m.starts.size() == n &&
                m.samples.size() == n,
            "a micro-batch of ", m.rows, " rows of ", m.length, " tokens with ", m.tokens.size(),
            " tokens, ", m.targets.size(), " targets, ", m.starts.size(), " starts");
    std::vector<int32_t> positions(n), keys(2 * n);
    for (size_t i = 0; i < n; ++i) {
      positions[i] = int32_t(i % size_t(m.length)) - m.starts[i];
      keys[2 * i] = int32_t(m.samples[i]);
      keys[2 * i + 1] = positions[i];
    }
    add(m.tokens);
    add(m.targets);
    add(positions);
    add(m.starts);
    add(keys);
    packed.key += ", " + std::to_string(m.rows) + "x" + std::to_string(m.length) +
                  " with room for " + std::to_string(rounded_target_rows(m.targets, m.length)) +
                  " targets";
    // Some attention kernels support only rows that are one document.
    if (std::any_of(m.starts.begin(), m.starts.end(), [](int32_t start) { return start != 0; }))
      packed.key += " in documents";
  }
  return packed;
}

void StepInputs::load(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step) {
  current_ = &block_for(micro_batches);
  const Tensor& all = current_->all;
  Packed packed;
  if (ahead_ && ahead_->seed == seed && ahead_->step == step) {
    packed = std::move(*ahead_);
    require(packed.words.size() == size_t(all.size()), "step ", step + 1,
            " is not the one whose inputs were sent ahead");
    graphs(device_).arrived();
    memory(device_).copy(all.data(), staging_[turn_].on_device.data(), all.bytes());
  } else {
    packed = pack(micro_batches, seed, step);
    memory(device_).copy(all.data(), packed.words.data(), all.bytes());
  }
  ahead_.reset();
  kind_ = {std::move(packed.key), {}};
  if (device_ != Device::cpu)
    // Safe: no operation of an earlier step reads it any more.
    all.buffer()->host = std::move(packed.words);
  for (Inputs& in : current_->inputs) {
    in.training = true;
    in.seed = seed;
    in.step = step;
    each_attention_window([&](int64_t window) {
      kind_.pairs[window] += visible_pairs(in.starts, in.starts.columns(), window);
    });
  }
}

void StepInputs::send_ahead(const std::vector<InputRows>& micro_batches, uint64_t seed,
                            int64_t step) {
  if (!graphs(device_).send) return;
  ahead_ = pack(micro_batches, seed, step);
  turn_ = 1 - turn_;
  Staging& staging = staging_[turn_];
  const int64_t words = int64_t(ahead_->words.size());
  const size_t bytes = ahead_->words.size() * sizeof(int32_t);
  if (!staging.on_device || staging.on_device.size() < words) {
    PurposeScope purpose(Purpose::workspace);
    if (staging.pinned) graphs(device_).unpin(staging.pinned);
    staging.pinned = nullptr;
    staging.on_device = Tensor({words}, Dtype::i32, device_);
    staging.pinned = graphs(device_).pin(bytes);
    wait_for(device_);  // the previous owner of the memory may still be using it
  }
  std::memcpy(staging.pinned, ahead_->words.data(), bytes);
  graphs(device_).send(staging.on_device.data(), staging.pinned, bytes);
}

}  // namespace afina
