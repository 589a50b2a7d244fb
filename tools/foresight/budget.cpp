// Trying smaller batches, checkpointing, gradients applied as they come, bf16, LoRA and NF4, of
// embedding and head too.
#include "tools/foresight/budget.h"

#include <sstream>

#include "model/files/save.h"
#include "tools/text/format.h"
#include "tools/text/table.h"

namespace afina {

namespace {

// A run as it would be changed.
struct Changed {
  RunShape shape;
  MethodSpec spec;
  bool same_result = true;
  std::vector<std::pair<std::string, std::string>> options;  // to be given, with their values
  void say(const std::string& option, const std::string& value) {
    for (auto& [said, old] : options)
      if (said == option) return void(old = value);
    options.emplace_back(option, value);
  }
  std::string text() const {
    std::string all;
    for (auto& [option, value] : options)
      all += (all.empty() ? "" : " ") + option + (value.empty() ? "" : " " + value);
    return all;
  }
};
using Change = bool (*)(Changed&);  // false: it is so already, or does not go with what is so

void set_batch(Changed& c, int64_t batch) {
  int64_t rows = c.shape.run.batch * c.shape.run.accumulate;
  c.shape.run.batch = batch;
  c.shape.run.accumulate = rows / batch;
}
bool smallest_batch(Changed& c) {
  if (c.shape.run.batch == 1) return false;
  set_batch(c, 1);
  return true;
}
bool set_checkpoint(Changed& c, Checkpointing what) {
  c.shape.model.checkpoint = what;
  c.say("--checkpoint", word_of(what));
  return true;
}
bool checkpoint_mlp(Changed& c) {
  return c.shape.model.checkpoint == Checkpointing::none && set_checkpoint(c, Checkpointing::mlp);
}
bool checkpoint_blocks(Changed& c) {
  return c.shape.model.checkpoint != Checkpointing::block &&
         set_checkpoint(c, Checkpointing::block);
}
// Gradients are then never all held, so that nothing can be clipped and there is one micro-batch.
bool apply_as_you_go(Changed& c) {
  RunOptions& run = c.shape.run;
  if (run.apply_as_you_go || run.accumulate > 1) return false;
  c.say("--apply-as-you-go", "");
  if (run.clip != 0.) {
    c.say("--clip", "0");
    c.same_result = false;
  }
  run.apply_as_you_go = true;
  run.clip = 0.;
  return true;
}
bool in_bf16(Changed& c) {
  if (c.shape.model.dtype != Precision::f32) return false;
  c.shape.model.dtype = Precision::bf16;
  c.same_result = false;
  c.say("--dtype", word_of(c.shape.model.dtype));
  return true;
}
bool by_lora(Changed& c) {
  if (c.spec.name != "full") return false;
  c.spec = parse_method("lora:rank=8");
  c.same_result = false;
  c.say("--method", "lora:rank=8");
  return true;
}
// Of a method that leaves matrices as they are.
bool over_nf4(Changed& c) {
  BaseForm& base = c.shape.model.base;
  if (base != BaseForm::plain) return false;
  base = BaseForm::nf4;
  try {
    predict_memory(c.shape, c.spec, c.shape.run.seed);
  } catch (const Error&) {
    base = BaseForm::plain;
    return false;
  }
  c.same_result = false;
  c.say("--base", word_of(base));
  return true;
}
// Embedding and head as well, where they are frozen.
bool ends_too(Changed& c) {
  const ModelOptions before = c.shape.model;
  if (same_numbers(before.storage(), {}) || before.base_ends == OnOff::on) return false;
  c.shape.model.base_ends = OnOff::on;
  try {
    predict_memory(c.shape, c.spec, c.shape.run.seed);
  } catch (const Error&) {  // they are no whole blocks
    c.shape.model = before;
    return false;
  }
  c.same_result = false;
  c.say("--base-ends", "on");
  return true;
}
constexpr Change changes[] = {smallest_batch, checkpoint_mlp, checkpoint_blocks, apply_as_you_go,
                              in_bf16,        by_lora,        over_nf4,          ends_too};

// If batch 1 fits, tries larger batches and reports the largest that still fits, because it is the
// fastest.
Attempt attempt(Changed c, int64_t rows_before, uint64_t seed, int64_t budget) {
  MemoryBytes memory = predict_memory(c.shape, c.spec, seed);
  if (c.shape.run.batch == 1 && rows_before > 1 && memory.resident_peak <= budget) {
    for (int64_t batch = rows_before / 2; batch > 1; batch /= 2) {
      Changed larger = c;
      if ((c.shape.run.accumulate % batch) != 0) continue;
      set_batch(larger, batch);
      MemoryBytes more = predict_memory(larger.shape, c.spec, seed);
      if (more.resident_peak > budget) continue;
      c = larger;
      memory = more;
      break;
    }
  }
  if (c.shape.run.batch != rows_before)
    c.say("--batch", std::to_string(c.shape.run.batch) + " --accumulate " +
                         std::to_string(c.shape.run.accumulate));
  return {c.text(), c.same_result, memory, memory.resident_peak <= budget};
}

}  // namespace

std::vector<Attempt> attempts(const RunShape& shape, const MethodSpec& spec, uint64_t seed,
                              int64_t budget) {
  std::vector<Attempt> all;
  const Changed start{shape, spec, true, {}};
  bool fits = false;
  for (Change change : changes) {
    Changed c = start;
    if (!change(c)) continue;
    all.push_back(attempt(c, shape.run.batch, seed, budget));
    fits = fits || all.back().fits;
  }
  // A smaller batch has several micro-batches, which do not go with --apply-as-you-go: together
  // with the one, then with the other.
  for (bool small : {true, false}) {
    Changed together = start;
    int changed = 0;
    if (!small && shape.run.batch == 1) break;
    for (Change change : changes) {
      if (fits) break;
      if ((change == smallest_batch && !small) || !change(together) || ++changed < 2) continue;
      all.push_back(attempt(together, shape.run.batch, seed, budget));
      fits = all.back().fits;
    }
  }
  return all;
}

std::string ways_out(const std::vector<Attempt>& attempts) {
  std::ostringstream out;
  Table table("lrll");
  bool fits = false;
  for (const Attempt& a : attempts) {
    table.add({"  " + a.options, format_bytes(double(a.memory.resident_peak)),
               a.fits ? "fits" : "does not fit", a.same_result ? "(the same result)" : ""});
    fits = fits || a.fits;
  }
  out << (fits ? "What may be changed:\n"
               : "Nothing that was tried fits; use a smaller model or length, or a larger machine. "
                 "Tried:\n");
  table.print(out);
  return out.str();
}

}  // namespace afina
