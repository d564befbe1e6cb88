// For tests: does a function give the values and gradients that PyTorch gave?
//
// testdata/torch.json holds cases recorded by testdata/record_torch.py: inputs, the result y, a
// weight g for each of its elements, and the derivatives of L = sum(g * y). The function is run in
// double and in single; types, sizes, labels, values and derivatives are compared.
//
//   EXPECT_TRUE(MatchesRecorded("softmax", [](const DlArrays& in) { return Softmax(in[0]); }));
//
// Threads: any one.
#ifndef FRAMEWORK_OPS_TESTING_RECORDED_CASE_H_
#define FRAMEWORK_OPS_TESTING_RECORDED_CASE_H_

#include <functional>
#include <string>

#include "framework/dlarray/dlarray.h"
#include "gtest/gtest.h"

namespace lamina {

struct RecordedTolerance {
  /// Largest difference allowed, in parts of the largest recorded number (but at least of 1).
  double in_double = 1e-12;
  double in_single = 1e-5;
};

/// Success, or what differs most.
testing::AssertionResult MatchesRecorded(const std::string& name,
                                         const std::function<DlArray(const DlArrays&)>& f,
                                         const RecordedTolerance& tolerance = {});

/// Success when the arrays have the same sizes and labels, and no element differs by more than
/// `tolerance` (in parts of the largest expected element, but at least of 1).
testing::AssertionResult Near(const DlArray& actual, const DlArray& expected, double tolerance);

/// Success when `f` throws an Error with this identifier whose message has some text and a fix or
/// what came.
testing::AssertionResult Throws(const std::string& identifier, const std::function<void()>& f);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_TESTING_RECORDED_CASE_H_
