// Adding up LoRAs: what each does to every layer, checked to be nothing else, and the sum as one.
#include "model/combine.h"

#include <cmath>
#include <set>

#include "model/several.h"
#include "model/words.h"

namespace afina {

// An adapter while it is added: the model that it makes of the base, and the matrices that it began
// with where it took their product out of a weight.
struct CombinedLora::Part {
  const std::string& label;
  const double weight;
  std::unique_ptr<Model> model;
  std::map<const Parameter*, std::vector<float>> began;  // values of all that was added
  std::set<const Parameter*> changed;                    // weights of the base, by the beginning
  std::set<const Parameter*> put_back;                   // of these, as -B0 A0
  std::set<const Parameter*> used;                       // of what was added

  [[noreturn]] void refuse(const std::string& why) const {
    const bool merges = model->method->why_not_mergeable().empty();
    fail(label, ": ", why, ". Leave it out, ",
         merges ? "merge it into the model and use the others on the merged model (afina merge), "
                : "",
         "or keep it beside the others with an --adapter of its own");
  }
  // The adapter's values, or those with which it began.
  std::vector<float> values(const Parameter& p, bool as_begun) {
    used.insert(&p);
    return as_begun ? began.at(&p) : p.exact().values();
  }
  Parameter* find(const std::string& name) { return model->parameters->find(name); }
  void begin() {
    for (const Parameter& p : model->parameters->all)
      if (p.added) began[&p] = p.exact().values();
      else if (!p.lent && !p.trained) changed.insert(&p);
  }
  void check(const Model& base) const;
};

// Nothing but the matrices may differ from the base.
void CombinedLora::Part::check(const Model& base) const {
  for (const Parameter& p : model->parameters->all) {
    if (p.added && !used.count(&p))
      refuse("it holds " + p.name +
             ", which is no part of a LoRA's matrices and cannot be added "
             "up by putting ranks beside each other");
    if (p.added || p.lent || put_back.count(&p)) continue;
    if (p.trained)
      refuse("beside its matrices it holds a trained " + p.name +
             " (save=, bias=), which putting "
             "ranks beside each other cannot add up");
    const Parameter* own = base.parameters->find(p.name);
    if (!own || own->value.values() != p.value.values())
      refuse("it brings a " + p.name + " of its own, other than that of the model");
  }
}

void CombinedLora::add(const std::string& label, const MethodSpec& method, double weight,
                       const std::function<void(Model&)>& load) {
  require(std::isfinite(weight), label, ": the weight ", weight, " is not finite");
  require(weight != 0., label, ": a weight of 0 leaves nothing of the adapter; leave it out");
  Part part{label, weight, built_beside(base_, make_method(method)), {}, {}, {}, {}};
  if (part.model->method->in_force.name != "lora")
    part.refuse(
        "its method is '" + part.model->method->in_force.name +
        "', and only plain LoRAs add up exactly when their ranks are put beside each other");
  part.begin();
  load(*part.model);

  auto put = [&](const std::string& path, const LowRank& low, bool looked_up, bool as_begun) {
    // On the embedding A is held as (vocabulary, rank).
    const int64_t rank = low.b.shape[1], out = low.b.shape[0], in = low.a.shape[looked_up ? 0 : 1];
    auto [found, fresh] = places_.try_emplace(path);
    Place& place = found->second;
    if (fresh) {
      order_.push_back(path);
      place.in = in;
      place.out = out;
      place.looked_up = looked_up;
    }
    place.rank += rank;
    const std::vector<float> a = part.values(low.a, as_begun), b = part.values(low.b, as_begun);
    const double factor = weight * low.scale * (as_begun ? -1. : 1.);
    for (int64_t r = 0; r < rank; ++r) {
      for (int64_t i = 0; i < in; ++i)
        place.a.push_back(a[size_t(looked_up ? i * rank + r : r * in + i)]);
      for (int64_t o = 0; o < out; ++o)
        place.b.push_back(float(factor * double(b[size_t(o * rank + r)])));
    }
    return &place;
  };
  for (const Linear* linear : part.model->parameters->linears) {
    const LowRank* low = linear->adapter ? linear->adapter->factors() : nullptr;
    const bool changed = part.changed.count(&linear->weight) > 0;
    if (!low) {
      if (linear->adapter || changed)
        part.refuse("it does more to " + linear->path + " than a LoRA");
      continue;
    }
    Place* place = put(linear->path, *low, false, false);
    if (changed) {
      put(linear->path, *low, false, true);
      part.put_back.insert(&linear->weight);
    }
    if (const Parameter* bias = part.find(linear->path + ".lora_B.bias")) {
      const std::vector<float> values = part.values(*bias, false);
      place->bias.resize(values.size(), 0.f);
      for (size_t i = 0; i < values.size(); ++i)
        place->bias[i] = float(double(place->bias[i]) + weight * low->scale * double(values[i]));
    }
  }
  const TokenEnds& ends = part.model->ends();
  auto path_of = [](const LowRank& low) {
    const std::string& name = low.b.name;
    return name.substr(0, name.rfind(name.ends_with(".weight") ? ".lora_B." : ".lora_"));
  };
  for (const TableAdapter* end : {ends.table_adapter(), ends.head_adapter()})
    if (const LowRank* low = end ? end->factors() : nullptr)
      put(path_of(*low), *low, end == ends.table_adapter(), false);
  part.check(base_);
}

std::unique_ptr<Model> CombinedLora::build() const {
  require(!places_.empty(), "there is nothing to combine");
  const int64_t common = places_.at(order_[0]).rank;
  std::vector<std::string> exceptions;
  bool bias = false, ends = false;
  for (const std::string& path : order_) {
    const Place& place = places_.at(path);
    if (place.rank != common) exceptions.push_back(path + ":" + std::to_string(place.rank));
    bias = bias || !place.bias.empty();
    ends = ends || place.looked_up || is_head(path);
  }
  require(!bias || !ends, "one of the adapters has a bias of B (lora_bias) and one adapts the ",
          "embedding or the head, which no single LoRA can have both; leave one of them out");
  std::map<std::string, std::string> options = {{"rank", std::to_string(common)},
                                                {"alpha", std::to_string(common)},
                                                {"targets", joined(order_, "+")},
                                                {"ranks", joined(exceptions, "+")},
                                                {"alphas", joined(exceptions, "+")}};
  if (bias) options["lora_bias"] = "true";
  std::unique_ptr<Model> model = built_beside(base_, make_method(method_spec("lora", options)));

  auto put = [&](const std::string& name, std::vector<float> values) {
    Parameter* p = model->parameters->find(name);
    require(p && p->shape.size() == int64_t(values.size()),
            "the combined adapter has no place for ", name);
    p->assign(values.data());
  };
  auto turned = [](const std::vector<float>& values, int64_t rows) {
    const int64_t columns = int64_t(values.size()) / rows;
    std::vector<float> out(values.size());
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        out[size_t(c * rows + r)] = values[size_t(r * columns + c)];
    return out;
  };
  for (auto& [path, place] : places_) {
    const std::vector<float> b = turned(place.b, place.rank);
    if (place.looked_up) {
      put(path + ".lora_embedding_A", turned(place.a, place.rank));
      put(path + ".lora_embedding_B", b);
      continue;
    }
    put(path + ".lora_A.weight", place.a);
    put(path + ".lora_B.weight", b);
    if (!bias) continue;
    std::vector<float> of_b = place.bias;
    of_b.resize(size_t(place.out), 0.f);
    put(path + ".lora_B.bias", of_b);
  }
  return model;
}

}  // namespace afina
