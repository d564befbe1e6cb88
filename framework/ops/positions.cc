#include "framework/ops/positions.h"

#include "absl/strings/str_cat.h"

namespace lamina::internal {
namespace {

template <class T>
void CheckAll(const Positions& positions, const DlArray& values) {
  const T* const at = values.Data<T>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (!positions.Has(at[i])) throw PositionError(positions.of, positions.size, i, at[i]);
  }
}

const char* NameOf(PositionsOf of) {
  switch (of) {
    case PositionsOf::kGather:
      return "Gather";
    case PositionsOf::kScatterAdd:
      return "ScatterAdd";
    case PositionsOf::kGatherAlong:
      return "GatherAlong";
    case PositionsOf::kScatterAddAlong:
      return "ScatterAddAlong";
    case PositionsOf::kOneHot:
      return "OneHot";
  }
  return "";
}

}  // namespace

Error PositionError(PositionsOf of, int64_t size, int64_t number, int64_t position) {
  constexpr char kIdentifier[] = "dlarray:IndexOutOfRange";
  if (of == PositionsOf::kOneHot) {
    return Error(kIdentifier, absl::StrCat("Classes are counted from 0 to ", size - 1, "."),
                 absl::StrCat("Element ", number, " is ", position, "."),
                 "Count classes from 0, and check their number.");
  }
  return Error(kIdentifier, absl::StrCat(NameOf(of), " takes positions from 0 to ", size - 1, "."),
               absl::StrCat("Index number ", number, " is ", position, "."),
               "Positions count from 0.");
}

void CheckPositions(const Positions& positions, const DlArray& values) {
  if (values.type() == DataType::kInt32) {
    CheckAll<int32_t>(positions, values);
  } else {
    CheckAll<int64_t>(positions, values);
  }
}

}  // namespace lamina::internal
