// Does tools/data_parallel start ranks, end them together, and tell who failed?
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "framework/io/runfiles.h"
#include "framework/io/temporary_folder.h"

namespace lamina::parallel {
namespace {

struct Ended {
  int status = -1;
  std::vector<std::string> lines{};  // Of all ranks, sorted.
  double seconds = 0;
};

// Runs `script` by bash as so many ranks.
Ended Launch(const std::string& ranks, const std::string& script) {
  const TemporaryFolder folder("launch");
  const std::string launcher = RunfilePath("tools/data_parallel"), output = folder.path() + "/out";
  std::ofstream(folder.path() + "/script") << script;
  const auto start = std::chrono::steady_clock::now();
  const int status = std::system((launcher + " " + ranks + " bash " + folder.path() +
                                  "/script 'two words' >" + output + " 2>&1")
                                     .c_str());
  Ended ended{.status = WEXITSTATUS(status)};
  ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::ifstream file(output);
  for (std::string line; std::getline(file, line);) ended.lines.push_back(line);
  std::sort(ended.lines.begin(), ended.lines.end());
  return ended;
}

TEST(DataParallelTest, RanksAreToldOfEachOther) {
  const Ended ended = Launch("3",
                             "echo $LAMINA_RANK of $LAMINA_RANKS: $1\n"
                             "[ -d $(dirname $LAMINA_RENDEZVOUS) ]");
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.lines, (std::vector<std::string>{"0 of 3: two words", "1 of 3: two words",
                                                   "2 of 3: two words"}));
}

TEST(DataParallelTest, NothingStaysBehind) {
  const Ended ended = Launch("2", "[ $LAMINA_RANK = 0 ] && dirname $LAMINA_RENDEZVOUS; true");
  ASSERT_EQ(ended.lines.size(), 1u);
  EXPECT_FALSE(std::ifstream(ended.lines[0]).good()) << ended.lines[0];
}

TEST(DataParallelTest, OneThatFailsEndsAll) {
  const Ended ended = Launch("3", "[ $LAMINA_RANK = 1 ] && exit 7\nexec sleep 60");
  EXPECT_EQ(ended.status, 7);
  EXPECT_EQ(ended.lines,
            (std::vector<std::string>{"tools/data_parallel: rank 1 of 3 ended with status 7"}));
  EXPECT_LT(ended.seconds, 20);
}

TEST(DataParallelTest, ANumberAndAProgramAreNeeded) {
  for (const char* const ranks : {"0", "x", "-1"}) {
    const Ended ended = Launch(ranks, "echo started");
    EXPECT_EQ(ended.status, 2) << ranks;
    ASSERT_EQ(ended.lines.size(), 1u);
    EXPECT_EQ(ended.lines[0].substr(0, 6), "usage:") << ended.lines[0];
  }
}

}  // namespace
}  // namespace lamina::parallel
