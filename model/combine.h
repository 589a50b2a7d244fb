// LoRAs added up into one: w1 s1 B1 A1 + w2 s2 B2 A2 = [w1 s1 B1, w2 s2 B2] [A1; A2], the ranks of
// all of them beside each other. The sum is exact; each number of B is rounded to f32 once.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"

namespace afina {

class CombinedLora {
 public:
  // base: the pretrained model that all of them stand on, with nothing in it that is trained or
  // adapted (built_beside in model/several.h). It must outlive this object.
  explicit CombinedLora(const Model& base) : base_(base) {}
  // Adds `weight` times the adapter that `method` describes and whose values `load` puts into a
  // model that was built with it. label: what messages call it. Rank, alpha, rsLoRA, targets and
  // their exceptions may differ from those of the others; embedding and head may be among the
  // targets. What such a LoRA took out of the pretrained weights when it began (PiSSA, OLoRA) is
  // put back as further ranks, -B0 A0. An Error, with the reason and a way out, for an adapter of
  // another method and for one that holds anything but the matrices of a LoRA: whole modules,
  // biases and rows of tokens that were trained beside it are no product of two matrices.
  void add(const std::string& label, const MethodSpec& method, double weight,
           const std::function<void(Model&)>& load);
  // A model on the base's weights with one plain LoRA: alpha is the rank, so that the scale is 1.
  // An Error if nothing was added.
  std::unique_ptr<Model> build() const;

 private:
  // One layer, embedding or head.
  struct Place {
    int64_t in = 0, out = 0, rank = 0;
    std::vector<float> a, b;  // A (rank, in) and Bᵀ (rank, out), weight and scale in B
    std::vector<float> bias;  // of B, (out); empty: none
    bool looked_up = false;   // of the embedding, whose A files hold the other way round
  };
  struct Part;
  const Model& base_;
  std::vector<std::string> order_;  // of the paths, as the model has them
  std::map<std::string, Place> places_;
};

}  // namespace afina
