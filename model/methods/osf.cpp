// OSF (Nayak et al., 2025): the singular vectors of W with the smallest singular values are
// trained, the others stay; gradients of the vectors are projected off the space of those that
// stay.
#include "model/methods/singular.h"
#include "model/methods/targeted.h"
#include "model/words.h"

namespace afina {

namespace {

struct OsfAdapter : WeightAdapter {
  Parameter &u, &s, &v;   // (out, n), (n), (n, in): n smallest singular values
  Tensor begin;           // U S V as they began, (out, in)
  Tensor kept_u, kept_v;  // (out, k), (k, in): the vectors that stay
  OsfAdapter(const Linear& layer, const Scope& scope, int64_t kept)
      : u(exact_matrix(scope, "U_low", {layer.out(), trained(layer, kept)}, {Init::zeros})),
        s(scope.added("S_low", {trained(layer, kept)}, {Init::zeros})),
        v(exact_matrix(scope, "V_low", {trained(layer, kept), layer.in()}, {Init::zeros})) {
    const Tensor& like = u.value;
    PurposeScope purpose(Purpose::weights);
    std::vector<float> high_u(size_t(layer.out() * kept)), high_v(size_t(kept * layer.in()));
    if (holds_bytes(like.device())) {
      const Svd all = singular_vectors(layer, {});
      const int64_t count = int64_t(all.s.size()), n = count - kept;
      std::vector<float> low_u(size_t(layer.out() * n));
      for (int64_t row = 0; row < layer.out(); ++row)
        for (int64_t i = 0; i < count; ++i) {
          const float value = float(all.u[size_t(row * count + i)]);
          if (i < kept) high_u[size_t(row * kept + i)] = value;
          else low_u[size_t(row * n + i - kept)] = value;
        }
      const auto border = all.vt.begin() + kept * layer.in();
      std::copy(all.vt.begin(), border, high_v.begin());
      u.assign(low_u.data());
      s.assign(in_f32({all.s.begin() + kept, all.s.end()}).data());
      v.assign(in_f32({border, all.vt.end()}).data());
    }
    kept_u = Tensor::from(high_u, {layer.out(), kept}, like.dtype(), like.device());
    kept_v = Tensor::from(high_v, {kept, layer.in()}, like.dtype(), like.device());
    Unrecorded plain;
    begin = product();
  }
  static int64_t trained(const Linear& layer, int64_t kept) {
    return std::min(layer.in(), layer.out()) - kept;
  }
  Tensor product() const { return matmul(u.value * s.value, v.value); }
  Tensor delta() const override { return product() - begin; }
};

// g - K Kᵀ g for the columns of U, g - g Kᵀ K for the rows of V, in place.
void project(const Parameter& p, const Tensor& kept, bool rows) {
  const Gradient gradient = p.value.grad();
  if (!gradient.touched()) return;
  Unrecorded plain;
  PurposeScope purpose(Purpose::workspace);
  Tensor g = gradient.sum();
  const Tensor now = g.detached();
  g.copy_from(now - (rows ? matmul(matmul(now, kept, false, true), kept)
                          : matmul(kept, matmul(kept, now, true, false))));
}

// What keeps an adapter's gradients in their space, also when it has been merged and removed.
struct Projection {
  const Parameter &u, &v;
  Tensor kept_u, kept_v;
};

struct Osf : TargetedMethod {
  std::string keep;
  std::vector<Projection> projections;
  explicit Osf(MethodOptions& o)
      : TargetedMethod(o, {{"keeps", 1e-9, 65536}}), keep(o.text("keep", "0.5")) {
    const double number = o.number("keep", 0.5, 0., 65536.);
    require(number > 0. && (share() ? number < 1. : number == std::floor(number)),
            option_label("osf", o.file(), "keep"), "=", keep,
            " where a share between 0 and 1 or a number of singular values is expected");
  }
  bool decomposes() const override { return true; }
  // "0.5" is a share of all singular values, "16" their number.
  bool share() const { return keep.find_first_of(".e") != keep.npos; }
  int64_t kept(const Linear& layer) const {
    const int64_t all = std::min(layer.in(), layer.out());
    const double own = targets_.number("keeps", layer, 0.),
                 number = own > 0. ? own : std::stod(keep);
    require(own < 1. || own == std::floor(own), "method 'osf': keeps: ", own, " of '", layer.path,
            "' where a share below 1 or a number of singular values is expected");
    const bool part = own > 0. ? own < 1. : share();
    const int64_t count = part ? int64_t(double(all) * number) : int64_t(number);
    require(count > 0 && count < all, "method 'osf': keep=", number, " keeps ", count, " of the ",
            all, " singular values of '", layer.path, "'; choose another number or other targets");
    return count;
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    auto adapter = std::make_unique<OsfAdapter>(layer, scope / "osf_svd_params", kept(layer));
    adapter->derive(*this, layer);
    projections.push_back({adapter->u, adapter->v, adapter->kept_u, adapter->kept_v});
    return adapter;
  }
  void complete_gradients() override {
    TargetedMethod::complete_gradients();
    for (const Projection& of : projections) {
      project(of.u, of.kept_u, false);
      project(of.v, of.kept_v, true);
    }
  }
  Json peft_config() const override {
    Json config = config_of("OSF");
    config["effective_rank"] = share() ? Json(std::stod(keep)) : Json(std::stoll(keep));
    const Json own = targets_.peft_numbers("keeps", 0.);
    config["rank_pattern"] = own.empty() ? Json() : own;
    config["target_svd_config"] = nullptr;
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  if (const Json* patterns = config.find("rank_pattern"); patterns && patterns->is_object())
    for (auto& [pattern, value] : patterns->items())
      require(value != Json(1.) || value.is_number_integer(), config.where(), ": rank_pattern: '",
              pattern, "' is 1.0, the share of all singular values, which leaves nothing to train");
  config.find("target_svd_config");  // PEFT does not read it either
  config.find("init_weights");
  auto options = targets_from_peft(config);
  options["keeps"] = config.patterns("rank_pattern", true);
  const Json* keep = config.find("effective_rank");
  require(!keep || keep->is_number(), config.where(), ": effective_rank is ",
          keep ? describe(*keep) : std::string(), " where a number is expected");
  if (!keep) options["keep"] = "0.5";
  else if (keep->is_number_integer() || keep->get<double>() > 1.)
    options["keep"] = std::to_string(int64_t(keep->get<double>()));
  else options["keep"] = number_text(keep->get<double>());
  return options;
}

const MethodCard card{
    .name = "osf",
    .label = "OSF",
    .paper =
        "Sculpting Subspaces: Constrained Full Fine-Tuning in LLMs for Continual Learning "
        "(Nayak et al., 2025)",
    .formula = "y = (W - U0 S0 V0 + U S V) x + b, U0 S0 V0: the smallest singular values of W",
    .trains = "U (out, n), S (n) and V (n, in) of each target layer, n: singular values not kept",
    .options =
        "keep=0.5,targets=all,exclude=,keeps=: keep: singular values that stay, largest first, as "
        "a "
        "share (0.5) or a number (16); keeps are exceptions to it (q_proj:0.25+mlp.*:16); targets "
        "and exclude as for lora",
    .rate = 2e-4,
    .rate_because = "half of a model's numbers are trained; between full fine-tuning's and LoRA's",
    .peft_type = "OSF",
    .tries = {"osf", "osf:keep=5,targets=*.mlp.*,keeps=*.mlp.*_proj:0.25"}};

}  // namespace

REGISTER_METHOD(card, make_new<Osf>, from_peft);

}  // namespace afina
