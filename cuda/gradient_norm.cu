// What a step says of itself, made on the device and left there: the sum of its losses, the norm of
// the whole gradient by a fixed tree, and the scale that clips it.
#include "cuda/block.cuh"
#include "cuda/weights.cuh"

namespace afina::AFINA_GPU {
namespace {

constexpr int tree_threads = 256;

template <class T>
__global__ void add_loss_kernel(StepRecord* record, const T* losses, int64_t count, bool first) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += double(load(losses + i));
  sum = row_sum(sum);
  if (threadIdx.x == 0) record->loss = first ? sum : record->loss + sum;
}
void add_loss(Tensor& record, const Tensor& losses, bool first) {
  with_type(losses.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    launch(add_loss_kernel<T>, 1, tree_threads, 0, record.data<StepRecord>(),
           losses.data<const T>(), losses.size(), first);
  });
}

template <class S>
__global__ void squares_of_parts_kernel(double* squares, const WeightRow* table, int64_t rows) {
  const WeightRow& row = row_of_part(table, rows, blockIdx.x);
  const S* x = static_cast<const S*>(row.gradient);
  constexpr int w = width_of<S>;
  int64_t n = row.size, first = (blockIdx.x - row.first_part) * weight_part,
          end = first + weight_part < n ? first + weight_part : n;
  bool whole = all_whole(n, w, x);
  double sum = 0;
  for (int64_t i = first + int64_t(threadIdx.x) * w; i < end; i += int64_t(blockDim.x) * w) {
    S v[w];
    take<w>(v, x, i, n, whole);
    for (int j = 0; j < w; ++j) sum = math::v_fma(double(v[j]), double(v[j]), sum);
  }
  sum = row_sum(sum);
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

// One block: the parts in a tree whose shape depends on their number alone; then what every
// weight's update needs to know.
__global__ void record_kernel(StepRecord* record, const double* squares, int64_t parts,
                              const StepNumbers* numbers) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < parts; i += blockDim.x) sum += squares[i];
  sum = row_sum(sum);
  if (threadIdx.x != 0) return;
  double norm = math::v_sqrt(sum), loss = record->loss, clip = numbers->clip;
  record->squares = sum;
  record->norm = norm;
  record->not_finite = norm - norm == 0. && loss - loss == 0. ? 0. : 1.;
  record->scale = clip > 0. && norm > clip ? clip / (norm + 1e-6) : 1.;
  record->lr = numbers->lr;
  record->rate = -numbers->lr / numbers->bias1;
  record->shrink = 1. / numbers->bias2_root;
}

void gradient_norm(Tensor& record, Tensor& squares, const Tensor& table, const Tensor& numbers,
                   Dtype of) {
  with_type(of, [&](auto* type) {
    using S = sum_of<pointed<decltype(type)>>;
    launch(squares_of_parts_kernel<S>, unsigned(squares.size()), tree_threads, 0,
           squares.data<double>(), table.data<const WeightRow>(), rows_of(table));
  });
  launch(record_kernel, 1, tree_threads, 0, record.data<StepRecord>(), squares.data<const double>(),
         squares.size(), numbers.data<const StepNumbers>());
}

REGISTER_CUDA(add_loss, block_tree, 0, add_loss);
REGISTER_CUDA(gradient_norm, block_tree, 0, gradient_norm);

}  // namespace
}  // namespace afina::AFINA_GPU
