// matmul by cuBLASLt: the algorithm is searched once per shape, cached, and recorded in the run's
// manifest.
#include <cublasLt.h>

#include <array>
#include <compare>
#include <cstdio>
#include <memory>

#include "cuda/launch.cuh"
#include "cuda/library.h"
#include "engine/choices.h"
#include "engine/on_gpu.h"
#include "engine/primitives.h"

namespace afina::cuda {
namespace {

constexpr size_t workspace_bytes = size_t(64) << 20;
constexpr int candidates = 24, repeats = 5;

struct Lt {
  Library library{"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so",
                  "/usr/local/cuda/lib64/libcublasLt.so"};
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtGetVersion) version;
  decltype(&cublasLtMatmul) matmul;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
  decltype(&cublasLtMatmulAlgoConfigGetAttribute) algorithm_attribute;
  decltype(&cublasLtMatmulAlgoCheck) check_algorithm;
  decltype(&cublasLtMatmulDescCreate) make_operation;
  decltype(&cublasLtMatmulDescSetAttribute) set_operation;
  decltype(&cublasLtMatrixLayoutCreate) make_layout;
  decltype(&cublasLtMatmulPreferenceCreate) make_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) drop_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
  cublasLtHandle_t handle = nullptr;

  Lt() {
    library.find("cublasLtCreate", create);
    library.find("cublasLtGetVersion", version);
    library.find("cublasLtMatmul", matmul);
    library.find("cublasLtMatmulAlgoGetHeuristic", heuristic);
    library.find("cublasLtMatmulAlgoConfigGetAttribute", algorithm_attribute);
    library.find("cublasLtMatmulAlgoCheck", check_algorithm);
    library.find("cublasLtMatmulDescCreate", make_operation);
    library.find("cublasLtMatmulDescSetAttribute", set_operation);
    library.find("cublasLtMatrixLayoutCreate", make_layout);
    library.find("cublasLtMatmulPreferenceCreate", make_preference);
    library.find("cublasLtMatmulPreferenceDestroy", drop_preference);
    library.find("cublasLtMatmulPreferenceSetAttribute", set_preference);
  }
  // The handle, created on first use: the library's version can be read on a machine without a GPU.
  cublasLtHandle_t ready() {
    if (!handle) held(create(&handle), "cublasLtCreate");
    return handle;
  }
  static void held(cublasStatus_t status, const char* what) {
    require(status == CUBLAS_STATUS_SUCCESS, "cuBLASLt: ", what, " failed with status ",
            int(status));
  }
};
Lt& lt() {
  static Lt* only = new Lt;
  return *only;
}

// The key for which an algorithm is chosen. Row-major c = op(a) op(b) is column-major cᵀ = op(b)ᵀ
// op(a)ᵀ: the operands are swapped, and memory stays as it is.
struct Call {
  int64_t m, n, k;
  bool ta, tb, accumulate, bias;
  Dtype in, out;
  int alignment;  // of all operands, in bytes
  auto operator<=>(const Call&) const = default;
  std::string text() const {
    char said[160];
    std::snprintf(said, sizeof said, "cublas matmul %lldx%lldx%lld %c%c %s to %s%s%s aligned %d",
                  (long long)m, (long long)n, (long long)k, ta ? 'T' : 'N', tb ? 'T' : 'N',
                  name(in), name(out), accumulate ? " adding" : "", bias ? " with bias" : "",
                  alignment);
    return said;
  }
};

cudaDataType type_of(Dtype t) {
  switch (t) {
    case Dtype::f32: return CUDA_R_32F;
    case Dtype::bf16: return CUDA_R_16BF;
    case Dtype::f64:
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype("cublas matmul", t);
}

// nvcc's front end fails on containers of the library's own type, which is an unnamed struct.
struct Candidate : cublasLtMatmulHeuristicResult_t {
  Candidate() : cublasLtMatmulHeuristicResult_t{} {}
};

struct Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, result = nullptr;
  std::vector<Candidate> found;
  const cublasLtMatmulAlgo_t* algorithm = nullptr;  // null until chosen
  int64_t taken_up = 0;                             // choices_adopted() when it was chosen
  size_t workspace = 0;
};

template <class T>
void set(cublasLtMatmulDesc_t to, cublasLtMatmulDescAttributes_t what, const T& value) {
  Lt::held(lt().set_operation(to, what, &value, sizeof value), "setting an operation");
}
template <class T>
void prefer(cublasLtMatmulPreference_t to, cublasLtMatmulPreferenceAttributes_t what,
            const T& value) {
  Lt::held(lt().set_preference(to, what, &value, sizeof value), "setting a preference");
}

// The operation and cuBLASLt's best candidate algorithms; none if it is not supported.
std::unique_ptr<Plan> make_plan(const Call& c) {
  auto p = std::make_unique<Plan>();
  Lt::held(lt().make_operation(&p->operation, CUBLAS_COMPUTE_32F, CUDA_R_32F),
           "making an operation");
  set(p->operation, CUBLASLT_MATMUL_DESC_TRANSA, c.tb ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(p->operation, CUBLASLT_MATMUL_DESC_TRANSB, c.ta ? CUBLAS_OP_T : CUBLAS_OP_N);
  if (c.bias) {
    set(p->operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(p->operation, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(c.out));
    set(p->operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
        static_cast<const void*>(p.get()));  // any non-null address: the call has the real one
  }
  auto layout = [&](cublasLtMatrixLayout_t& to, Dtype type, int64_t rows, int64_t columns) {
    Lt::held(lt().make_layout(&to, type_of(type), uint64_t(rows), uint64_t(columns), rows),
             "making a layout");
  };
  layout(p->first, c.in, c.tb ? c.k : c.n, c.tb ? c.n : c.k);
  layout(p->second, c.in, c.ta ? c.m : c.k, c.ta ? c.k : c.m);
  layout(p->result, c.out, c.n, c.m);
  cublasLtMatmulPreference_t wish;
  Lt::held(lt().make_preference(&wish), "making a preference");
  prefer(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t(workspace_bytes));
  // A split k may be reduced in a workspace in a fixed order, never in c itself.
  prefer(wish, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         uint32_t(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  constexpr cublasLtMatmulPreferenceAttributes_t alignments[] = {
      CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
      CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
  for (auto what : alignments) prefer(wish, what, uint32_t(c.alignment));
  cublasLtMatmulHeuristicResult_t all[candidates];
  int count = 0;
  auto status = lt().heuristic(lt().ready(), p->operation, p->first, p->second, p->result,
                               p->result, wish, candidates, all, &count);
  lt().drop_preference(wish);
  for (int i = 0; status == CUBLAS_STATUS_SUCCESS && i < count; ++i)
    if (all[i].state == CUBLAS_STATUS_SUCCESS)
      static_cast<cublasLtMatmulHeuristicResult_t&>(p->found.emplace_back()) = all[i];
  return p;
}
Plan& plan_of(const Call& c) {
  static auto* all = new std::map<Call, std::unique_ptr<Plan>>;
  auto& p = (*all)[c];
  if (!p) p = make_plan(c);
  return *p;
}

// An algorithm is stored as 64 bytes that only this version of the library understands; the names
// of its parts are for readers.
std::string described(const cublasLtMatmulAlgo_t& a) {
  auto number = [&](cublasLtMatmulAlgoConfigAttributes_t what) {
    uint32_t value = 0;
    size_t written;
    lt().algorithm_attribute(&a, what, &value, sizeof value, &written);
    return std::to_string(value);
  };
  std::string said = "algorithm " + number(CUBLASLT_ALGO_CONFIG_ID) + " tile " +
                     number(CUBLASLT_ALGO_CONFIG_TILE_ID) + " stages " +
                     number(CUBLASLT_ALGO_CONFIG_STAGES_ID) + " split-k " +
                     number(CUBLASLT_ALGO_CONFIG_SPLITK_NUM) + "; cuBLASLt " +
                     std::to_string(lt().version()) + ":";
  for (uint64_t word : a.data) {
    char hex[20];
    std::snprintf(hex, sizeof hex, " %016llx", (unsigned long long)word);
    said += hex;
  }
  return said;
}
void read(cublasLtMatmulAlgo_t& to, const std::string& said, const std::string& what) {
  std::string mark = "; cuBLASLt " + std::to_string(lt().version()) + ":";
  size_t at = said.find(mark);
  require(at != std::string::npos, what, ": the algorithm to repeat, '", said,
          "', is from another version of cuBLASLt than the installed ", lt().version(),
          "; install that version, or let afina search for the algorithm again");
  const char* hex = said.c_str() + at + mark.size();
  for (auto& word : to.data) {
    char* end;
    word = std::strtoull(hex, &end, 16);
    require(end != hex, what, ": '", said, "' is not an algorithm of cuBLASLt");
    hex = end;
  }
}

struct Pointers {
  const void *a, *b, *c;
  void* d;
  const void* bias;
};
cublasStatus_t run(const Call& c, const Plan& p, const cublasLtMatmulAlgo_t& algorithm,
                   const Pointers& at, void* workspace, size_t bytes) {
  float one = 1.f, beta = c.accumulate ? 1.f : 0.f;
  if (c.bias) set(p.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, at.bias);
  return lt().matmul(lt().ready(), p.operation, &one, at.b, p.first, at.a, p.second, &beta, at.c,
                     p.result, at.d, p.result, &algorithm, workspace, bytes, stream());
}

// Seconds per call, the best of several; negative if the algorithm does not run.
float time_of(const Call& c, const Plan& p, const cublasLtMatmulHeuristicResult_t& one,
              const Pointers& at, void* workspace) {
  cudaEvent_t before, after;
  check(cudaEventCreate(&before), "making an event");
  check(cudaEventCreate(&after), "making an event");
  float best = -1.f;
  for (int i = 0; i < repeats; ++i) {
    check(cudaEventRecord(before, stream()), "an event");
    if (run(c, p, one.algo, at, workspace, one.workspaceSize) != CUBLAS_STATUS_SUCCESS) break;
    check(cudaEventRecord(after, stream()), "an event");
    check(cudaEventSynchronize(after), "a matmul that was tried");
    float now;
    check(cudaEventElapsedTime(&now, before, after), "an event");
    if (i && (best < 0.f || now < best)) best = now;  // the first call also loads the kernel
  }
  cudaEventDestroy(before);
  cudaEventDestroy(after);
  return best;
}

void choose(const Call& c, Plan& p, Pointers at) {
  std::string what = c.text(), said = choice_of(what);
  auto& chosen = p.found[0];
  if (!said.empty()) {
    read(chosen.algo, said, what);
    Lt::held(lt().check_algorithm(lt().ready(), p.operation, p.first, p.second, p.result, p.result,
                                  &chosen.algo, &chosen),
             "the algorithm to repeat");
  } else {
    PurposeScope purpose(Purpose::workspace);
    Tensor room({int64_t(workspace_bytes / 4)}, Dtype::f32, this_device), other;
    if (c.accumulate) {
      other = Tensor({c.m, c.n}, c.out, this_device);
      at.d = other.data<void>();
    }  // c may be accumulated into only once
    float best = -1.f;
    for (size_t i = 0; i < p.found.size(); ++i) {
      float now = time_of(c, p, p.found[i], at, room.data<void>());
      if (now >= 0.f && (best < 0.f || now < best)) {
        best = now;
        chosen = p.found[i];
      }
    }
    require(best >= 0.f, what, ": none of cuBLASLt's algorithms runs");
  }
  p.algorithm = &chosen.algo;
  p.workspace = chosen.workspaceSize;
  p.taken_up = choices_adopted();
  note_choice(what, described(chosen.algo));
}

int alignment_of(std::initializer_list<const void*> all) {
  uintptr_t bits = 256;
  for (const void* p : all) bits |= reinterpret_cast<uintptr_t>(p);
  return int(bits & (~bits + 1));
}
Call call_of(const Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
             const Tensor& bias) {
  return {c.rows(),
          c.columns(),
          ta ? a.rows() : a.columns(),
          ta,
          tb,
          accumulate,
          bool(bias),
          a.dtype(),
          c.dtype(),
          alignment_of({c.data<void>(), a.data<void>(), b.data<void>()})};
}

void matmul(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
            const Tensor& bias) {
  Call call = call_of(c, a, b, ta, tb, accumulate, bias);
  Plan& p = plan_of(call);
  PurposeScope purpose(Purpose::workspace);
  Tensor added = bias, room;
  if (bias && c.dtype() == Dtype::bf16) {  // the library adds a bias only in the result's dtype;
                                           // the result is rounded as coarsely anyway
    added = like(bias, Dtype::bf16);
    kernel::cast(added, bias);
  }
  Pointers at{a.data<void>(), b.data<void>(), c.data<void>(), c.data<void>(),
              added ? added.data<void>() : nullptr};
  if (!p.algorithm || p.taken_up != choices_adopted()) choose(call, p, at);
  if (p.workspace) room = Tensor({int64_t(p.workspace + 3) / 4}, Dtype::f32, this_device);
  Lt::held(run(call, p, *p.algorithm, at, room ? room.data<void>() : nullptr, p.workspace),
           "cublasLtMatmul");
}
bool takes(const Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
           const Tensor& bias) {
  auto known = [](const Tensor& t) { return t.dtype() == Dtype::f32 || t.dtype() == Dtype::bf16; };
  // Not of b in blocks: its algorithms, each chosen for a shape, would give the panels of a product
  // other bits than the whole.
  if (!known(a) || !known(b) || !known(c) || !c.size() || !a.size() ||
      (bias && bias.dtype() != Dtype::f32) || !lt().library.usable())
    return false;
  return !plan_of(call_of(c, a, b, ta, tb, accumulate, bias)).found.empty();
}

// One call over [a a2] and [b b2], or two calls, which round, read and write c once more.
void matmul2(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
             bool tb, const Tensor& bias) {
  if (better_joined(c.columns(), a.columns())) {
    PurposeScope purpose(Purpose::workspace);
    const int64_t k = a.columns() + a2.columns();
    Tensor both({a.rows(), k}, a.dtype(), this_device),
        weights(tb ? Shape{b.rows(), k} : Shape{k, b.columns()}, b.dtype(), this_device);
    if (takes(c, both, weights, false, tb, false, bias)) {
      kernel::joined(both, a, a2);
      if (tb) {
        kernel::joined(weights, b, b2);
      } else {
        Tensor line = weights.viewed({1, weights.size()});
        kernel::joined(line, b.viewed({1, b.size()}), b2.viewed({1, b2.size()}));
      }
      return matmul(c, both, weights, false, tb, false, bias);
    }
  }
  matmul(c, a, b, false, tb, false, bias);
  matmul(c, a2, b2, false, tb, true, Tensor());
}
bool takes2(const Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
            bool tb, const Tensor& bias) {
  return takes(c, a, b, false, tb, false, bias) && takes(c, a2, b2, false, tb, true, Tensor());
}

std::string version() {
  return lt().library.usable() ? "cuBLASLt " + std::to_string(lt().version()) : "";
}
std::string missing() { return lt().library.missing(); }
[[maybe_unused]] const bool listed = add_kernel_library({"cublas", version, missing});

REGISTER_CUDA(matmul, cublas, 40, matmul, takes);
// Two calls are faster than one of `tensor` except on small products (docs/results/gpu.md).
REGISTER_CUDA(matmul2, cublas, 45, matmul2, takes2);

}  // namespace
}  // namespace afina::cuda
