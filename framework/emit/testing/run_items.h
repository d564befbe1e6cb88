// Runs the items of a nest as a device may: in any order. For tests of what rewrites loops.
#ifndef FRAMEWORK_EMIT_TESTING_RUN_ITEMS_H_
#define FRAMEWORK_EMIT_TESTING_RUN_ITEMS_H_

#include <map>
#include <random>
#include <string>
#include <vector>

#include "framework/emit/parallel_loops.h"

namespace lamina::testing {

/// The elements of arrays. All numbers are doubles.
using Memory = std::map<std::string, std::vector<double>>;

/// Runs the items in an order that is drawn. Loops inside of an item run in theirs. Knows +, -, *,
/// / and conversions; an index that is out of range, or another operation, is a failure of the
/// test.
void RunItems(const ParallelNest& nest, std::mt19937* random, Memory* memory);

}  // namespace lamina::testing

#endif  // FRAMEWORK_EMIT_TESTING_RUN_ITEMS_H_
