// Functions drawn by chance, run by kernels, against the eager ops, bit for bit.
//
// LAMINA_RANDOM_GRAPHS=10000 tries as many functions; the default is 500.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/executable.h"
#include "framework/cpu/threads.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/random_function.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

// Quickly compiled: that more optimisation keeps the meaning of C is the compiler's matter. Threads
// share even the smallest work.
KernelProgram WriteQuickly(const Graph& graph) {
  KernelProgram program = WriteKernels(graph);
  for (KernelCall& call : program.calls) call.grain = 1;
  for (CallRange& range : program.ranges) range.grain = 1;
  program.source = absl::StrCat("#pragma GCC optimize(\"O1\")\n", program.source);
  return program;
}

TEST(RandomGraphsTest, KernelsComputeWhatTheEagerOpsCompute) {
  const char* const asked = std::getenv("LAMINA_RANDOM_GRAPHS");
  const int count = asked != nullptr ? std::atoi(asked) : 500;
  // Together in one graph: one run of the compiler, and more that could be mixed up.
  constexpr int kInOneGraph = 50;
  const TemporaryFolder folder("random_graphs");
  CompilerSettings settings = CompilerSettings::FromEnvironment();
  settings.cache_folder = folder.path();
  cpu::SetNumThreads(3);
  for (int first = 0; first < count; first += kInOneGraph) {
    const int last = std::min(count, first + kInOneGraph);
    DlArrays inputs;
    std::vector<ArraySpec> specs;
    for (int i = first; i < last; ++i) {
      for (const DlArray& x : testing::RandomInputs(static_cast<uint32_t>(i))) {
        inputs.push_back(x);
        specs.push_back(x.spec());
      }
    }
    std::vector<int> function_of_output;
    const auto all = [&](Arrays x) {
      function_of_output.clear();
      DlArrays outputs;
      for (int i = first; i < last; ++i) {
        testing::RandomFunction function(static_cast<uint32_t>(i), 4 + i % 20);
        for (const DlArray& y : function(x.subspan(2 * (i - first), 2))) {
          outputs.push_back(y);
          function_of_output.push_back(i);
        }
      }
      return outputs;
    };
    const Graph graph = Optimize(RecordGraph(all, specs));
    CheckGraph(graph);
    Executable executable(graph, WriteQuickly);
    executable.Compile(settings);
    ASSERT_TRUE(executable.Wait().ok()) << executable.Wait();
    const DlArrays expected = all(inputs), came = executable.Run(inputs);
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      ASSERT_TRUE(IsEqual(came[k], expected[k]))
          << "function " << function_of_output[k] << ", output " << k << "\nkernels give "
          << came[k] << "\neager ops give " << expected[k];
    }
  }
}

}  // namespace
}  // namespace lamina
