#include "framework/gpu/cuda_products.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_values.h"
#include "framework/gpu/disk_store.h"

namespace lamina::gpu {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // What the vendor advises for its newest.

struct Types {
  int element, compute;
};

Types TypesOf(DataType type, bool is_rounded) {
  const int single_compute = is_rounded ? cublas::kBfloat16Compute : cublas::kSingleCompute;
  switch (type) {
    case DataType::kSingle:
      return {cublas::kSingle, single_compute};
    case DataType::kDouble:
      return {cublas::kDouble, cublas::kDoubleCompute};
    case DataType::kComplexSingle:
      return {cublas::kComplexSingle, single_compute};
    default:
      return {cublas::kComplexDouble, cublas::kDoubleCompute};
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
                      p.transpose_y ? " ty" : "", ", pages ", p.pages, " ", p.x_page, " ", p.y_page,
                      p.adds_bias ? ", bias" : "", p.has_relu ? ", relu" : "", ", sums ",
                      static_cast<int>(p.sums));
}

// Memory of a device for a trial, in a stream of its own: what waits for other ranks is not waited
// for.
class Trial {
 public:
  explicit Trial(const CudaDriver& driver) : driver_(driver) {
    ok_ = driver_.StreamCreate(&stream_, cuda::kNonBlocking) == 0;
  }
  ~Trial() {
    for (const CudaAddress memory : memory_) driver_.MemFreeAsync(memory, stream_);
    if (stream_ != nullptr) driver_.StreamDestroy(stream_);
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  // Each byte is `value`. Null when there is no room.
  void* Take(size_t bytes, unsigned char value) {
    CudaAddress memory = 0;
    ok_ = ok_ && driver_.MemAllocAsync(&memory, bytes, stream_) == 0;
    if (!ok_) return nullptr;
    memory_.push_back(memory);
    ok_ = driver_.MemsetD8Async(memory, value, bytes, stream_) == 0;
    return reinterpret_cast<void*>(memory);
  }
  // Waits for what was asked of the stream.
  void Read(const void* from, void* to, size_t bytes) {
    ok_ = ok_ &&
          driver_.MemcpyDtoHAsync(to, reinterpret_cast<CudaAddress>(from), bytes, stream_) == 0 &&
          driver_.StreamSynchronize(stream_) == 0;
  }
  void* stream() const { return stream_; }
  bool ok() const { return ok_; }

 private:
  const CudaDriver& driver_;
  void* stream_ = nullptr;
  std::vector<CudaAddress> memory_;
  bool ok_ = false;
};

class Product : public LibraryCall {
 public:
  // `made_from`: all that its algorithm depends on.
  Product(const CudaBlas& blas, const CudaDriver& driver, void* handle, void* stream,
          const ProductCall& p, const std::string& made_from)
      : blas_(blas), handle_(handle), stream_(stream), call_(p), factors_(p.type) {
    const Types types = TypesOf(p.type, p.is_rounded);
    // Operations first: what fails leaves the rest null.
    ok_ = blas_.MatmulDescCreate(&operation_, types.compute, types.element) == 0;
    const int transpose = IsComplex(p.type) ? cublas::kConjugateTranspose : cublas::kTranspose;
    const int of_x = p.transpose_x ? transpose : cublas::kNoTranspose,
              of_y = p.transpose_y ? transpose : cublas::kNoTranspose;
    ok_ = ok_ && Tell(cublas::kTransposeX, of_x) && Tell(cublas::kTransposeY, of_y);
    if (p.has_epilogue()) {
      const int epilogue = (p.adds_bias ? cublas::kBias : 0) | (p.has_relu ? cublas::kRelu : 0) |
                           (p.sums == ProductCall::kOfX   ? cublas::kSumsOfX
                            : p.sums == ProductCall::kOfY ? cublas::kSumsOfY
                                                          : 0);
      // What stands for all addresses that will come: the algorithm depends on their alignment.
      void* const aligned = reinterpret_cast<void*>(256);
      ok_ = ok_ && Tell(cublas::kEpilogue, epilogue) &&
            (!HasVector() || Tell(cublas::kVector, aligned));
    }
    Describe(&x_, types.element, p.transpose_x ? p.k : p.m, p.transpose_x ? p.m : p.k, p.pages,
             p.x_page);
    Describe(&y_, types.element, p.transpose_y ? p.n : p.k, p.transpose_y ? p.k : p.n, p.pages,
             p.y_page);
    Describe(&z_, types.element, p.m, p.n, p.pages, p.m * p.n);
    if (ok_) ok_ = Find(driver, made_from);
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
    const int status = Multiply(arrays, workspace, stream_);
    if (status == 0) return;
    throw Error("gpu:Driver", "A device was asked for a product of matrices.",
                absl::StrCat("cuBLASLt answers ", status, "."),
                "LAMINA_GPU_LIBRARIES=0 in the environment leaves the library out.");
  }

 private:
  // A bias to be read or sums to be written.
  bool HasVector() const { return call_.adds_bias || call_.sums != ProductCall::kNone; }

  template <class T>
  bool Tell(int attribute, const T& value) const {
    return blas_.MatmulDescSetAttribute(operation_, attribute, &value, sizeof(value)) == 0;
  }

  void Describe(void** layout, int type, int64_t rows, int64_t columns, int64_t pages,
                int64_t stride) {
    const auto count = static_cast<int32_t>(pages);
    ok_ =
        ok_ &&
        blas_.MatrixLayoutCreate(layout, type, static_cast<uint64_t>(rows),
                                 static_cast<uint64_t>(columns), rows) == 0 &&
        blas_.MatrixLayoutSetAttribute(*layout, cublas::kPages, &count, sizeof(count)) == 0 &&
        blas_.MatrixLayoutSetAttribute(*layout, cublas::kPageStride, &stride, sizeof(stride)) == 0;
  }

  // What the library answers. One thread at a time calls it: the vector's address is told to the
  // description of the product.
  int Multiply(std::span<void* const> arrays, void* workspace, void* stream) const {
    void* const z = arrays[call_.adds_bias ? 3 : 2];
    if (HasVector() && !Tell(cublas::kVector, call_.adds_bias ? arrays[2] : arrays.back()))
      return -1;
    return blas_.Matmul(handle_, operation_, factors_.one(), arrays[0], x_, arrays[1], y_,
                        factors_.zero(), z, z_, z, z_, algorithm_.algorithm, workspace,
                        algorithm_.workspace_bytes, stream);
  }

  // The algorithm that is kept, or the one of the heuristics. An empty file: it is not to be taken.
  bool Find(const CudaDriver& driver, const std::string& made_from) {
    const DiskStore store;
    const std::optional<std::string> kept = store.Find(made_from);
    if (kept && kept->empty()) return false;
    if (kept && IsTaken(*kept)) return true;
    if (!Choose()) return false;
    const std::optional<bool> is_wanted = call_.has_epilogue() ? TryWithNan(driver) : true;
    if (is_wanted.has_value()) {
      store.Insert(made_from, *is_wanted
                                  ? std::string(reinterpret_cast<const char*>(algorithm_.algorithm),
                                                sizeof(algorithm_.algorithm))
                                  : "");
    }
    return is_wanted.value_or(false);
  }

  bool IsTaken(const std::string& bytes) {
    if (bytes.size() != sizeof(algorithm_.algorithm)) return false;
    CublasAlgorithm kept = {};
    std::memcpy(kept.algorithm, bytes.data(), bytes.size());
    const int status =
        blas_.AlgoCheck(handle_, operation_, x_, y_, z_, z_, kept.algorithm, &algorithm_);
    if (status != 0 || algorithm_.workspace_bytes > kWorkspaceBytes) return false;
    std::memcpy(algorithm_.algorithm, kept.algorithm, sizeof(kept.algorithm));
    return true;
  }

  bool Choose() {
    void* preference = nullptr;
    int found = 0;
    const bool chosen =
        blas_.PreferenceCreate(&preference) == 0 &&
        blas_.PreferenceSetAttribute(preference, cublas::kMostWorkspace, &kWorkspaceBytes,
                                     sizeof(kWorkspaceBytes)) == 0 &&
        blas_.AlgoGetHeuristic(handle_, operation_, x_, y_, z_, z_, preference, 1, &algorithm_,
                               &found) == 0 &&
        found == 1 && algorithm_.status == 0;
    if (preference != nullptr) blas_.PreferenceDestroy(preference);
    return chosen;
  }

  // Runs once with NaN: do the product and its sums end as NaN? Nothing when it did not run.
  std::optional<bool> TryWithNan(const CudaDriver& driver) const {
    const size_t element = SizeOf(call_.type);
    const auto bytes = [&](int64_t rows, int64_t columns) {
      return static_cast<size_t>(rows * columns) * element;
    };
    constexpr unsigned char kNan = 0xff;
    Trial trial(driver);
    std::vector<void*> arrays = {trial.Take(bytes(call_.m, call_.k), kNan),
                                 trial.Take(bytes(call_.k, call_.n), kNan)};
    if (call_.adds_bias) arrays.push_back(trial.Take(bytes(call_.m, 1), kNan));
    void* const z = trial.Take(bytes(call_.m, call_.n), 0);
    arrays.push_back(z);
    const size_t of_z = bytes(call_.m, call_.n),
                 of_sums = bytes(call_.sums == ProductCall::kOfX ? call_.m : call_.n, 1);
    if (call_.sums != ProductCall::kNone) arrays.push_back(trial.Take(of_sums, 0));
    void* const workspace = trial.Take(std::max<size_t>(workspace_bytes(), 1), 0);
    if (!trial.ok() || Multiply(arrays, workspace, trial.stream()) != 0) return std::nullopt;
    const auto is_nan = [&](void* array, size_t offset) {
      char number[sizeof(double)] = {};
      trial.Read(static_cast<char*>(array) + offset, number, element);
      if (call_.type == DataType::kDouble) {
        double value;
        std::memcpy(&value, number, sizeof(value));
        return std::isnan(value);
      }
      float value;
      std::memcpy(&value, number, sizeof(value));
      return std::isnan(value);
    };
    bool all = is_nan(z, 0) && is_nan(z, of_z - element);
    if (call_.sums != ProductCall::kNone) {
      void* const sums = arrays.back();
      all = all && is_nan(sums, 0) && is_nan(sums, of_sums - element);
    }
    return trial.ok() ? std::optional(all) : std::nullopt;
  }

  const CudaBlas& blas_;
  void *const handle_, *const stream_;
  const ProductCall call_;
  const Factors factors_;
  void *operation_ = nullptr, *x_ = nullptr, *y_ = nullptr, *z_ = nullptr;
  CublasAlgorithm algorithm_ = {};
  bool ok_ = false;
};

}  // namespace

CudaProducts::CudaProducts(const CudaBlas& blas, const CudaDriver& driver, void* handle,
                           void* stream, const std::string& device)
    : blas_(blas),
      driver_(driver),
      handle_(handle),
      stream_(stream),
      made_from_(
          absl::StrCat("algorithm, tried\ncuBLASLt ", blas.GetVersion(), "\n", device, "\n")) {}

absl::StatusOr<std::unique_ptr<CudaProducts>> CudaProducts::Open(
    const absl::StatusOr<CudaBlas>& blas, const CudaDriver& driver, void* stream,
    const std::string& device) {
  if (!blas.ok()) return blas.status();
  void* handle = nullptr;
  if (const int status = blas->Create(&handle); status != 0) {
    return absl::UnavailableError(absl::StrCat("cuBLASLt cannot begin: it answers ", status));
  }
  return std::unique_ptr<CudaProducts>(new CudaProducts(*blas, driver, handle, stream, device));
}

std::shared_ptr<const LibraryCall> CudaProducts::Prepare(const ProductCall& product) const {
  if (!IsFloating(product.type) || product.pages > INT32_MAX) return nullptr;
  auto call = std::make_shared<const Product>(blas_, driver_, handle_, stream_, product,
                                              made_from_ + ToText(product));
  return call->ok() ? call : nullptr;
}

}  // namespace lamina::gpu
