// Parameters: memory, initial values, further uses, digest.
#include "engine/train/parameter.h"

#include <algorithm>
#include <cstring>

#include "engine/blocks.h"
#include "engine/files/sha256.h"
#include "engine/normals.h"
#include "engine/row_sum.h"
#include "engine/threads.h"

namespace afina {

Parameter make_parameter(std::string name, Shape shape, Init init, bool trained, Dtype dtype,
                         Device device) {
  Parameter p;
  p.name = std::move(name);
  p.stored_name = p.name;
  p.decays = shape.rank() > 1;
  p.shape = shape;
  p.init = init;
  p.trained = trained;
  Dtype exact = statistic_dtype(dtype), stored = shape.rank() > 1 ? dtype : exact;
  PurposeScope purpose(Purpose::weights);
  p.value = Tensor(shape, stored, device);
  if (!trained) return p;
  if (stored == exact) {
    p.master = p.value.detached();
  } else {
    PurposeScope masters(Purpose::masters);
    p.master = Tensor(shape, exact, device);
  }
  p.value.track(exact);
  return p;
}

void Parameter::own() {
  if (const Blocks* blocks = value.blocks())
    fail(name, ": is held in ", blocks->name,
         " (--base), whose numbers cannot change, and this method changes it; use --base plain, or "
         "a method that only adds to the pretrained weights, as lora");
  if (!lent) return;
  PurposeScope purpose(Purpose::weights);
  lent = false;
  value = value.copy();
  settle();
}

void Parameter::unpack() {
  if (!value.blocks()) return;
  PurposeScope purpose(Purpose::weights);
  lent = false;
  value = value.as(value.computed());
  settle();
}

void Parameter::train() {
  if (trained) return;
  own();
  trained = true;
  const Dtype exact = statistic_dtype(value.dtype());
  PurposeScope masters(Purpose::masters);
  master = value.dtype() == exact ? value.detached() : value.as(exact);
  value.track(exact);
  settle();
}

void Parameter::assign_part(int64_t first, const Tensor& values) {
  own();
  PurposeScope purpose(Purpose::workspace);
  Tensor part = value.device() == Device::cpu ? values : values.to(value.device());
  auto put = [&](const Tensor& to) {
    to.viewed({to.size()}).slice_rows(first, part.size()).copy_from(part);
  };
  if (master) put(master);
  if (!master || master.data<void>() != value.data<void>()) put(value);
}

void Parameter::assign_part(int64_t first, const float* values, int64_t count) {
  PurposeScope purpose(Purpose::workspace);
  Tensor part({count}, Dtype::f32);
  std::memcpy(part.data<float>(), values, size_t(count) * sizeof(float));
  assign_part(first, part);
}

void Parameter::settle() {
  value.buffer()->constant = !trained;
  value.buffer()->packed = {};  // packed from older values
}

void Parameter::assign(const float* values) {
  constexpr int64_t most = 1 << 18;
  for (int64_t first = 0; first < shape.size(); first += most)
    assign_part(first, values + first, std::min(most, shape.size() - first));
  settle();
}

// Sets values (f32 on the host) to the parameter's initial values from `first` (even) on.
static void initial_values(Tensor& values, const Parameter& p, const Random& random,
                           int64_t first) {
  if (p.init.kind == Init::normal)
    return kernel::normals(values, NormalStream(random), first, p.init.spread);
  float* to = values.data<float>();
  parallel_for(values.size(), 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      to[i] = p.init.kind == Init::ones    ? 1.f
              : p.init.kind == Init::zeros ? 0.f
              : p.init.kind == Init::constant
                  ? p.init.spread
                  : p.init.spread * (2.f * random.uniform(uint64_t(first + i)) - 1.f);
  });
}

void initialise(Parameter& p, uint64_t seed) {
  if (!holds_bytes(p.value.device())) return p.settle();
  Random random(seed, "init", p.name);
  const Tensor& exact = p.master ? p.master : p.value;
  constexpr int64_t most = 1 << 18;  // a part stays in the cache until it is copied

  if (exact.device() == Device::cpu && exact.dtype() == Dtype::f32) {  // computed in place
    Tensor all = exact.viewed({exact.size()}), rounded = p.value.viewed(all.shape());
    for (int64_t first = 0; first < all.size(); first += most) {
      const int64_t count = std::min(most, all.size() - first);
      Tensor part = all.slice_rows(first, count);
      initial_values(part, p, random, first);
      if (exact.data<void>() != p.value.data<void>())
        rounded.slice_rows(first, count).copy_from(part);
    }
    return p.settle();
  }
  PurposeScope purpose(Purpose::workspace);
  Tensor values({std::min(most, p.shape.size())}, Dtype::f32);
  for (int64_t first = 0; first < p.shape.size(); first += most) {
    Tensor part = values.slice_rows(0, std::min(most, p.shape.size() - first));
    initial_values(part, p, random, first);
    p.assign_part(first, part);
  }
  p.settle();
}

Tensor Parameter::use_by_rows() {
  if (!trained) return value;
  Tensor use = value.detached();
  use.track_rows(master.dtype());
  uses.push_back(use);
  return use;
}

void Parameter::add_uses() {
  for (Tensor& use : uses) {
    if (!use.grad().touched()) continue;
    Tensor sum = value.grad().sum();
    use.grad().rows()->add_to(sum);
    use.grad().drop();
  }
}

std::string digest_of(const std::vector<const Parameter*>& trained) {
  auto ordered = trained;
  std::sort(ordered.begin(), ordered.end(), [](auto* a, auto* b) { return a->name < b->name; });
  Sha256 hash;
  for (const Parameter* p : ordered) {
    std::string head = p->name + " " + p->shape.text() + "\n";
    hash.update(head.data(), head.size());
    std::vector<float> values = p->exact().values();
    hash.update(values.data(), values.size() * sizeof(float));
  }
  return hash.hex();
}

}  // namespace afina
