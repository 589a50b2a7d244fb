// Stopping in a debugger at a named operation.
#pragma once
#include <string>
#include <vector>

#include "engine/watch.h"

namespace afina {

// Where to stop: "linear", "linear:3" (its third call), "linear.backward", or a module's path in
// place of an operation's name.
struct BreakpointAt {
  std::string name;
  bool backward = false;
  int64_t call = 0;  // from 1; 0: every one
};
// An Error for a text that is none of these.
BreakpointAt read_breakpoint(const std::string& text);

// Calls afina_breakpoint() when the operation has just run (its result is there) or, with backward,
// just before its backward pass. Calls are counted in the order in which they happen.
class Breakpoint : public Watcher {
 public:
  explicit Breakpoint(BreakpointAt at) : at_(std::move(at)) {}
  int64_t operation_ran(const WatchedOperation& operation) override;
  void backward_begins(int64_t number, const char* name, const Tensor& dy) override;
  void backward_ended(int64_t number, const std::function<void()>& drop) override;
  int64_t calls() const { return calls_; }  // of what it looks for
  // The names of the operations that ran, and their modules; in order, each once.
  const std::vector<std::string>& names() const { return names_; }

 private:
  bool is_meant(const char* name, const std::string& place);
  BreakpointAt at_;
  int64_t calls_ = 0;
  std::vector<std::string> names_, places_;  // places_: of each operation
};

// Is a debugger attached to this process?
bool under_debugger();
// Starts gdb with this program and these words, stopping at afina_breakpoint. Returns if it cannot
// be started.
void start_debugger(const std::vector<std::string>& words);

}  // namespace afina

// For the debugger: `break afina_breakpoint` stops here; result is the operation's, or the gradient
// that comes back to it.
extern "C" void afina_breakpoint(const char* operation, const char* place,
                                 const afina::Tensor* result);
// For the debugger: `call afina_print(x)` prints a tensor to standard error.
extern "C" void afina_print(const afina::Tensor& tensor);
