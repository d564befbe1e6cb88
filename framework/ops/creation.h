// Arrays of one value: constants.
//
// Inside a trace or on a tape they are constants too: plain arrays with values, which no op made.
//
//   DlArray h0 = Zeros({20, 128}, DataType::kSingle, "CB");
//
// Errors of all: "dlarray:InvalidSize" for a negative size, those of formats.
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_CREATION_H_
#define FRAMEWORK_OPS_CREATION_H_

#include <complex>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// `value` everywhere. `sizes` are those of the dims as `format` labels them, in any order; the
/// result stands in the order S C B T U. The value is converted to `type` as Cast does it.
DlArray Full(const Sizes& sizes, std::complex<double> value, DataType type = DataType::kSingle,
             std::string_view format = "");
DlArray Zeros(const Sizes& sizes, DataType type = DataType::kSingle, std::string_view format = "");
DlArray Ones(const Sizes& sizes, DataType type = DataType::kSingle, std::string_view format = "");

/// With the sizes, labels and type of `x`, which needs no values.
DlArray FullLike(const DlArray& x, std::complex<double> value);
DlArray ZerosLike(const DlArray& x);
DlArray OnesLike(const DlArray& x);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_CREATION_H_
