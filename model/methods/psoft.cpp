// PSOFT (2025): W is turned in the space of its largest singular vectors: y = W x + b +
// U S (diag(β) R diag(α) - I) V x with R orthogonal by Cayley's transform. PEFT's files hold R in a
// basis whose signs they leave open (they follow from a linear algebra library), so they are not
// exchanged; training from the start goes the same way.
#include "engine/ops/inverse.h"
#include "model/methods/low_rank.h"
#include "model/methods/singular.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct PsoftAdapter : Adapter {
  Parameter &turn, &left, &right;  // (rank (rank - 1) / 2), β (rank), α (rank)
  Parameter &down, &up;            // V (rank, in), U S (out, rank); not trained
  int64_t rank;
  double dropout;
  Tensor places, signs;  // of the elements of the skew-symmetric matrix
  Derived& change;       // diag(β) R diag(α) - I

  PsoftAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank,
               double dropout)
      : turn((scope / "psoft_R")
                 .added("weight", {rank * (rank - 1) / 2}, {Init::zeros}, {.decays = true})),
        left((scope / "psoft_R").added("vector_b", {rank}, {Init::ones})),
        right((scope / "psoft_R").added("vector_a", {rank}, {Init::ones})),
        down(scope.added("psoft_A", {rank, layer.in()}, {Init::zeros}, {.trained = false})),
        up(scope.added("psoft_B", {layer.out(), rank}, {Init::zeros}, {.trained = false})),
        rank(rank),
        dropout(dropout),
        change(method.derived([this] { return turned(); },
                              [dtype = layer.weight.value.computed()](const Tensor& of) {
                                return in_dtype(of, dtype);
                              })) {
    std::vector<int32_t> from(size_t(rank * rank), 0);
    std::vector<float> sign(size_t(rank * rank), 0.f);
    int32_t next = 0;
    for (int64_t i = 0; i < rank; ++i)
      for (int64_t j = i + 1; j < rank; ++j, ++next) {
        from[size_t(i * rank + j)] = from[size_t(j * rank + i)] = next;
        sign[size_t(i * rank + j)] = 1.f;
        sign[size_t(j * rank + i)] = -1.f;
      }
    places = Tensor::from(from, {rank * rank}, turn.value.device());
    signs = Tensor::from(sign, {rank, rank}, turn.value.dtype(), turn.value.device());
    if (!holds_bytes(turn.value.device())) return;
    Svd of = singular_vectors(layer, {0, rank});
    for (int64_t i = 0; i < rank; ++i)
      for (int64_t j = 0; j < layer.out(); ++j) of.u[size_t(j * rank + i)] *= of.s[size_t(i)];
    down.assign(in_f32(of.vt).data());
    up.assign(in_f32(of.u).data());
  }
  // R = (I + Q)(I - Q)⁻¹.
  Tensor turned() const {
    const Tensor q = gather(turn.value, places, {rank, rank}) * signs, one = identity_like(q, rank);
    const Tensor r = matmul(one + q, inverse_of_identity_plus(q * -1.));
    return r * right.value * reshape(left.value, {rank, 1}) - one;
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    const Tensor low = linear(dropped(x, dropout, layer, inputs), down.value, Tensor());
    return layer.plain(x) + linear(linear(low, change(), Tensor()), up.value, Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override {
    weight = weight + matmul(matmul(up.exact(), turned()), down.exact());
  }
};

struct Psoft : TargetedMethod {
  int64_t rank;
  double dropout;
  explicit Psoft(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 32, 2, 4096)),
        dropout(o.number("dropout", 0., 0., 0.99)) {}
  bool decomposes() const override { return true; }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    require(rank <= std::min(layer.in(), layer.out()), "method 'psoft': rank=", rank,
            " is more than the ", std::min(layer.in(), layer.out()), " singular values of '",
            layer.path, "'; choose a smaller rank or other targets");
    return std::make_unique<PsoftAdapter>(*this, layer, scope, rank, dropout);
  }
};

const MethodCard card{
    .name = "psoft",
    .label = "PSOFT",
    .paper = "Efficient Orthogonal Fine-Tuning with Principal Subspace Adaptation (2025)",
    .formula =
        "y = W x + b + U S (diag(b') R diag(a') - I) V x, U S V: largest singular values of W",
    .trains = "R (rank (rank - 1) / 2), a' (rank) and b' (rank) of each target layer",
    .options =
        "rank=32,dropout=0,targets=all,exclude=: rank: singular values whose space is turned; "
        "targets and exclude as for lora",
    .rate = 1e-3,
    .rate_because = "few numbers around a rotation by nothing, as OFT's",
    .tries = {"psoft:rank=4", "psoft:rank=7,dropout=0.25,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Psoft>);

}  // namespace afina
