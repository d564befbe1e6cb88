// Reads of values that a trace refused, also where the reader caught the Error and went on: what he
// did then holds for no values, so it must not be kept. Used by traces; not by layer authors.
//
// Threads: each knows of its own reads.
#ifndef FRAMEWORK_DLARRAY_REFUSED_READS_H_
#define FRAMEWORK_DLARRAY_REFUSED_READS_H_

#include <cstdint>
#include <optional>

#include "framework/dlarray/array_data.h"
#include "framework/dlarray/error.h"

namespace lamina::internal {

/// Notes, while it lives, the first read in this thread of an array of the trace `owner` that has
/// no values. One within another notes its own trace's only.
class RefusedReads {
 public:
  explicit RefusedReads(uint64_t owner);
  RefusedReads(const RefusedReads&) = delete;
  RefusedReads& operator=(const RefusedReads&) = delete;
  ~RefusedReads();

  /// What was noted in this thread, of any trace that is being recorded; null if nothing.
  static const Error* First();
  /// Throws it, if there is any.
  static void Rethrow();
  /// `error` tells of a read of an array with this mark. An array of no trace is passed over.
  static void Note(const Mark& trace_mark, const Error& error);

 private:
  const uint64_t owner_;
  RefusedReads* const outer_;
  std::optional<Error> first_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_DLARRAY_REFUSED_READS_H_
