// What a watched step tells, put in order.
#include "tools/look/step_watcher.h"

#include <algorithm>

#include "engine/kernel.h"

namespace afina {

namespace {

int64_t all_flops() {
  int64_t sum = 0;
  for (int64_t one : flops().of) sum += one;
  return sum;
}

std::string text_of(const Tensor& t) { return t.shape().text() + " " + name(t.dtype()); }

// "/somewhere/engine/ops/norm.h" as it lies below the root of the sources.
std::string line_of(const std::source_location& where) {
  std::string file = where.file_name();
  for (const char* part : {"/engine/", "/model/", "/tools/", "/test/"})
    if (size_t at = file.rfind(part); at != file.npos) {
      file = file.substr(at + 1);
      break;
    }
  return file + ":" + std::to_string(where.line());
}

// A module's path, also where its weight was named.
std::string place_of(const Here* here) {
  if (!here) return "";
  const std::string& name = here->name();
  const std::string weight = ".weight";
  return name.ends_with(weight) ? name.substr(0, name.size() - weight.size()) : name;
}

}  // namespace

StepWatcher::Aside::Aside(StepWatcher& watcher) : watcher_(watcher) {
  const double now = seconds_now();
  watcher_.segment_.seconds += now - watcher_.resumed_;
  const int64_t flops = all_flops();
  watcher_.segment_.flops += flops - watcher_.flops_seen_;
  watcher_.flops_seen_ = flops;
}
StepWatcher::Aside::~Aside() { watcher_.resumed_ = seconds_now(); }

StepWatcher::StepWatcher(const Model& model, bool values)
    : model_(model), device_(model.parameters->device), values_(values) {
  for (const Parameter& p : model.parameters->all) {
    const int64_t number = int64_t(parameters_.size());
    parameters_.push_back(&p);
    parameter_of_[p.value.buffer()] = number;
    if (p.master) parameter_of_[p.master.buffer()] = number;
    SeenParameter seen;
    seen.name = p.name;
    seen.shape = text_of(p.value);
    seen.trained = p.trained;
    seen.added = p.added;
    if (values) seen.norm = stats_of(p.value).norm;
    seen_.parameters.push_back(std::move(seen));
  }
  seen_.before = now_ = memory_use(device_).now;
  flops_seen_ = all_flops();
  note_held();
  resumed_ = seconds_now();
}

SeenStep StepWatcher::take() { return std::move(seen_); }

void StepWatcher::note_held() {
  int64_t sum = 0;
  for (int64_t bytes : now_) sum += bytes;
  if (sum <= segment_.most) return;
  segment_.most = sum;
  segment_.held = now_;
}

// Begins anew what is counted.
void StepWatcher::open() {
  segment_ = {};
  note_held();
}

// Gives what was counted to the operation, and begins anew.
void StepWatcher::close(SeenOperation& op) {
  op.kernels.insert(op.kernels.end(), segment_.kernels.begin(), segment_.kernels.end());
  op.seconds += segment_.seconds;
  op.flops += segment_.flops;
  op.read += segment_.read;
  op.written += segment_.written;
  op.allocated += segment_.allocated;
  op.freed += segment_.freed;
  if (segment_.most > op.held_in_all()) op.held = segment_.held;
  open();
}

int64_t StepWatcher::parameter_of(const Buffer* buffer) const {
  auto found = parameter_of_.find(buffer);
  return found == parameter_of_.end() ? -1 : found->second;
}

SeenInput StepWatcher::input_of(const Tensor& x) const {
  SeenInput input;
  input.shape = text_of(x);
  input.parameter = parameter_of(x.buffer());
  auto found = made_.find(x.buffer());
  if (input.parameter >= 0 || found == made_.end()) return input;
  for (const Made& one : found->second)  // the latest at this address, best of this very shape
    if (one.data == x.data<void>()) input.operation = one.operation;
  for (const Made& one : found->second)
    if (one.data == x.data<void>() && one.shape == x.shape()) input.operation = one.operation;
  return input;
}

// Its result, its inputs, and what else its kernels read and wrote.
std::vector<StepWatcher::Candidate> StepWatcher::candidates_of(const WatchedOperation& op) const {
  std::vector<Candidate> all;
  auto add = [&](const Tensor& t, const std::string& what) {
    auto same = [&](const Candidate& c) { return c.address == t.buffer(); };
    if (!t || std::any_of(all.begin(), all.end(), same)) return;
    const int64_t parameter = parameter_of(t.buffer());
    all.push_back({t.weak_buffer(),
                   t.buffer(),
                   {parameter >= 0 ? seen_.parameters[size_t(parameter)].name : what, text_of(t),
                    parameter >= 0 ? 0 : int64_t(t.buffer()->bytes), false}});
  };
  add(op.result, "its result");
  for (size_t i = 0; i < op.inputs.size(); ++i)
    add(*op.inputs[i], "its input " + std::to_string(i + 1));
  for (const Candidate& one : segment_.candidates) {
    auto same = [&](const Candidate& c) { return c.address == one.address; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(one);
  }
  return all;
}

int64_t StepWatcher::operation_ran(const WatchedOperation& ran) {
  const Aside aside(*this);
  SeenOperation op;
  op.kind = recomputing() || !frames_.empty() ? SeenKind::recomputed : SeenKind::forward;
  op.name = ran.name;
  op.place = place_of(Here::current());
  op.defined = line_of(ran.where);
  if (Here::current()) op.called = line_of(Here::current()->where());
  op.depth = int(frames_.size());
  op.recorded = ran.recorded;
  op.shape = ran.result.shape();
  op.dtype = ran.result.dtype();
  for (const Tensor* x : ran.inputs)
    if (*x) op.inputs.push_back(input_of(*x));
  if (values_) op.values = stats_of(ran.result);
  candidates_.push_back(ran.recorded ? candidates_of(ran) : std::vector<Candidate>());
  close(op);
  const int64_t number = int64_t(seen_.operations.size());
  made_[ran.result.buffer()].push_back({ran.result.data<void>(), op.shape, number});
  seen_.operations.push_back(std::move(op));
  return number;
}

void StepWatcher::backward_begins(int64_t number, const char* name, const Tensor& dy) {
  const Aside aside(*this);
  SeenOperation op;
  op.kind = SeenKind::backward;
  op.name = name;
  op.of = number;
  op.depth = int(frames_.size());
  op.shape = dy.shape();
  op.dtype = dy.dtype();
  if (number >= 0) {
    const SeenOperation& forward = seen_.operations[size_t(number)];
    op.place = forward.place;
    op.defined = forward.defined;
    op.called = forward.called;
  }
  if (values_) op.values = stats_of(dy);
  frames_.push_back({std::move(segment_), int64_t(seen_.operations.size())});
  open();
  seen_.operations.push_back(std::move(op));
  candidates_.push_back({});
}

void StepWatcher::backward_ended(int64_t number, const std::function<void()>& drop) {
  std::vector<long> holders;
  {
    const Aside aside(*this);
    if (number >= 0)
      for (const Candidate& one : candidates_[size_t(number)])
        holders.push_back(one.buffer.use_count());
  }
  drop();
  const Aside aside(*this);
  SeenOperation& op = seen_.operations[size_t(frames_.back().operation)];
  for (size_t i = 0; i < holders.size(); ++i) {
    const Candidate& one = candidates_[size_t(number)][i];
    if (one.buffer.use_count() >= holders[i]) continue;
    op.saved.push_back(one.text);
    op.saved.back().freed = one.buffer.use_count() == 0;
  }
  close(op);
  segment_ = std::move(frames_.back().outer);
  frames_.pop_back();
  if (frames_.empty()) open();  // what happens between operations belongs to none
  else note_held();
}

void StepWatcher::recomputing_begins() {
  const Aside aside(*this);
  ++recipes_;
  frames_.push_back({std::move(segment_), -1});
  open();
}

// What no operation of its own has taken belongs to the one that asked for it.
void StepWatcher::recomputing_ended() {
  const Aside aside(*this);
  --recipes_;
  Segment inner = std::move(segment_);
  segment_ = std::move(frames_.back().outer);
  frames_.pop_back();
  segment_.kernels.insert(segment_.kernels.end(), inner.kernels.begin(), inner.kernels.end());
  segment_.seconds += inner.seconds;
  segment_.flops += inner.flops;
  segment_.read += inner.read;
  segment_.written += inner.written;
  segment_.allocated += inner.allocated;
  segment_.freed += inner.freed;
  if (inner.most > segment_.most) {
    segment_.most = inner.most;
    segment_.held = inner.held;
  }
}

void StepWatcher::kernel_begins(const KernelSlot& slot, std::span<const KernelArgument> arguments) {
  const Aside aside(*this);
  const bool first = seen_.operations.empty() && segment_.kernels.empty();
  if (first) segment_.seconds = 0;  // reading the batch is no operation's time
  if (PhaseScope::current() == Phase::optimizer) look_at_update(slot, arguments);
  wait_for(device_);
  kernel_start_ = seconds_now();
}

void StepWatcher::kernel_ended(const KernelSlot& slot, std::span<const KernelArgument> arguments) {
  wait_for(device_);
  const double seconds = seconds_now() - kernel_start_;
  const Aside aside(*this);
  const bool again = recipes_ > 0;
  auto same = [&](const SeenKernel& k) { return k.name == slot.name() && k.again == again; };
  auto found = std::find_if(segment_.kernels.begin(), segment_.kernels.end(), same);
  if (found == segment_.kernels.end())
    found = segment_.kernels.insert(segment_.kernels.end(), {slot.name(), 0, 0, again});
  ++found->calls;
  found->seconds += seconds;
  for (const KernelArgument& a : arguments) {
    if (!a.tensor || !*a.tensor) continue;
    (a.written ? segment_.written : segment_.read) += int64_t(a.tensor->bytes());
    if (frames_.empty() || recomputing())
      segment_.candidates.push_back(
          {a.tensor->weak_buffer(),
           a.tensor->buffer(),
           {"beside them", text_of(*a.tensor), int64_t(a.tensor->buffer()->bytes), false}});
  }
  if (PhaseScope::current() == Phase::optimizer && frames_.empty()) update_ran(slot, arguments);
}

void StepWatcher::look_at_gradient(size_t parameter) {
  const Tensor& gradient = parameters_[parameter]->value.grad().value();
  if (gradient) seen_.parameters[parameter].gradient = stats_of(gradient);
}

// Gradients as the optimizer reads them, and the weights that it will move.
void StepWatcher::look_at_update(const KernelSlot& slot,
                                 std::span<const KernelArgument> arguments) {
  before_update_.clear();
  if (!values_) return;
  if (std::string(slot.name()) == "gradient_norm")  // of a device that updates all at once
    for (size_t i = 0; i < parameters_.size(); ++i)
      if (parameters_[i]->trained) look_at_gradient(i);
  if (!arguments[0].tensor) return;
  const int64_t parameter = parameter_of(arguments[0].tensor->buffer());
  if (parameter < 0 || !arguments[0].written || !parameters_[size_t(parameter)]->trained) return;
  look_at_gradient(size_t(parameter));
  before_update_ = arguments[0].tensor->values64();
}

void StepWatcher::update_ran(const KernelSlot& slot, std::span<const KernelArgument> arguments) {
  SeenOperation op;
  op.kind = SeenKind::update;
  op.name = slot.name();
  for (const KernelArgument& a : arguments) {
    if (!a.tensor || !*a.tensor) continue;
    if (op.parameter < 0) op.parameter = parameter_of(a.tensor->buffer());
    for (size_t i = 0; op.parameter < 0 && i < parameters_.size(); ++i) {
      const Parameter& p = *parameters_[i];
      if (p.trained && p.value.grad().value().buffer() == a.tensor->buffer())
        op.parameter = int64_t(i);
    }
    if (op.shape.size() < a.tensor->size() || !op.shape.rank()) op.shape = a.tensor->shape();
  }
  if (op.parameter >= 0) op.place = seen_.parameters[size_t(op.parameter)].name;
  if (op.parameter >= 0 && !before_update_.empty())
    seen_.parameters[size_t(op.parameter)].moved =
        distance_between(*arguments[0].tensor, before_update_);
  before_update_.clear();
  close(op);
  seen_.operations.push_back(std::move(op));
  candidates_.push_back({});
}

// The index of the operation that runs. A backward pass is written down when it begins, and what it
// does behind operations inside it counts as the last one's; others are written down at their end.
int64_t StepWatcher::running() const {
  const bool begun = !frames_.empty() && frames_.front().operation >= 0 && !recomputing();
  return int64_t(seen_.operations.size()) - (begun ? 1 : 0);
}

void StepWatcher::allocated(const Buffer& buffer) {
  if (buffer.device != device_) return;
  const Aside aside(*this);
  now_[size_t(buffer.purpose)] += int64_t(buffer.bytes);
  segment_.allocated += int64_t(buffer.bytes);
  note_held();
  number_of_[&buffer] = int64_t(seen_.buffers.size());
  seen_.buffers.push_back({int64_t(buffer.bytes), buffer.purpose, running(), -1});
}

void StepWatcher::freed(const Buffer& buffer) {
  if (buffer.device != device_) return;
  const Aside aside(*this);
  now_[size_t(buffer.purpose)] -= int64_t(buffer.bytes);
  segment_.freed += int64_t(buffer.bytes);
  made_.erase(&buffer);
  auto found = number_of_.find(&buffer);
  if (found == number_of_.end()) return;
  seen_.buffers[size_t(found->second)].died = running();
  number_of_.erase(found);
}

}  // namespace afina
