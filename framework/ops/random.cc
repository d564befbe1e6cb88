#include "framework/ops/random.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/ops/device_elements.h"
#include "framework/ops/random_op.h"

namespace lamina {
namespace {

thread_local RandomSource* current = nullptr;

RandomSource& OwnSource() {
  static std::atomic<uint64_t> next{0};
  thread_local RandomSource source{0, next.fetch_add(1, std::memory_order_relaxed), 0};
  return source;
}

using Distribution = RandomOp::Distribution;

DlArray Draw(Distribution distribution, ArraySpec spec) {
  return Apply(std::make_shared<RandomOp>(distribution, std::move(spec)), Arrays());
}

}  // namespace

std::string RandomOp::Attributes() const {
  return absl::StrCat("sizes=", ToString(spec_.sizes),
                      " type=", std::string(lamina::Name(spec_.type)), " format=\"",
                      spec_.format.str(), "\"");
}

void RandomOp::Infer(const Specs&, SpecList* out) const {
  if (!IsRealFloating(spec_.type)) {
    throw Error("ops:UnsupportedType",
                absl::StrCat(std::string(Name()), " draws single or double values."),
                absl::StrCat("The type ", std::string(lamina::Name(spec_.type)), " was asked for."),
                "Draw single values and Cast them; join two real draws with Complex.");
  }
  out->push_back(spec_);
}

cpu::RandomStream RandomOp::Take() const {
  RandomSource& source = CurrentRandomSource();
  const auto n = static_cast<uint64_t>(spec_.numel());
  const bool is_uniform = distribution_ == Distribution::kUniform;
  const uint64_t in_block = is_uniform && spec_.type == DataType::kSingle ? 4 : 2;
  const uint64_t first = source.Reserve((n + in_block - 1) / in_block);
  return {source.seed, source.subsequence, first * in_block};
}

void RandomOp::Run(Arrays, Results out) const {
  const cpu::RandomStream stream = Take();
  const bool is_uniform = distribution_ == Distribution::kUniform;
  (is_uniform ? cpu::FillUniform : cpu::FillNormal)(spec_.type, stream, spec_.numel(),
                                                    out.bytes(0));
}

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
