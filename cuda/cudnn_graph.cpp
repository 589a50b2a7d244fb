// cuDNN's backend interface, wrapped call by call.
#include "cuda/cudnn_graph.h"

namespace afina::cuda {

Cudnn::Cudnn() {
  library.find("cudnnCreate", create);
  library.find("cudnnSetStream", set_stream);
  library.find("cudnnGetVersion", version);
  library.find("cudnnBackendCreateDescriptor", make);
  library.find("cudnnBackendDestroyDescriptor", drop);
  library.find("cudnnBackendSetAttribute", set);
  library.find("cudnnBackendGetAttribute", get);
  library.find("cudnnBackendFinalize", finalize);
  library.find("cudnnBackendExecute", execute);
}
cudnnHandle_t Cudnn::ready() {
  if (!tried) {
    tried = true;
    if (create(&handle) != CUDNN_STATUS_SUCCESS) handle = nullptr;
    else held(set_stream(handle, stream()), "cudnnSetStream");
  }
  return handle;
}
Cudnn& cudnn() {
  static Cudnn* only = new Cudnn;
  return *only;
}

Node Graph::add(Extents dims, Extents strides, cudnnDataType_t type, bool between, bool number) {
  Descriptor t(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  int64_t id = ++ids_, alignment = 16;
  t.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type);
  t.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dims.data(), 4)
      .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides.data(), 4);
  t.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, alignment);
  t.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, between)
      .set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, number);
  t.finalize("describing a tensor");
  // Kept as long as the plan: the documentation does not say what a plan references of its graph.
  kept_.push_back(t);
  return {t, id, dims};
}
Node Graph::between(Extents d, cudnnDataType_t type) {
  return add(d, {d[1] * d[2] * d[3], d[2] * d[3], d[3], 1}, type, true, false);
}

void Graph::matmul(const Node& a, const Node& b, const Node& c) {
  Descriptor kind(CUDNN_BACKEND_MATMUL_DESCRIPTOR), op(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  kind.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .finalize("describing a product");
  op.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, kind).set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a.tensor);
  op.set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b.tensor)
      .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c.tensor)
      .finalize("a product");
  kept_.push_back(kind);
  operations_.push_back(op);
}

void Graph::pointwise(cudnnPointwiseMode_t f, const Node& x, const Node* b, const Node* t,
                      const Node& y, cudnnDataType_t in) {
  Descriptor kind(CUDNN_BACKEND_POINTWISE_DESCRIPTOR),
      op(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  kind.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, f)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, in);
  kind.finalize("describing a pointwise operation");
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, kind)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x.tensor);
  if (b) op.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b->tensor);
  if (t) op.set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, t->tensor);
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y.tensor).finalize("a pointwise operation");
  kept_.push_back(kind);
  operations_.push_back(op);
}

Node Graph::index(const Node& like, int64_t axis) {
  Node y = between(like.dims, CUDNN_DATA_INT32);
  Descriptor kind(CUDNN_BACKEND_POINTWISE_DESCRIPTOR),
      op(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  kind.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, CUDNN_POINTWISE_GEN_INDEX);
  kind.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_INT32)
      .set(CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, axis);
  kind.finalize("describing an index");
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, kind)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, like.tensor);
  op.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y.tensor).finalize("an index");
  kept_.push_back(kind);
  operations_.push_back(op);
  return y;
}

void Graph::reduce(cudnnReduceTensorOp_t f, const Node& x, const Node& y) {
  Descriptor kind(CUDNN_BACKEND_REDUCTION_DESCRIPTOR),
      op(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
  kind.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, f);
  kind.set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .finalize("describing a reduction");
  op.set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, kind)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x.tensor);
  op.set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y.tensor).finalize("a reduction");
  kept_.push_back(kind);
  operations_.push_back(op);
}

Node Graph::transposed(const Node& x, cudnnDataType_t type, const Extents* strides) {
  Extents d = x.dims;
  std::swap(d[2], d[3]);
  Node y = add(d, strides ? *strides : Extents{d[1] * d[2] * d[3], d[2] * d[3], 1, d[2]}, type,
               true, false);
  Descriptor op(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
  op.set(CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x.tensor)
      .set(CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y.tensor)
      .finalize("a transposition");
  operations_.push_back(op);
  return y;
}

bool Graph::plan() {
  cudnnHandle_t handle = cudnn().ready();
  if (!handle) return false;
  std::vector<cudnnBackendDescriptor_t> all;
  for (Descriptor& op : operations_) all.push_back(op.get());
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR),
      heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, all.data(),
            int64_t(all.size()));
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle);
  if (graph.try_finalize() != CUDNN_STATUS_SUCCESS) return false;
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
  if (heuristic.try_finalize() != CUDNN_STATUS_SUCCESS) return false;
  constexpr int most = 8;
  std::vector<Descriptor> configs(most, Descriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
  std::vector<cudnnBackendDescriptor_t> raw;
  for (Descriptor& c : configs)
    raw.push_back((c = Descriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)).get());
  int64_t count = 0;
  if (cudnn().get(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                  most, &count, raw.data()) != CUDNN_STATUS_SUCCESS)
    return false;
  for (int i = 0; i < int(count); ++i) {
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t noted = 0, written = 0;
    Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t of_engine = engine.get();
    cudnn().get(raw[size_t(i)], CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                &written, &of_engine);
    cudnn().get(of_engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &noted, notes);
    bool repeatable = true;
    for (int64_t n = 0; n < noted; ++n)
      repeatable = repeatable && notes[n] != CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    if (!repeatable) continue;
    auto plan = std::make_shared<Descriptor>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle)
        .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[size_t(i)]);
    if (plan->try_finalize() != CUDNN_STATUS_SUCCESS) continue;
    Cudnn::held(cudnn().get(plan->get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                            1, &written, &workspace_),
                "size of the workspace");
    plan_ = plan;
    kept_.push_back(graph);
    kept_.push_back(configs[size_t(i)]);
    return true;
  }
  return false;
}

void Graph::run(std::vector<Bound> bound, void* workspace) {
  std::vector<int64_t> ids;
  std::vector<void*> places;
  for (const Bound& b : bound) {
    ids.push_back(b.id);
    places.push_back(b.at);
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids.data(), int64_t(ids.size()));
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, places.data(),
           int64_t(places.size()));
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
      .finalize("the tensors of a run");
  Cudnn::held(cudnn().execute(cudnn().ready(), plan_->get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace afina::cuda
