#include "framework/ops/random.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/random.h"
#include "framework/ops/device_elements.h"

namespace lamina {
namespace {

enum class Distribution { kUniform, kNormal };

thread_local RandomSource* current = nullptr;

RandomSource& OwnSource() {
  static std::atomic<uint64_t> next{0};
  thread_local RandomSource source{0, next.fetch_add(1, std::memory_order_relaxed), 0};
  return source;
}

class RandomOp : public Op {
 public:
  RandomOp(Distribution distribution, ArraySpec spec)
      : distribution_(distribution), spec_(std::move(spec)) {}
  std::string_view Name() const override {
    return distribution_ == Distribution::kUniform ? "rand" : "randn";
  }
  std::string Attributes() const override {
    return absl::StrCat("sizes=", ToString(spec_.sizes),
                        " type=", std::string(lamina::Name(spec_.type)), " format=\"",
                        spec_.format.str(), "\"");
  }
  void Infer(const Specs&, SpecList* out) const override {
    if (!IsRealFloating(spec_.type)) {
      throw Error(
          "ops:UnsupportedType",
          absl::StrCat(std::string(Name()), " draws single or double values."),
          absl::StrCat("The type ", std::string(lamina::Name(spec_.type)), " was asked for."),
          "Draw single values and Cast them; join two real draws with Complex.");
    }
    out->push_back(spec_);
  }
  void Run(Arrays, Results out) const override {
    RandomSource& source = CurrentRandomSource();
    const int64_t n = spec_.numel();
    const bool uniform = distribution_ == Distribution::kUniform;
    const uint64_t in_block = uniform && spec_.type == DataType::kSingle ? 4 : 2;
    const uint64_t first = source.Reserve((n + in_block - 1) / in_block);
    const cpu::RandomStream stream{source.seed, source.subsequence, first * in_block};
    (uniform ? cpu::FillUniform : cpu::FillNormal)(spec_.type, stream, n, out.bytes(0));
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  bool IsDifferentiable() const override { return false; }
  bool IsRandom() const override { return true; }

 private:
  Distribution distribution_;
  ArraySpec spec_;
};

DlArray Draw(Distribution distribution, ArraySpec spec) {
  return Apply(std::make_shared<RandomOp>(distribution, std::move(spec)), Arrays());
}

}  // namespace

RandomSource& CurrentRandomSource() { return current != nullptr ? *current : OwnSource(); }

void Rng(uint64_t seed) {
  RandomSource& source = CurrentRandomSource();
  source.seed = seed;
  source.offset = 0;
}

ScopedRandomSource::ScopedRandomSource(RandomSource& source)
    : outer_(std::exchange(current, &source)) {}
ScopedRandomSource::~ScopedRandomSource() { current = outer_; }

DlArray Rand(const Sizes& sizes, DataType type, std::string_view format) {
  return Draw(Distribution::kUniform, internal::SpecInOrder(type, sizes, format));
}
DlArray Randn(const Sizes& sizes, DataType type, std::string_view format) {
  return Draw(Distribution::kNormal, internal::SpecInOrder(type, sizes, format));
}
DlArray RandLike(const DlArray& x) { return OnDeviceOf(x, Draw(Distribution::kUniform, x.spec())); }
DlArray RandnLike(const DlArray& x) { return OnDeviceOf(x, Draw(Distribution::kNormal, x.spec())); }

}  // namespace lamina
