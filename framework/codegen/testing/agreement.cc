#include "framework/codegen/testing/agreement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "framework/emit/program.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"

namespace lamina::testing {

DlArray Data(const NetworkDataLayout& layout, DataType type) {
  return Rand(layout.sizes(), type, layout.format().str()) * 2 - 1;
}

double Difference(const DlArray& a, const DlArray& b) {
  EXPECT_EQ(a.numel(), b.numel());
  double difference = 0, scale = 1e-30;
  for (int64_t i = 0; i < b.numel(); ++i) {
    difference = std::max(difference, std::abs(a.ComplexAt(i) - b.ComplexAt(i)));
    scale = std::max(scale, std::abs(b.ComplexAt(i)));
  }
  return difference / scale;
}

void ExpectAgreement(DlNetwork network, const std::vector<NetworkDataLayout>& layouts, int calls,
                     int terms, const std::string& flags) {
  const CodegenOptions options{.name = "tried"};
  const GeneratedCode code = GenerateCode(network, layouts, options);
  std::vector<DlArrays> inputs(calls);
  for (DlArrays& call : inputs) {
    for (const NetworkDataLayout& layout : layouts) call.push_back(Data(layout));
  }
  const auto ran = RunGenerated(code, options, inputs, flags);
  ASSERT_TRUE(ran.ok()) << ran.status();
  const double tolerance = 2.0 * (terms + 16) * 0x1p-24;
  for (int i = 0; i < calls; ++i) {
    const NetworkOutput expected = network.PredictAll(inputs[i]);
    network.SetState(expected.state);
    ASSERT_EQ((*ran)[i].outputs.size(), expected.outputs.size());
    for (size_t k = 0; k < expected.outputs.size(); ++k) {
      EXPECT_LE(Difference((*ran)[i].outputs[k], expected.outputs[k]), tolerance)
          << "call " << i << ", output " << k << "\n"
          << code.files[1].text;
    }
    // Those that change, in their order.
    size_t next = 0;
    for (const ParameterRow& row : network.StateTable()) {
      if (next < code.states.size() &&
          code.states[next].name == Identifier(row.layer + "/" + row.parameter)) {
        EXPECT_LE(Difference((*ran)[i].states[next], row.value), tolerance) << row.parameter;
        ++next;
      }
    }
    EXPECT_EQ(next, code.states.size());
  }
}

}  // namespace lamina::testing
