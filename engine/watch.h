// Looking at a computation while it runs: a watcher is told of every operation, kernel call and
// allocation of its thread, in their order. Looking changes no bit, and where nobody looks each of
// these places costs one comparison.
#pragma once
#include <cstdint>
#include <functional>
#include <source_location>
#include <span>
#include <string>

namespace afina {

class KernelSlot;
class Tensor;
struct Buffer;

// Where in a model the calling thread computes: a module's path, "model.layers.0.mlp.up_proj", or
// the name of its weight. They nest; an operation belongs to the innermost.
class Here {
 public:
  // name: must outlive this. where: the line of the model's code that says so.
  explicit Here(const std::string& name,
                std::source_location where = std::source_location::current())
      : name_(&name), where_(where), outer_(current_) {
    current_ = this;
  }
  ~Here() { current_ = outer_; }
  Here(const Here&) = delete;
  const std::string& name() const { return *name_; }
  const std::source_location& where() const { return where_; }
  static const Here* current() { return current_; }  // nullptr outside of any

 private:
  const std::string* name_;
  std::source_location where_;
  const Here* outer_;
  static inline thread_local const Here* current_ = nullptr;
};

// An operation whose result is known. On a tape, its backward pass will be told of by `number`.
struct WatchedOperation {
  const char* name;
  const Tensor& result;
  std::span<const Tensor* const> inputs;  // an empty tensor among them: an input that was left out
  bool recorded;                          // will gradients go through it?
  std::source_location where;             // in the operation's definition
};

// An argument of a kernel; null where it is no tensor.
struct KernelArgument {
  const Tensor* tensor;
  bool written;
};

// Told of what the calling thread does while a Watching holds it. What it is not interested in it
// leaves out. No function of it is called while another one runs.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Returns a number of the watcher's own for the operation.
  virtual int64_t operation_ran(const WatchedOperation& operation) {
    (void)operation;
    return -1;
  }
  // Around the backward pass of an operation; number: what operation_ran returned, -1 where nobody
  // watched. dy: the gradient of its result. drop() frees what the operation saved and dy.
  virtual void backward_begins(int64_t number, const char* name, const Tensor& dy) {
    (void)number;
    (void)name;
    (void)dy;
  }
  virtual void backward_ended(int64_t number, const std::function<void()>& drop) {
    (void)number;
    drop();
  }
  // Around the recomputation of values that were saved as a recipe (engine/saved.h).
  virtual void recomputing_begins() {}
  virtual void recomputing_ended() {}
  virtual void kernel_begins(const KernelSlot& slot, std::span<const KernelArgument> arguments) {
    (void)slot;
    (void)arguments;
  }
  virtual void kernel_ended(const KernelSlot& slot, std::span<const KernelArgument> arguments) {
    (void)slot;
    (void)arguments;
  }
  virtual void allocated(const Buffer& buffer) { (void)buffer; }
  virtual void freed(const Buffer& buffer) { (void)buffer; }

  static Watcher* current() { return current_; }  // of the calling thread; nullptr: nobody looks

 private:
  friend class Watching;
  static inline thread_local Watcher* current_ = nullptr;
};

// While alive, the watcher is told of what this thread does; nullptr: nobody is.
class Watching {
 public:
  explicit Watching(Watcher* watcher) : outer_(Watcher::current_) { Watcher::current_ = watcher; }
  ~Watching() { Watcher::current_ = outer_; }
  Watching(const Watching&) = delete;

 private:
  Watcher* outer_;
};

}  // namespace afina
