#include "framework/gpu/cuda_products.h"

#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/disk_store.h"

namespace lamina::gpu {
namespace {

// Values of cublasLt.h, cublas_api.h and library_types.h.
constexpr int kNoTranspose = 0, kTranspose = 1, kConjugateTranspose = 2;
constexpr int kTransposeX = 3, kTransposeY = 4;       // Attributes of a product.
constexpr int kPages = 5, kPageStride = 6;            // Attributes of a layout.
constexpr int kMostWorkspace = 1;                     // Of a preference.
constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // What the vendor advises for its newest.

struct Types {
  int element, compute;
};

Types TypesOf(DataType type, bool is_rounded) {
  constexpr int kBfloat16Compute = 75, kDoubleCompute = 70;
  const int single_compute = is_rounded ? kBfloat16Compute : 68;
  switch (type) {
    case DataType::kSingle:
      return {0, single_compute};
    case DataType::kDouble:
      return {1, kDoubleCompute};
    case DataType::kComplexSingle:
      return {4, single_compute};
    default:
      return {5, kDoubleCompute};
  }
}

// Numbers 1 and 0 of the type; both parts of a complex one.
struct Factors {
  explicit Factors(DataType type) {
    if (type == DataType::kSingle || type == DataType::kComplexSingle) {
      single[0] = 1;
    } else {
      full[0] = 1;
    }
    is_single = type == DataType::kSingle || type == DataType::kComplexSingle;
  }
  const void* one() const { return is_single ? static_cast<const void*>(single) : full; }
  const void* zero() const {
    return is_single ? static_cast<const void*>(single + 2) : static_cast<const void*>(full + 2);
  }
  float single[4] = {};
  double full[4] = {};
  bool is_single;
};

// All of a description, as text.
std::string ToText(const ProductCall& p) {
  return absl::StrCat("type ", static_cast<int>(p.type), p.is_rounded ? " rounded" : "", ", ", p.m,
                      " x ", p.n, " x ", p.k, p.transpose_x ? " tx" : "",
                      p.transpose_y ? " ty" : "", ", pages ", p.pages, " ", p.x_page, " ",
                      p.y_page);
}

class Product : public LibraryCall {
 public:
  // `made_from`: all that its algorithm depends on.
  Product(const CudaBlas& blas, void* handle, void* stream, const ProductCall& p,
          const std::string& made_from)
      : blas_(blas), handle_(handle), stream_(stream), factors_(p.type) {
    const Types types = TypesOf(p.type, p.is_rounded);
    // Operations first: what fails leaves the rest null.
    ok_ = blas_.MatmulDescCreate(&operation_, types.compute, types.element) == 0;
    const int transpose = IsComplex(p.type) ? kConjugateTranspose : kTranspose;
    const int of_x = p.transpose_x ? transpose : kNoTranspose,
              of_y = p.transpose_y ? transpose : kNoTranspose;
    ok_ = ok_ && blas_.MatmulDescSetAttribute(operation_, kTransposeX, &of_x, sizeof(of_x)) == 0 &&
          blas_.MatmulDescSetAttribute(operation_, kTransposeY, &of_y, sizeof(of_y)) == 0;
    Describe(&x_, types.element, p.transpose_x ? p.k : p.m, p.transpose_x ? p.m : p.k, p.pages,
             p.x_page);
    Describe(&y_, types.element, p.transpose_y ? p.n : p.k, p.transpose_y ? p.k : p.n, p.pages,
             p.y_page);
    Describe(&z_, types.element, p.m, p.n, p.pages, p.m * p.n);
    ok_ = ok_ && (Load(made_from) || Choose(made_from));
  }
  ~Product() override {
    for (void* const layout : {x_, y_, z_}) {
      if (layout != nullptr) blas_.MatrixLayoutDestroy(layout);
    }
    if (operation_ != nullptr) blas_.MatmulDescDestroy(operation_);
  }
  bool ok() const { return ok_; }

  size_t workspace_bytes() const override { return algorithm_.workspace_bytes; }
  void Start(std::span<void* const> arrays, void* workspace) const override {
    const int status =
        blas_.Matmul(handle_, operation_, factors_.one(), arrays[0], x_, arrays[1], y_,
                     factors_.zero(), arrays[2], z_, arrays[2], z_, algorithm_.algorithm, workspace,
                     algorithm_.workspace_bytes, stream_);
    if (status == 0) return;
    throw Error("gpu:Driver", "A device was asked for a product of matrices.",
                absl::StrCat("cuBLASLt answers ", status, "."),
                "LAMINA_GPU_LIBRARIES=0 in the environment leaves the library out.");
  }

 private:
  void Describe(void** layout, int type, int64_t rows, int64_t columns, int64_t pages,
                int64_t stride) {
    const auto count = static_cast<int32_t>(pages);
    ok_ = ok_ &&
          blas_.MatrixLayoutCreate(layout, type, static_cast<uint64_t>(rows),
                                   static_cast<uint64_t>(columns), rows) == 0 &&
          blas_.MatrixLayoutSetAttribute(*layout, kPages, &count, sizeof(count)) == 0 &&
          blas_.MatrixLayoutSetAttribute(*layout, kPageStride, &stride, sizeof(stride)) == 0;
  }

  // The algorithm that is kept, if the library takes it.
  bool Load(const std::string& made_from) {
    const std::optional<std::string> bytes = DiskStore().Find(made_from);
    if (!bytes || bytes->size() != sizeof(algorithm_.algorithm)) return false;
    CublasAlgorithm kept = {};
    std::memcpy(kept.algorithm, bytes->data(), bytes->size());
    const int status =
        blas_.AlgoCheck(handle_, operation_, x_, y_, z_, z_, kept.algorithm, &algorithm_);
    if (status != 0 || algorithm_.workspace_bytes > kWorkspaceBytes) return false;
    std::memcpy(algorithm_.algorithm, kept.algorithm, sizeof(kept.algorithm));
    return true;
  }

  bool Choose(const std::string& made_from) {
    void* preference = nullptr;
    int found = 0;
    const bool chosen = blas_.PreferenceCreate(&preference) == 0 &&
                        blas_.PreferenceSetAttribute(preference, kMostWorkspace, &kWorkspaceBytes,
                                                     sizeof(kWorkspaceBytes)) == 0 &&
                        blas_.AlgoGetHeuristic(handle_, operation_, x_, y_, z_, z_, preference, 1,
                                               &algorithm_, &found) == 0 &&
                        found == 1 && algorithm_.status == 0;
    if (preference != nullptr) blas_.PreferenceDestroy(preference);
    if (!chosen) return false;
    DiskStore().Insert(made_from, std::string(reinterpret_cast<const char*>(algorithm_.algorithm),
                                              sizeof(algorithm_.algorithm)));
    return true;
  }

  const CudaBlas& blas_;
  void *const handle_, *const stream_;
  const Factors factors_;
  void *operation_ = nullptr, *x_ = nullptr, *y_ = nullptr, *z_ = nullptr;
  CublasAlgorithm algorithm_ = {};
  bool ok_ = false;
};

}  // namespace

CudaProducts::CudaProducts(const CudaBlas& blas, void* handle, void* stream,
                           const std::string& device)
    : blas_(blas),
      handle_(handle),
      stream_(stream),
      made_from_(absl::StrCat("algorithm\ncuBLASLt ", blas.GetVersion(), "\n", device, "\n")) {}

absl::StatusOr<std::unique_ptr<CudaProducts>> CudaProducts::Open(
    const absl::StatusOr<CudaBlas>& blas, void* stream, const std::string& device) {
  if (!blas.ok()) return blas.status();
  void* handle = nullptr;
  if (const int status = blas->Create(&handle); status != 0) {
    return absl::UnavailableError(absl::StrCat("cuBLASLt cannot begin: it answers ", status));
  }
  return std::unique_ptr<CudaProducts>(new CudaProducts(*blas, handle, stream, device));
}

std::shared_ptr<const LibraryCall> CudaProducts::Prepare(const ProductCall& product) const {
  if (!IsFloating(product.type) || product.pages > INT32_MAX) return nullptr;
  auto call = std::make_shared<const Product>(blas_, handle_, stream_, product,
                                              made_from_ + ToText(product));
  return call->ok() ? call : nullptr;
}

}  // namespace lamina::gpu
