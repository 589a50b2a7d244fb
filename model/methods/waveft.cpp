// WaveFT (Bilican et al., 2025): n numbers at random places of a wavelet spectrum; ΔW is its
// inverse Haar transform. Each number reaches four elements, so ΔW is a scatter.
#include "model/methods/sparse_places.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct WaveAdapter : WeightAdapter {
  Parameter& spectrum;
  Shape shape;
  double scale;
  Tensor from, signs, to;  // which number goes where, and how it is signed

  WaveAdapter(const Linear& layer, const Scope& scope, int64_t n, double scale, uint64_t seed,
              bool transform)
      : spectrum(scope.added("waveft_spectrum", {n}, {Init::zeros})),
        shape(layer.weight.shape),
        scale(scale) {
    const int64_t out = layer.out(), in = layer.in();
    const std::vector<int32_t> places = first_of_permutation(out * in, n, seed);
    std::vector<int32_t> which, where;
    std::vector<float> sign;
    // The spectrum has even sides and four quadrants: sums, differences of rows, differences of
    // columns, both.
    const int64_t half_rows = (out + 1) / 2, half_columns = (in + 1) / 2;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = places[size_t(i)] / in, column = places[size_t(i)] % in;
      if (!transform) {
        which.push_back(int32_t(i));
        where.push_back(places[size_t(i)]);
        sign.push_back(1.f);
        continue;
      }
      const bool by_columns = row >= half_rows, by_rows = column >= half_columns;
      for (int64_t u = 0; u < 2; ++u)
        for (int64_t v = 0; v < 2; ++v) {
          const int64_t r = 2 * (row % half_rows) + u, c = 2 * (column % half_columns) + v;
          if (r >= out || c >= in) continue;
          which.push_back(int32_t(i));
          where.push_back(int32_t(r * in + c));
          sign.push_back((by_rows && u) != (by_columns && v) ? -0.5f : 0.5f);
        }
    }
    const int64_t count = int64_t(which.size());
    const Tensor& like = spectrum.value;
    from = Tensor::from(which, {count}, like.device());
    to = Tensor::from(where, {count}, like.device());
    signs = Tensor::from(sign, {count}, like.dtype(), like.device());
  }
  Tensor delta() const override {
    return scatter(gather(spectrum.value, from, {from.size()}) * signs, to, shape) * scale;
  }
};

struct WaveFt : TargetedMethod {
  int64_t n, seed;
  double scale;
  bool transform;
  explicit WaveFt(MethodOptions& o)
      : TargetedMethod(o, {{"counts", 1, 1 << 30, true}}),
        n(o.integer("n", 2592, 1, 1 << 30)),
        seed(o.integer("seed", 777, 0, (int64_t(1) << 32) - 1)),
        scale(o.number("scale", 25., 1e-9, 1e9)),
        transform(o.flag("transform", true)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t count = int64_t(targets_.number("counts", layer, double(n)));
    require(count <= layer.weight.shape.size(), "method 'waveft': n=", count,
            " numbers for the weight of '", layer.path, "', which has ", layer.weight.shape.size());
    auto adapter =
        std::make_unique<WaveAdapter>(layer, scope, count, scale, uint64_t(seed), transform);
    adapter->derive(*this, layer);
    return adapter;
  }
  Json peft_config() const override {
    Json config = config_of("WAVEFT");
    config["n_frequency"] = n;
    config["n_frequency_pattern"] = targets_.peft_numbers("counts", double(n));
    config["scaling"] = plain_number(scale);
    config["random_loc_seed"] = seed;
    config["use_idwt"] = transform;
    config["wavelet_family"] = "db1";
    config["proportional_parameters"] = false;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("wavelet_family", "db1", "afina has the Haar wavelet (db1) alone");
  config.only("proportional_parameters", false,
              "the number of each layer then follows from its size; write it as a pattern");
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["n"] = std::to_string(config.get<int64_t>("n_frequency"));
  options["counts"] = config.patterns("n_frequency_pattern");
  options["scale"] = config.number_or("scaling", 25.);
  options["seed"] = std::to_string(config.get_or<int64_t>("random_loc_seed", 777));
  options["transform"] = config.flag_or("use_idwt", true);
  return options;
}

const MethodCard card{
    .name = "waveft",
    .label = "WaveFT",
    .paper =
        "Exploring Sparsity for Parameter Efficient Fine Tuning Using Wavelets "
        "(Bilican et al., 2025)",
    .formula = "y = (W + scale haar^-1(S)) x + b, S: n numbers at random places",
    .trains = "n numbers of each target layer",
    .options =
        "n=2592,scale=25,seed=777,transform=true,targets=all,exclude=,counts=: seed: of the "
        "places, as PEFT draws them; transform=false: S itself; counts are exceptions to n "
        "(k_proj:500); targets and exclude as for lora",
    .rate = 1e-3,
    .rate_because = "few numbers at zero, each multiplied by the scale of 25",
    .peft_type = "WAVEFT",
    .tries = {"waveft:n=40,scale=4", "waveft:n=33,scale=3,transform=false,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<WaveFt>, from_peft);

}  // namespace afina
