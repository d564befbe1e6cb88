// A function as several ranks: each in a process of its own, forked from the test.
//
//   const auto results = RunRanks(3, [](Communicator& ranks) {
//     return ranks.Broadcast("x");
//   });
//   EXPECT_EQ(results[1].text, "x");
//
// What the ranks do must be the first thing in the test that runs in several threads, since these
// are not there after a fork: what is compared with is computed by RunRanks(1, ...) too.
#ifndef FRAMEWORK_PARALLEL_TESTING_RUN_RANKS_H_
#define FRAMEWORK_PARALLEL_TESTING_RUN_RANKS_H_

#include <functional>
#include <string>
#include <vector>

#include "framework/parallel/communicator.h"

namespace lamina::parallel::testing {

struct RankResult {
  std::string text{};   ///< What the function returned, or the message of what it threw.
  std::string error{};  ///< The identifier of an Error that it threw; "exception" for others.
  bool crashed = false;
  double seconds = 0;  ///< Until the process had ended.
};

/// Runs it in `size` processes, whose environment is that of ranks. After two minutes they are
/// ended.
std::vector<RankResult> RunRanks(int size,
                                 const std::function<std::string(Communicator&)>& function);

}  // namespace lamina::parallel::testing

#endif  // FRAMEWORK_PARALLEL_TESTING_RUN_RANKS_H_
