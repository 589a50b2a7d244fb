// The starts of LoRA's matrices as methods use them: options, the look at the data, what is taken
// out of the layers' weights, and how that is stored.
#pragma once
#include "model/layers.h"
#include "model/methods/starts.h"

namespace afina {

class LowRankStarts {
 public:
  // Reads the option start, and those that the named start has: observe, convert, ga_*, corda.
  explicit LowRankStarts(MethodOptions& options);
  Start kind() const { return kind_; }
  Init init_a(int64_t rank, int64_t in) const;
  Init init_b(int64_t rank) const;
  // Puts the start's values into a layer's A and B, made with init_a and init_b, and takes scale B
  // A out of its weight if the start says so; where data decide, once they were observed. Returns
  // the adapter that `make` then makes, or one in its place that looks at the layer's inputs.
  std::unique_ptr<Adapter> begin(const Linear& layer, Parameter& a, Parameter& b, double scale,
                                 uint64_t seed,
                                 const std::function<std::unique_ptr<Adapter>()>& make);

  // Method's functions of these names.
  int64_t observes() const { return observes_; }
  bool observes_gradients() const { return kind_ == Start::lora_ga; }
  void begin_observing();
  void end_observing();
  // Of a converted adapter: -A0 behind A and B0 behind B, so that the file is a plain LoRA of twice
  // the rank on the pretrained model: B A - B0 A0.
  StoredBehind stored_behind(const Parameter& parameter) const;
  bool converts() const { return converts_; }
  // PEFT's word for a stored adapter: init_lora_weights.
  Json peft_word() const;

  // One adapted layer.
  struct Layer {
    std::string path;
    Parameter &weight, &a, &b;
    double scale;
    std::vector<float> a0, b0;  // as they began, kept if the adapter is to be converted
    Tensor products, sums;      // of inputs while observing: xᵀ x (in, in) and x's sum (1, in)
    int64_t seen = 0;           // tokens (EVA) or rows (CorDA)
  };

 private:
  friend struct WatchingAdapter;
  void see(Layer& layer, const Tensor& x, const Inputs& inputs) const;
  void put(Layer& layer, const StartOfAdapter& begin) const;
  StartOfAdapter found(const Layer& layer) const;
  Start kind_;
  int64_t observes_ = 0;
  bool converts_ = false, largest_ = true, observing_ = false;
  GradientStart gradient_;
  std::deque<Layer> layers_;  // a deque: references stay good
};

}  // namespace afina
