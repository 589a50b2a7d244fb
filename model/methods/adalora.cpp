// AdaLoRA (Zhang et al., 2023): y = W x + b + scale B diag(E) A x, where A and B are kept nearly
// orthogonal by a term in the loss, and a budget of triplets (a row of A, a number of E, a column
// of B) shrinks over the run: those that matter least, in whatever layer, are set to zero. Rule and
// numbers are those of the PEFT library.
#include <algorithm>
#include <cmath>

#include "engine/ops/scale.h"
#include "engine/train/trainer.h"
#include "model/methods/low_rank.h"

namespace afina {

namespace {

// |p g| of a parameter, smoothed, and how far it strays from that; shaped as the parameter.
struct Importance {
  Tensor mean, spread;
};

struct Triplets {
  std::string path;
  Parameter &a, &b, &e;  // (rank, in), (out, rank), (rank, 1)
  Importance of[3];      // of a, b and e; made when training begins
  Tensor kept;           // (rank): 1 for triplets that the budget has left, else 0
  int64_t rank() const { return a.shape[0]; }
};

struct AdaLoraAdapter : Adapter {
  const Triplets& t;
  double scale, dropout;
  AdaLoraAdapter(const Triplets& t, double scale, double dropout)
      : t(t), scale(scale), dropout(dropout) {}
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    if (t.rank() == 0) return layer.plain(x);
    Tensor low = linear(dropped(x, dropout, layer, inputs), t.a.value, Tensor());
    return layer.plain(x) + linear(scale_columns(low, t.e.value) * scale, t.b.value, Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override {
    if (t.rank() == 0) return;
    weight = weight + matmul(scale_columns(t.b.exact(), t.e.exact()), t.a.exact()) * scale;
  }
};

// When the budget shrinks, in steps counted from 1.
struct Budget {
  int64_t first, last, total, every;  // constant before `first` and in the `last` steps
  // The number of triplets after this step, of `all` down to `target`.
  int64_t at(int64_t step, int64_t all, int64_t target) const {
    if (step <= first) return all;
    if (step > total - last) return target;
    double left = 1. - double(step - first) / double(total - last - first);
    return int64_t(double(all - target) * (left * left * left) + double(target));
  }
};

class AdaLora : public Method {
 public:
  explicit AdaLora(MethodOptions& o)
      : rank_(o.integer("rank", 12, 1, 65536)),
        target_(o.integer("target", 8, 1, 65536)),
        alpha_(o.number("alpha", 16., 1e-9, 1e9)),
        dropout_(o.number("dropout", 0., 0., 0.99)),
        orthogonal_(o.number("orthogonal", 0.5, 0., 1e9)),
        beta1_(o.number("beta1", 0.85, 0., 1.)),
        beta2_(o.number("beta2", 0.85, 0., 1.)),
        budget_{o.integer("tinit", 0, 0, 1 << 30), o.integer("tfinal", 0, 0, 1 << 30),
                o.integer("total", 0, 0, 1 << 30), o.integer("every", 1, 1, 1 << 30)},
        targets_(o, {{"ranks", 0, 65536, true}}) {}

  void passes_over(const Linear& layer) override { targets_.pass_over(layer); }
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    if (!targets_.matches(layer)) return nullptr;
    const int64_t rank = int64_t(targets_.number("ranks", layer, double(rank_)));
    require(rank <= rank_, "method 'adalora': ranks: ", layer.path, " is to have rank ", rank,
            ", and rank=", rank_, " is the most that a layer can have");
    const Init normal{Init::normal, 0.02f};
    const bool trained = rank > 0;  // a layer of which nothing was left
    Parameter& a = scope.added("lora_A", {rank, layer.in()}, normal, {.trained = trained});
    Parameter& b = scope.added("lora_B", {layer.out(), rank}, normal, {.trained = trained});
    Parameter& e =
        scope.added("lora_E", {rank, 1}, {Init::zeros}, {.trained = trained, .vector = true});
    triplets_.push_back(std::make_unique<Triplets>(Triplets{layer.path, a, b, e, {}, {}}));
    // The divisor is the rank that all began with, however many triplets are left; PEFT's 1e-5 too.
    return std::make_unique<AdaLoraAdapter>(*triplets_.back(), alpha_ / (double(rank_) + 1e-5),
                                            dropout_);
  }
  void built(const Scope&) override { targets_.check(); }
  Stored stored() const override { return Stored::adapter; }
  Json peft_config() const override;

  bool takes_part() const override { return true; }
  bool plans_by_steps() const override { return budget_.total == 0; }
  Tensor penalty() const override;
  void after_step(const StepReport& report) override;
  std::vector<std::pair<std::string, Tensor>> step_state() override;
  // E begins at zero and ends there in a layer that the budget leaves nothing.
  bool sets(const Parameter& p) const override {
    return std::any_of(triplets_.begin(), triplets_.end(), [&](auto& t) { return &t->e == &p; });
  }

 private:
  void prepare();
  void weigh(const StepReport& report);
  void cut(int64_t budget);
  void apply_masks();
  int64_t all_triplets() const {
    int64_t all = 0;
    for (auto& t : triplets_) all += t->rank();
    return all;
  }
  int64_t rank_, target_;
  double alpha_, dropout_, orthogonal_, beta1_, beta2_;
  Budget budget_;
  int64_t total_ = 0;  // steps of the run, once one was made
  Targets targets_;
  std::vector<std::unique_ptr<Triplets>> triplets_;
};

// orthogonal * the mean over all As and Bs of |A Aᵀ - I| and |Bᵀ B - I| (Frobenius), in f32.
Tensor AdaLora::penalty() const {
  Tensor sum;
  int64_t count = 0;
  if (orthogonal_ == 0.) return sum;
  for (auto& t : triplets_) {
    const int64_t r = t->rank();
    if (r == 0) continue;
    std::vector<float> one(size_t(r * r), 0.f);
    for (int64_t i = 0; i < r; ++i) one[size_t(i * r + i)] = 1.f;
    for (const Parameter* p : {&t->a, &t->b}) {
      Tensor exact = p->master.sharing_gradient_of(p->value);
      Tensor identity = Tensor::from(one, {r, r}, exact.dtype(), exact.device());
      Tensor product = matmul(exact, exact, p == &t->b, p == &t->a);
      Tensor norm = afina::sqrt(afina::sum(square(product - identity)));
      sum = sum ? sum + norm : norm;
      ++count;
    }
  }
  return count ? sum * (orthogonal_ / double(count)) : sum;
}

void AdaLora::prepare() {
  PurposeScope purpose(Purpose::optimizer);
  for (auto& t : triplets_) {
    if (t->kept || t->rank() == 0) continue;
    const Tensor& e = t->e.master;
    const Parameter* parts[] = {&t->a, &t->b, &t->e};
    for (size_t i = 0; i < 3; ++i)
      for (Tensor* one : {&t->of[i].mean, &t->of[i].spread})
        *one = Tensor::zeros(parts[i]->shape, e.dtype(), e.device());
    t->kept = Tensor::from(std::vector<float>(size_t(t->rank()), 1.f), {t->rank()}, e.dtype(),
                           e.device());
  }
}

std::vector<std::pair<std::string, Tensor>> AdaLora::step_state() {
  prepare();
  std::vector<std::pair<std::string, Tensor>> all;
  for (auto& t : triplets_) {
    if (t->rank() == 0) continue;
    const Parameter* parts[] = {&t->a, &t->b, &t->e};
    for (size_t i = 0; i < 3; ++i) {
      all.push_back({parts[i]->name + ".importance", t->of[i].mean});
      all.push_back({parts[i]->name + ".importance_spread", t->of[i].spread});
    }
    all.push_back({t->path + ".kept", t->kept});
  }
  return all;
}

void AdaLora::after_step(const StepReport& report) {
  prepare();
  total_ = budget_.total > 0 ? budget_.total : report.steps;
  Budget budget = budget_;
  budget.total = total_;
  const int64_t fixed = total_ - budget.last, step = report.step;  // from `fixed` on masks stay
  if (total_ == 0 || step < fixed) weigh(report);
  if (total_ == 0 || step > fixed) return apply_masks();
  const int64_t target = std::min(all_triplets(), target_ * int64_t(triplets_.size()));
  const bool now = step > budget.first && step % budget.every == 0;
  if (now || step == fixed) cut(budget.at(step, all_triplets(), target));
}

// What each number matters: |p g| after the update, with the gradient as it was clipped.
void AdaLora::weigh(const StepReport& report) {
  auto absolute = [](const Tensor& x) { return relu(x) + relu(neg(x)); };
  for (auto& t : triplets_) {
    if (t->rank() == 0) continue;
    const Parameter* parts[] = {&t->a, &t->b, &t->e};
    for (size_t i = 0; i < 3; ++i) {
      Importance& m = t->of[i];
      const Tensor& gradient = parts[i]->value.grad().value();
      Tensor now =
          absolute(parts[i]->master.detached() * (gradient.detached() * report.gradient_scale));
      m.mean.copy_from(m.mean * beta1_ + now * (1. - beta1_));
      m.spread.copy_from(m.spread * beta2_ + absolute(now - m.mean) * (1. - beta2_));
    }
  }
}

// Keeps the `budget` triplets that matter most; of equal ones at the border none.
void AdaLora::cut(int64_t budget) {
  const int64_t all = all_triplets();
  if (budget >= all || !holds_bytes(triplets_[0]->e.value.device())) return apply_masks();
  std::vector<std::vector<double>> scores;
  std::vector<double> ordered;
  for (auto& t : triplets_) {
    const int64_t r = t->rank(), in = t->a.shape[1], out = t->b.shape[0];
    auto score = [&](size_t i) {
      return t->of[i].mean ? (t->of[i].mean * t->of[i].spread).values64() : std::vector<double>();
    };
    std::vector<double> a = score(0), b = score(1), e = score(2);
    for (int64_t k = 0; k < r; ++k) {
      double of_a = 0., of_b = 0.;
      for (int64_t i = 0; i < in; ++i) of_a += a[size_t(k * in + i)];
      for (int64_t i = 0; i < out; ++i) of_b += b[size_t(i * r + k)];
      e[size_t(k)] += of_a / double(in) + of_b / double(out);
    }
    ordered.insert(ordered.end(), e.begin(), e.end());
    scores.push_back(std::move(e));
  }
  std::sort(ordered.begin(), ordered.end());
  const double least = ordered[size_t(all - budget - 1)];  // the greatest that goes
  for (size_t l = 0; l < triplets_.size(); ++l) {
    if (scores[l].empty()) continue;
    Tensor& kept = triplets_[l]->kept;
    std::vector<float> mask;
    for (double score : scores[l]) mask.push_back(score > least ? 1.f : 0.f);
    PurposeScope purpose(Purpose::workspace);
    kept.copy_from(Tensor::from(mask, kept.shape(), kept.dtype(), kept.device()));
  }
  apply_masks();
}

void AdaLora::apply_masks() {
  for (auto& t : triplets_) {
    if (t->rank() == 0) continue;
    Tensor e = t->e.master.detached();
    e.copy_from(e * t->kept.viewed(e.shape()));
    t->e.refresh();
  }
}

Json AdaLora::peft_config() const {
  Json config = peft_common("ADALORA");
  config["init_r"] = rank_;
  config["target_r"] = target_;
  config["r"] = rank_;
  config["lora_alpha"] = plain_number(alpha_);
  config["lora_dropout"] = dropout_;
  config["orth_reg_weight"] = orthogonal_;
  config["beta1"] = beta1_;
  config["beta2"] = beta2_;
  config["tinit"] = budget_.first;
  config["tfinal"] = budget_.last;
  config["deltaT"] = budget_.every;
  config["total_step"] = budget_.total > 0 ? budget_.total : std::max<int64_t>(1, total_);
  config["target_modules"] = targets_.peft_targets();
  config["bias"] = "none";
  config["fan_in_fan_out"] = targets_.any_transposed();
  config["init_lora_weights"] = true;
  // What the budget has set to zero is stored as zeros, so that the file holds every trained value.
  // A layer that was read with fewer triplets than the others keeps them.
  Json ranks = Json::object();
  for (auto& t : triplets_) {
    std::vector<bool> left(size_t(rank_), false);
    std::fill(left.begin(), left.begin() + t->rank(), true);
    if (t->rank() < rank_) ranks[t->path + ".lora_E"] = left;
  }
  config["rank_pattern"] = ranks.empty() ? Json() : ranks;
  return config;
}

// rank_pattern says which triplets of each layer are left; the file holds these alone.
std::string ranks_left(PeftConfig& config) {
  const Json* patterns = config.find("rank_pattern");
  if (!patterns) return "";
  std::string text;
  const std::string end = ".lora_E";
  for (auto& [name, kept] : patterns->items()) {
    require(name.ends_with(end) && kept.is_array(), config.where(), ": rank_pattern: '", name,
            "' is ", describe(kept), " where a list for a layer's lora_E is expected");
    int64_t left = std::count(kept.begin(), kept.end(), Json(true));
    text += (text.empty() ? "" : "+") + name.substr(0, name.size() - end.size()) + ":" +
            std::to_string(left);
  }
  return text;
}

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("fan_in_fan_out", false);
  config.find("r");  // LoRA's, without a meaning here
  config.find("init_lora_weights");
  std::string rank = config.number_or("init_r", 12.), alpha = config.number_or("lora_alpha", 8.);
  return {{"rank", rank},
          {"target", config.number_or("target_r", 8.)},
          {"alpha", alpha[0] == '-' || alpha == "0" ? rank : alpha},
          {"dropout", config.number_or("lora_dropout", 0.)},
          {"orthogonal", config.number_or("orth_reg_weight", 0.5)},
          {"beta1", config.number_or("beta1", 0.85)},
          {"beta2", config.number_or("beta2", 0.85)},
          {"tinit", config.number_or("tinit", 0.)},
          {"tfinal", config.number_or("tfinal", 0.)},
          {"every", config.number_or("deltaT", 1.)},
          {"total", config.number_or("total_step", 0.)},
          {"targets", config.targets()},
          {"exclude", config.exclude()},
          {"ranks", ranks_left(config)}};
}

const MethodCard card{
    .name = "adalora",
    .label = "AdaLoRA",
    .paper = "AdaLoRA: Adaptive Budget Allocation (Zhang et al., 2023)",
    .formula =
        "y = W x + b + alpha/rank B diag(E) A x; loss + orthogonal mean |A A' - I|, |B' B - I|",
    .trains =
        "A (rank, in), E (rank) and B (out, rank) of each target layer; fewer as time goes on",
    .options =
        "rank=12,target=8,alpha=16,targets=all,exclude=,dropout=0,ranks=,orthogonal=0.5,tinit=0,"
        "tfinal=0,every=1,total=0,beta1=0.85,beta2=0.85: rank at first and, on average, at the "
        "end; the budget shrinks between step tinit and tfinal steps before the end, each `every` "
        "steps; total: steps of the schedule (0: of the run)",
    .rate = 1e-3,
    .rate_because = "A and B begin small and E at zero, so larger steps than LoRA's are needed",
    .peft_type = "ADALORA",
    .tries = {"adalora", "adalora:rank=3,target=2,dropout=0.25,targets=*.mlp.*,ranks=mlp.*:2"}};

}  // namespace

REGISTER_METHOD(card, make_new<AdaLora>, from_peft);

}  // namespace afina
