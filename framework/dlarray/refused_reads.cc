#include "framework/dlarray/refused_reads.h"

namespace lamina::internal {
namespace {

constinit thread_local RefusedReads* innermost = nullptr;

}  // namespace

RefusedReads::RefusedReads(uint64_t owner) : owner_(owner), outer_(innermost) { innermost = this; }

RefusedReads::~RefusedReads() { innermost = outer_; }

const Error* RefusedReads::First() {
  for (const RefusedReads* r = innermost; r != nullptr; r = r->outer_) {
    if (r->first_.has_value()) return &*r->first_;
  }
  return nullptr;
}

void RefusedReads::Rethrow() {
  if (const Error* const first = First()) throw Error(*first);
}

void RefusedReads::Note(const Mark& trace_mark, const Error& error) {
  for (RefusedReads* r = innermost; r != nullptr; r = r->outer_) {
    if (r->owner_ == trace_mark.owner && !r->first_.has_value()) r->first_ = error;
  }
}

}  // namespace lamina::internal
