// Class numbers to vectors with a single 1.
//
//   OneHot(DlArray::FromVector<int32_t>({2, 0}, {2}, "B"), 3)   // 3(C) x 2(B): columns 0 0 1, 1 0
//   0
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_ONE_HOT_H_
#define FRAMEWORK_OPS_ONE_HOT_H_

#include <cstdint>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// `indices` (integers from 0) has no C dim or one of size 1; the result has `num_classes` there,
/// 1 at the index and 0 elsewhere, in `type` (single, double or logical). No derivative.
/// Errors: "ops:FormatNeeded" for unlabelled indices without `format`; "ops:UnsupportedType" for
/// indices of another type, or another `type`; "dlarray:SizeMismatch" for a C dim of another size;
/// "ops:InvalidClassCount" for fewer than one class; when run "dlarray:IndexOutOfRange", on a
/// device from what next waits for it (docs/gpu.md). There and in generated code all is 0 then.
DlArray OneHot(const DlArray& indices, int64_t num_classes, DataType type = DataType::kSingle,
               std::string_view format = "");

}  // namespace lamina

#endif  // FRAMEWORK_OPS_ONE_HOT_H_
