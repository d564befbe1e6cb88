// Products of matrices by cuBLASLt, with each algorithm that its heuristics name.
#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_values.h"
#include "tools/bench/direct_cuda.h"

namespace lamina::bench {
namespace {

constexpr int kMostAlgorithms = 64;
constexpr size_t kWorkspaceBytes = size_t{64} << 20;

void* Layout(const gpu::CudaBlas& blas, int64_t rows, int64_t columns, int64_t pages,
             int64_t stride) {
  void* layout = nullptr;
  const auto count = static_cast<int32_t>(pages);
  CheckAnswer(blas.MatrixLayoutCreate(&layout, gpu::cublas::kSingle, static_cast<uint64_t>(rows),
                                      static_cast<uint64_t>(columns), rows));
  CheckAnswer(blas.MatrixLayoutSetAttribute(layout, gpu::cublas::kPages, &count, sizeof(count)));
  CheckAnswer(
      blas.MatrixLayoutSetAttribute(layout, gpu::cublas::kPageStride, &stride, sizeof(stride)));
  return layout;
}

}  // namespace

DirectCase DirectProduct(const DirectDevice& device, const gpu::ProductCall& p,
                         const std::vector<Floats>& inputs) {
  const gpu::CudaBlas& blas = *gpu::FindCudaBlas();
  void *handle = nullptr, *operation = nullptr, *preference = nullptr;
  CheckAnswer(blas.Create(&handle));
  CheckAnswer(blas.MatmulDescCreate(&operation, gpu::cublas::kSingleCompute, gpu::cublas::kSingle));
  const int tx = p.transpose_x ? gpu::cublas::kTranspose : gpu::cublas::kNoTranspose,
            ty = p.transpose_y ? gpu::cublas::kTranspose : gpu::cublas::kNoTranspose;
  CheckAnswer(blas.MatmulDescSetAttribute(operation, gpu::cublas::kTransposeX, &tx, sizeof(tx)));
  CheckAnswer(blas.MatmulDescSetAttribute(operation, gpu::cublas::kTransposeY, &ty, sizeof(ty)));
  void* const x_layout =
      Layout(blas, p.transpose_x ? p.k : p.m, p.transpose_x ? p.m : p.k, p.pages, p.x_page);
  void* const y_layout =
      Layout(blas, p.transpose_y ? p.n : p.k, p.transpose_y ? p.k : p.n, p.pages, p.y_page);
  void* const z_layout = Layout(blas, p.m, p.n, p.pages, p.m * p.n);
  CheckAnswer(blas.PreferenceCreate(&preference));
  CheckAnswer(blas.PreferenceSetAttribute(preference, gpu::cublas::kMostWorkspace, &kWorkspaceBytes,
                                          sizeof(kWorkspaceBytes)));
  std::vector<gpu::CublasAlgorithm> algorithms(kMostAlgorithms);
  int found = 0;
  CheckAnswer(blas.AlgoGetHeuristic(handle, operation, x_layout, y_layout, z_layout, z_layout,
                                    preference, kMostAlgorithms, algorithms.data(), &found));

  void *const x = device.Copy(inputs[0]), *const y = device.Copy(inputs[1]),
              *const z = device.Room(static_cast<size_t>(p.m * p.n * p.pages) * sizeof(float)),
              *const workspace = device.Room(kWorkspaceBytes), *const stream = device.stream();
  DirectCase made{.variants = {}, .result = z};
  for (int i = 0; i < found; ++i) {
    const gpu::CublasAlgorithm& algorithm = algorithms[static_cast<size_t>(i)];
    if (algorithm.status != 0) continue;
    made.variants.push_back({absl::StrCat("algorithm ", i + 1, " of ", found), [=, &blas] {
                               static constexpr float kOne = 1, kZero = 0;
                               return blas.Matmul(handle, operation, &kOne, x, x_layout, y,
                                                  y_layout, &kZero, z, z_layout, z, z_layout,
                                                  algorithm.algorithm, workspace,
                                                  algorithm.workspace_bytes, stream);
                             }});
  }
  return made;
}

}  // namespace lamina::bench
