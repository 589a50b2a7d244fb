// FourierFT (Gao et al., 2024): n numbers at random places of a spectrum; ΔW is the real part of
// its inverse discrete Fourier transform.
#include <map>

#include "engine/math.h"
#include "model/methods/sparse_places.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

// cos and sin of 2 pi i j / n, (n, n), in the order of i and j.
struct Waves {
  Tensor cosines, sines;
  Waves(int64_t n, const Tensor& like) {
    std::vector<double> c(size_t(n * n)), s(size_t(n * n));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const double angle = 6.283185307179586 * double(i * j % n) / double(n);
        math::sin_cos(angle, s[size_t(i * n + j)], c[size_t(i * n + j)]);
      }
    cosines = Tensor::from(c, {n, n}, like.dtype(), like.device());
    sines = Tensor::from(s, {n, n}, like.dtype(), like.device());
  }
};

struct FourierAdapter : WeightAdapter {
  Parameter& spectrum;
  Shape shape;
  double scale;
  std::shared_ptr<Waves> rows, columns;
  Tensor places;

  FourierAdapter(const Linear& layer, const Scope& scope, int64_t n, double scale, uint64_t seed,
                 bool zero)
      : spectrum(scope.added("fourierft_spectrum", {n},
                             zero ? Init{Init::zeros} : Init{Init::normal, 1.f})),
        shape(layer.weight.shape),
        scale(scale / double(layer.weight.shape.size())),
        places(Tensor::from(first_of_permutation(shape.size(), n, seed), {n},
                            spectrum.value.device())) {}
  // The real part of F_out S F_in with F = cos + i sin.
  Tensor delta() const override {
    const Tensor dense = scatter(spectrum.value, places, shape);
    return (matmul(matmul(rows->cosines, dense), columns->cosines) -
            matmul(matmul(rows->sines, dense), columns->sines)) *
           scale;
  }
};

struct FourierFt : TargetedMethod {
  int64_t n, seed;
  double scale;
  bool zero;
  std::map<int64_t, std::shared_ptr<Waves>> waves;  // by length: layers of one size share them
  explicit FourierFt(MethodOptions& o)
      : TargetedMethod(o, {{"counts", 1, 1 << 30, true}}),
        n(o.integer("n", 1000, 1, 1 << 30)),
        seed(o.integer("seed", 777, 0, (int64_t(1) << 32) - 1)),
        scale(o.number("scale", 150., 1e-9, 1e9)),
        zero(o.flag("zero", false)) {}
  std::shared_ptr<Waves> waves_of(int64_t length, const Tensor& like) {
    PurposeScope purpose(Purpose::weights);
    auto& found = waves[length];
    if (!found) found = std::make_shared<Waves>(length, like);
    return found;
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t count = int64_t(targets_.number("counts", layer, double(n)));
    require(count <= layer.weight.shape.size(), "method 'fourierft': n=", count,
            " numbers for the weight of '", layer.path, "', which has ", layer.weight.shape.size());
    auto adapter =
        std::make_unique<FourierAdapter>(layer, scope, count, scale, uint64_t(seed), zero);
    adapter->rows = waves_of(layer.out(), adapter->spectrum.value);
    adapter->columns = waves_of(layer.in(), adapter->spectrum.value);
    adapter->derive(*this, layer);
    return adapter;
  }
  bool starts_as_pretrained() const override { return zero; }
  Json peft_config() const override {
    Json config = config_of("FOURIERFT");
    config["n_frequency"] = n;
    config["n_frequency_pattern"] = targets_.peft_numbers("counts", double(n));
    config["scaling"] = plain_number(scale);
    config["random_loc_seed"] = seed;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = zero;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("fan_in_fan_out", false);
  auto options = targets_from_peft(config);
  options["n"] = std::to_string(config.get<int64_t>("n_frequency"));
  options["counts"] = config.patterns("n_frequency_pattern");
  options["scale"] = config.number_or("scaling", 150.);
  options["seed"] = std::to_string(config.get_or<int64_t>("random_loc_seed", 777));
  options["zero"] = config.flag_or("init_weights", false);
  return options;
}

const MethodCard card{
    .name = "fourierft",
    .label = "FourierFT",
    .paper = "Parameter-Efficient Fine-Tuning with Discrete Fourier Transform (Gao et al., 2024)",
    .formula = "y = (W + scale Re(ifft2(S))) x + b, S: n numbers at random places",
    .trains = "n numbers of each target layer",
    .options =
        "n=1000,scale=150,seed=777,zero=false,targets=all,exclude=,counts=: seed: of the "
        "places, as PEFT draws them; zero: begin as the pretrained model; counts are "
        "exceptions to n (k_proj:500); targets and exclude as for lora",
    .rate = 1e-2,
    .rate_because =
        "each number is spread over the whole weight; the paper's rates are high. Its scale of 150 "
        "is for widths of 768 and more: on a narrow model PEFT's random start is far from the "
        "pretrained model, and zero=true begins as that",
    .peft_type = "FOURIERFT",
    .tries = {"fourierft:n=40", "fourierft:n=33,scale=20,zero=true,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<FourierFt>, from_peft);

}  // namespace afina
