#include "framework/acceleration/dl_accelerate.h"

#include "framework/acceleration/trace_cache.h"

namespace lamina::internal {

AcceleratedBase::AcceleratedBase(const AccelerateOptions& options)
    : cache_(std::make_shared<TraceCache>(options)) {}

DlArrays AcceleratedBase::Call(Arrays inputs, absl::FunctionRef<DlArrays(Arrays)> plain,
                               absl::FunctionRef<Function()> owned) const {
  return cache_->Call(inputs, plain, owned);
}

int AcceleratedBase::CacheSize() const { return Options().cache_size; }
double AcceleratedBase::HitRate() const { return cache_->HitRate(); }
double AcceleratedBase::Occupancy() const { return 100.0 * NumTraces() / CacheSize(); }
int AcceleratedBase::NumTraces() const { return cache_->NumTraces(); }
AccelerateCheck AcceleratedBase::CheckMode() const { return Options().check_mode; }
double AcceleratedBase::CheckTolerance() const { return Options().check_tolerance; }
bool AcceleratedBase::Enabled() const { return Options().enabled; }
AccelerateOptions AcceleratedBase::Options() const { return cache_->options(); }
void AcceleratedBase::SetOptions(const AccelerateOptions& options) { cache_->SetOptions(options); }
void AcceleratedBase::ClearCache() { cache_->Clear(); }
std::string AcceleratedBase::Report() const { return cache_->Report(); }

}  // namespace lamina::internal
