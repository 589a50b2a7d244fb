// Watches a training step and writes down what it sees.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "engine/meter.h"
#include "engine/watch.h"
#include "model/model.h"
#include "tools/look/seen.h"

namespace afina {

// Seconds are those between the watcher's own, so that looking at values does not count; but it
// empties caches, which does show. For times worth reading, look once without values.
class StepWatcher : public Watcher {
 public:
  // values: look at the elements of results and gradients, too.
  StepWatcher(const Model& model, bool values);
  // To be called when the step is done.
  SeenStep take();

  int64_t operation_ran(const WatchedOperation& operation) override;
  void backward_begins(int64_t number, const char* name, const Tensor& dy) override;
  void backward_ended(int64_t number, const std::function<void()>& drop) override;
  void recomputing_begins() override;
  void recomputing_ended() override;
  void kernel_begins(const KernelSlot& slot, std::span<const KernelArgument> arguments) override;
  void kernel_ended(const KernelSlot& slot, std::span<const KernelArgument> arguments) override;
  void allocated(const Buffer& buffer) override;
  void freed(const Buffer& buffer) override;

 private:
  // A tensor that an operation may have saved.
  struct Candidate {
    std::weak_ptr<Buffer> buffer;
    const Buffer* address;
    SavedTensor text;
  };
  // What has happened since the last operation ended.
  struct Segment {
    std::vector<SeenKernel> kernels;
    std::vector<Candidate> candidates;  // the kernels' arguments
    double seconds = 0;
    int64_t flops = 0, read = 0, written = 0, allocated = 0, freed = 0, most = -1;
    PurposeBytes held{};  // when most was held
  };
  struct Frame {
    Segment outer;
    int64_t operation;  // whose backward pass this is; -1: a recipe is made
  };
  // Where a tensor lies, and who made it.
  struct Made {
    const void* data;
    Shape shape;
    int64_t operation;
  };
  // While alive the watcher's own work is neither watched nor timed.
  class Aside {
   public:
    explicit Aside(StepWatcher& watcher);
    ~Aside();

   private:
    StepWatcher& watcher_;
    Watching nobody_{nullptr};
  };

  void open();
  void close(SeenOperation& operation);
  void note_held();
  int64_t running() const;
  SeenInput input_of(const Tensor& x) const;
  int64_t parameter_of(const Buffer* buffer) const;
  std::vector<Candidate> candidates_of(const WatchedOperation& operation) const;
  void look_at_update(const KernelSlot& slot, std::span<const KernelArgument> arguments);
  void update_ran(const KernelSlot& slot, std::span<const KernelArgument> arguments);
  void look_at_gradient(size_t parameter);

  const Model& model_;
  const Device device_;
  const bool values_;
  SeenStep seen_;
  std::vector<const Parameter*> parameters_;
  std::unordered_map<const Buffer*, int64_t> parameter_of_, number_of_;  // by their memory
  std::unordered_map<const Buffer*, std::vector<Made>> made_;
  std::vector<std::vector<Candidate>> candidates_;  // of each operation
  std::vector<Frame> frames_;
  Segment segment_;
  PurposeBytes now_{};
  int recipes_ = 0;  // that are being made
  int64_t flops_seen_ = 0;
  double resumed_ = 0, kernel_start_ = 0;
  std::vector<double> before_update_;
};

}  // namespace afina
