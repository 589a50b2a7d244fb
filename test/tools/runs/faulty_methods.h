// Methods with a fault, for tests of what a run does about it.
#pragma once
#include <memory>
#include <string>

#include "model/layers.h"
#include "model/method.h"

namespace afina {

// Trains one norm and puts an adapter of this kind on every linear layer.
template <class Kind>
struct Faulty : Method {
  explicit Faulty(MethodOptions&) {}
  bool trains(const std::string& name) const override { return name == "model.norm.weight"; }
  Stored stored() const override { return Stored::changed; }
  std::unique_ptr<Adapter> adapt(const Linear&, const Scope&) override {
    return std::make_unique<Kind>();
  }
};
template <class Kind>
struct With {  // registers a faulty method while alive, so that tests of all methods do not see it
  std::string name;
  explicit With(std::string n) : name(std::move(n)) {
    MethodEntry entry{};
    entry.card.name = name;
    entry.make = make_new<Faulty<Kind>>;
    methods()[name] = entry;
  }
  ~With() { methods().erase(name); }
};

}  // namespace afina
