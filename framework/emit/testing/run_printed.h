// Graphs printed as C, compiled together, and run: what tests compare with the eager ops.
#ifndef FRAMEWORK_EMIT_TESTING_RUN_PRINTED_H_
#define FRAMEWORK_EMIT_TESTING_RUN_PRINTED_H_

#include <string>
#include <vector>

#include "framework/emit/program.h"
#include "framework/graph/graph.h"

namespace lamina::testing {

struct PrintedCase {
  Graph graph;
  DlArrays inputs;
};

/// The outputs of each case. A failure of printing, compiling or running is a failure of the test.
/// Every array of the C program stands between elements of other values, which must stay.
/// Memory of intermediate values holds NaN before. A program for a device is printed as C as well,
/// one loop after another.
std::vector<DlArrays> RunPrinted(const std::vector<PrintedCase>& cases,
                                 const std::string& more_flags = "",
                                 ProgramFor target = ProgramFor::kProducts);

/// The C function of a graph, "void NAME(...)", as RunPrinted compiles it.
std::string PrintedFunction(const Graph& graph, const std::string& name);

}  // namespace lamina::testing

#endif  // FRAMEWORK_EMIT_TESTING_RUN_PRINTED_H_
