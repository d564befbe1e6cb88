// For tests: every function of elementwise.h under the name of its op.
#ifndef FRAMEWORK_OPS_TESTING_ELEMENTWISE_TABLE_H_
#define FRAMEWORK_OPS_TESTING_ELEMENTWISE_TABLE_H_

#include <map>
#include <string>

#include "framework/dlarray/dlarray.h"

namespace lamina {

using UnaryFunction = DlArray (*)(const DlArray&);
using BinaryFunction = DlArray (*)(const DlArray&, const DlArray&);

/// By the name in framework/cpu/scalar_function.h. Where has three arguments and is not there.
const std::map<std::string, UnaryFunction>& UnaryFunctions();
const std::map<std::string, BinaryFunction>& BinaryFunctions();

}  // namespace lamina

#endif  // FRAMEWORK_OPS_TESTING_ELEMENTWISE_TABLE_H_
