#include "framework/emit/testing/printed_cases.h"

#include <cmath>

#include "framework/emit/testing/run_printed.h"
#include "framework/graph/expand_composed.h"
#include "framework/ops/elementwise.h"
#include "gtest/gtest.h"

namespace lamina::testing {

DlArray Draw::Array(const Sizes& sizes, DataType type, std::string_view format) {
  std::vector<double> values(NumElements(sizes));
  for (double& v : values) v = static_cast<double>(Size(-32, 32)) / 16;
  return Cast(DlArray::FromVector<double>(values, sizes, format), type);
}

void Compare(const std::vector<Case>& cases) {
  std::vector<PrintedCase> printed;
  for (const Case& c : cases) {
    std::vector<ArraySpec> specs;
    for (const DlArray& x : c.inputs) specs.push_back(x.spec());
    printed.push_back({ExpandComposed(RecordGraph(c.function, specs)), c.inputs});
  }
  const std::vector<DlArrays> results = RunPrinted(printed);
  ASSERT_EQ(results.size(), cases.size());
  for (size_t c = 0; c < cases.size(); ++c) {
    const DlArrays eager = cases[c].function(cases[c].inputs);
    ASSERT_EQ(results[c].size(), eager.size());
    for (size_t k = 0; k < eager.size(); ++k) {
      const DlArray& y = results[c][k];
      ASSERT_EQ(y.spec(), eager[k].spec()) << cases[c].name;
      if (cases[c].bound == nullptr || k > 0) {
        EXPECT_TRUE(IsEqual(y, eager[k])) << cases[c].name << "\n"
                                          << PrintedFunction(printed[c].graph, "f")
                                          << "printed gives " << y << "\neager gives " << eager[k];
        continue;
      }
      const DlArray bound = cases[c].bound(cases[c].inputs);
      for (int64_t i = 0; i < y.numel(); ++i) {
        const double a = y.At(i), b = eager[k].At(i);
        const bool same = a == b || (std::isnan(a) && std::isnan(b));
        if (same) continue;
        const double allowed = bound.numel() == 1 ? bound.At(0) : bound.At(i);
        EXPECT_LE(std::abs(a - b), allowed)
            << cases[c].name << ", element " << i << ": printed " << a << ", eager " << b << "\n"
            << PrintedFunction(printed[c].graph, "f");
      }
    }
  }
}

}  // namespace lamina::testing
