// Several adapters over the weights of one model, each of them live under a name, one of them
// active.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"

namespace afina {

// A model of the same config, dtype and device under `method`, that reads base's weights where they
// lie: memory is taken for what the method adds or trains, and for the weights that it changes when
// it begins (PiSSA), which it changes in a copy. Nothing writes to base's weights, and the model
// may outlive base. It has the bits of a model that was built from base's files. base: nothing in
// it is trained or adapted, else an Error.
std::unique_ptr<Model> built_beside(const Model& base, std::unique_ptr<Method> method);

// Models over one base, by name. All are ready at any time, so that changing from one to another
// takes no time and no two of them can disturb each other: adapters of any method may stand beside
// each other, and one may be merged (model/merge.h) while others are used. Not to be changed by two
// threads at once; models of different names may compute at once.
class LiveAdapters {
 public:
  // The name under which the base itself is active; no adapter can have it.
  static constexpr const char* none = "base";

  // The base is active.
  explicit LiveAdapters(std::unique_ptr<Model> base);
  // model: made by built_beside(base(), ...). An Error if the name is empty, taken or `none`.
  void add(const std::string& name, std::unique_ptr<Model> model);
  // The adapters' names, in the order in which they were added.
  std::vector<std::string> names() const;
  const Model& base() const { return *base_; }
  // The model under this adapter, or the base. An unknown name is an Error that lists the known.
  Model& model(const std::string& name);
  // Makes this adapter the active one, or none.
  void activate(const std::string& name);
  const std::string& active() const { return active_; }
  Model& active_model() { return model(active_); }

 private:
  std::unique_ptr<Model> base_;
  std::vector<std::pair<std::string, std::unique_ptr<Model>>> adapted_;
  std::string active_ = none;
};

}  // namespace afina
