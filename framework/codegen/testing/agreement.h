// What the framework computes beside what generated code computes.
//
//   ExpectAgreement(network, {NetworkDataLayout({12, 12, 2, 3}, "SSCB")}, /*calls=*/2,
//                   /*terms=*/150);
//
// For tests. Threads: pure functions, but for the random numbers that they draw.
#ifndef FRAMEWORK_CODEGEN_TESTING_AGREEMENT_H_
#define FRAMEWORK_CODEGEN_TESTING_AGREEMENT_H_

#include <string>
#include <vector>

#include "framework/codegen/driver.h"
#include "framework/codegen/generate_code.h"

namespace lamina::testing {

/// Numbers between -1 and 1.
DlArray Data(const NetworkDataLayout& layout, DataType type = DataType::kSingle);

/// The greatest |a - b| relative to the greatest |b| of the array.
double Difference(const DlArray& a, const DlArray& b);

/// Generates, compiles and runs `calls` calls; compares outputs and states of each with the
/// framework. `terms`: of the longest sum of products that a value goes through; each of the sums
/// differs by at most 2 n u of the sum of magnitudes.
void ExpectAgreement(DlNetwork network, const std::vector<NetworkDataLayout>& layouts, int calls,
                     int terms, const std::string& flags = kStrictC);

}  // namespace lamina::testing

#endif  // FRAMEWORK_CODEGEN_TESTING_AGREEMENT_H_
