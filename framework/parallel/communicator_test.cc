// Do ranks get what all of them gave, and hear of those that fail?
#include "framework/parallel/communicator.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <complex>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "framework/dlarray/error.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/io/temporary_folder.h"
#include "framework/parallel/testing/run_ranks.h"

namespace lamina::parallel {
namespace {

using testing::RankResult;
using testing::RunRanks;

template <class T>
std::string Bytes(const std::vector<T>& x) {
  return std::string(reinterpret_cast<const char*>(x.data()), x.size() * sizeof(T));
}

// Numbers whose sum depends on the order in which they are added.
template <class T>
T Number(int rank, int64_t i) {
  const double x = static_cast<double>((i * 7919 + rank * 104729) % 10007) / 97.0 - 40;
  return static_cast<T>(x * (rank == 1 ? 1e6 : 1));
}
template <class T>
std::vector<T> Numbers(int rank, int64_t n) {
  std::vector<T> x;
  for (int64_t i = 0; i < n; ++i) x.push_back(Number<T>(rank, i));
  return x;
}
template <class T>
std::vector<T> SumInOrder(int size, int64_t n) {
  std::vector<T> sum = Numbers<T>(0, n);
  for (int rank = 1; rank < size; ++rank) {
    for (int64_t i = 0; i < n; ++i) sum[static_cast<size_t>(i)] += Number<T>(rank, i);
  }
  return sum;
}

void ExpectAllGot(const std::vector<RankResult>& results, const std::string& expected) {
  for (size_t rank = 0; rank < results.size(); ++rank) {
    EXPECT_EQ(results[rank].error, "") << rank << ": " << results[rank].text;
    EXPECT_FALSE(results[rank].crashed) << rank;
    EXPECT_TRUE(results[rank].text == expected) << rank;
  }
}

class RanksTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, RanksTest, ::testing::Values(1, 2, 3));

// More than a rank shows at a time (1 MiB), in two parts, and less than there are ranks.
TEST_P(RanksTest, SumsAreAddedInTheOrderOfRanks) {
  for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{1000}, int64_t{700'001}}) {
    ExpectAllGot(RunRanks(GetParam(),
                          [n](Communicator& ranks) {
                            std::vector<float> x = Numbers<float>(ranks.rank(), n);
                            const int64_t half = n / 2;
                            ranks.AllReduceSum(
                                {{DataType::kSingle, x.data(), x.data(), half},
                                 {DataType::kSingle, x.data() + half, x.data() + half, n - half}});
                            return Bytes(x);
                          }),
                 Bytes(SumInOrder<float>(GetParam(), n)));
  }
}

TEST_P(RanksTest, SumsOfDoubleAndOfComplexNumbers) {
  ExpectAllGot(RunRanks(GetParam(),
                        [](Communicator& ranks) {
                          const std::vector<double> x = Numbers<double>(ranks.rank(), 200'000);
                          std::vector<double> sum(x.size());
                          ranks.AllReduceSum({{DataType::kDouble, x.data(), sum.data(), 200'000}});
                          return Bytes(sum);
                        }),
               Bytes(SumInOrder<double>(GetParam(), 200'000)));
  ExpectAllGot(RunRanks(GetParam(),
                        [](Communicator& ranks) {
                          std::vector<float> x = Numbers<float>(ranks.rank(), 10);
                          ranks.AllReduceSum({{DataType::kComplexSingle, x.data(), x.data(), 5}});
                          return Bytes(x);
                        }),
               Bytes(SumInOrder<float>(GetParam(), 10)));
}

TEST_P(RanksTest, BothTypesInOneCall) {
  ExpectAllGot(
      RunRanks(GetParam(),
               [](Communicator& ranks) {
                 std::vector<float> a = Numbers<float>(ranks.rank(), 9);
                 std::vector<double> b = Numbers<double>(ranks.rank(), 300'000);
                 ranks.AllReduceSum({{DataType::kSingle, a.data(), a.data(), 4},
                                     {DataType::kDouble, b.data(), b.data(), 300'000},
                                     {DataType::kSingle, &a[4], &a[4], 5}});
                 return Bytes(a) + Bytes(b);
               }),
      Bytes(SumInOrder<float>(GetParam(), 9)) + Bytes(SumInOrder<double>(GetParam(), 300'000)));
}

// One call after another: nothing of one is overwritten by the next while a slow rank reads it.
TEST_P(RanksTest, ManyCallsOneAfterAnother) {
  ExpectAllGot(RunRanks(GetParam(),
                        [](Communicator& ranks) -> std::string {
                          for (int i = 0; i < 2000; ++i) {
                            double x = ranks.rank() + i;
                            if (i % 100 == ranks.rank()) usleep(2000);
                            ranks.AllReduceSum({{DataType::kDouble, &x, &x, 1}});
                            const int n = ranks.size();
                            if (x != n * i + n * (n - 1) / 2) return "wrong sum";
                            const int root = i % n;
                            const std::string own = std::to_string(1000 * i + ranks.rank());
                            if (ranks.Broadcast(own, root) != std::to_string(1000 * i + root)) {
                              return "wrong broadcast";
                            }
                          }
                          return "right";
                        }),
               "right");
}

TEST_P(RanksTest, GathersWhatEachGives) {
  std::string expected;
  for (int rank = 0; rank < GetParam(); ++rank) {
    expected +=
        std::string(static_cast<size_t>(rank) * 1'500'000, static_cast<char>('a' + rank)) + "|";
  }
  ExpectAllGot(RunRanks(GetParam(),
                        [](Communicator& ranks) {
                          std::string text;
                          for (const std::string& s : ranks.AllGather(
                                   std::string(static_cast<size_t>(ranks.rank()) * 1'500'000,
                                               static_cast<char>('a' + ranks.rank())))) {
                            text += s + "|";
                          }
                          return text;
                        }),
               expected);
}

// What the ranks that are well say of the last one.
void ExpectHeardOf(const std::vector<RankResult>& results, const std::string& identifier,
                   const std::string& text) {
  for (size_t rank = 0; rank + 1 < results.size(); ++rank) {
    // Whoever notices first tells the others.
    EXPECT_TRUE(results[rank].error == identifier || results[rank].error == "parallel:RankFailed")
        << results[rank].error;
    EXPECT_NE(results[rank].text.find(text), std::string::npos) << results[rank].text;
    EXPECT_LT(results[rank].seconds, 5);
  }
}

std::string SumForEver(Communicator& ranks) {
  for (;;) {
    float x = 1;
    ranks.AllReduceSum({{DataType::kSingle, &x, &x, 1}});
  }
}

TEST(FailingRanksTest, OneThatDiesIsNoticed) {
  const auto results = RunRanks(3, [](Communicator& ranks) {
    float x = 1;
    ranks.AllReduceSum({{DataType::kSingle, &x, &x, 1}});
    if (ranks.rank() == 2) raise(SIGKILL);
    return SumForEver(ranks);
  });
  EXPECT_TRUE(results[2].crashed);
  ExpectHeardOf(results, "parallel:RankLost", "waited for rank 2. That process has ended.");
}

TEST(FailingRanksTest, OneThatGivesUpTellsWhy) {
  const auto results = RunRanks(3, [](Communicator& ranks) {
    if (ranks.rank() == 2) {
      ranks.Abort("the data are gone");
      usleep(2'000'000);
      return std::string();
    }
    return SumForEver(ranks);
  });
  ExpectHeardOf(results, "parallel:RankFailed", "Rank 2 failed: the data are gone");
}

TEST(FailingRanksTest, OneThatNeverComesIsAnErrorAfterATime) {
  ASSERT_EQ(setenv("LAMINA_RANK_TIMEOUT", "1.5", 1), 0);
  const TemporaryFolder folder("ranks");
  Communicator alone(
      {.rank = 0, .size = 2, .rendezvous = folder.path() + "/file", .timeout_seconds = 0.3});
  try {
    alone.AllGather("");
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "parallel:RankMissing");
    EXPECT_NE(std::string(e.what()).find("rank 1 for 0.3 s. No process has joined as that rank."),
              std::string::npos)
        << e.what();
  }
  EXPECT_THROW(alone.AllGather(""), Error);  // At once.
  // One that is there but does something else.
  const auto results = RunRanks(2, [](Communicator& ranks) {
    ranks.AllGather("");
    if (ranks.rank() == 0) return SumForEver(ranks);
    usleep(2'500'000);
    return std::string();
  });
  EXPECT_EQ(results[0].error, "parallel:RankMissing");
  EXPECT_NE(results[0].text.find("lives, but did not come"), std::string::npos) << results[0].text;
  ASSERT_EQ(unsetenv("LAMINA_RANK_TIMEOUT"), 0);
}

TEST(FailingRanksTest, RanksThatDoDifferentThings) {
  const auto results = RunRanks(2, [](Communicator& ranks) {
    float x[2] = {};
    ranks.AllReduceSum({{DataType::kSingle, x, x, 1 + ranks.rank()}});
    return std::string();
  });
  bool is_told = false;
  for (const RankResult& r : results) {
    EXPECT_NE(r.error, "");
    is_told = is_told || r.error == "parallel:Mismatch";
    EXPECT_NE(r.text.find("AllReduceSum of 2 single and"), std::string::npos) << r.text;
  }
  EXPECT_TRUE(is_told);
}

TEST(FailingRanksTest, AnotherRankCanBeWaitedForElsewhere) {
  const auto results = RunRanks(2, [](Communicator& ranks) {
    ranks.AllGather("");
    if (ranks.rank() == 1) raise(SIGKILL);
    for (int i = 0; i < 500; ++i) {
      ranks.CheckPeers();
      usleep(10'000);
    }
    return std::string("not noticed");
  });
  EXPECT_EQ(results[0].error, "parallel:RankLost") << results[0].text;
}

std::string IdentifierFor(const RankOptions& options) {
  return IdentifierOf([&] { Communicator ranks(options); });
}

TEST(RendezvousTest, AFileServesOnce) {
  const TemporaryFolder folder("ranks");
  const std::string file = folder.path() + "/file";
  {
    const Communicator first({.rank = 0, .size = 2, .rendezvous = file});
    EXPECT_EQ(first.Name(), "rank 0 of 2");
    EXPECT_EQ(IdentifierFor({.rank = 0, .size = 2, .rendezvous = file}), "parallel:Rendezvous");
    EXPECT_EQ(IdentifierFor({.rank = 1, .size = 3, .rendezvous = file}), "parallel:Rendezvous");
    EXPECT_EQ(IdentifierFor({.rank = 1, .size = 2, .rendezvous = file}), "no error");
  }
  EXPECT_EQ(IdentifierFor({.rank = 0, .size = 2, .rendezvous = file}), "parallel:Rendezvous");
  std::ofstream(folder.path() + "/text") << "something else";
  EXPECT_EQ(IdentifierFor({.rank = 0, .size = 2, .rendezvous = folder.path() + "/text"}),
            "parallel:Rendezvous");
  EXPECT_EQ(IdentifierFor({.rank = 0, .size = 2, .rendezvous = folder.path() + "/no/file"}),
            "parallel:Rendezvous");
  EXPECT_EQ(IdentifierFor({.rank = 2, .size = 2, .rendezvous = file}), "parallel:Environment");
  EXPECT_EQ(IdentifierFor({.rank = 0, .size = 65, .rendezvous = file}), "parallel:Environment");
}

TEST(RendezvousTest, TheEnvironmentTellsAllOrNothing) {
  const auto identifier = [](const char* rank, const char* size, const char* file) {
    for (const auto& [name, value] :
         {std::pair("LAMINA_RANK", rank), std::pair("LAMINA_RANKS", size),
          std::pair("LAMINA_RENDEZVOUS", file)}) {
      value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    }
    try {
      RankOptionsFromEnvironment();
      return std::string();
    } catch (const Error& e) {
      return e.identifier();
    }
  };
  EXPECT_EQ(identifier("1", "2", "/tmp/file"), "");
  EXPECT_EQ(RankOptionsFromEnvironment().rank, 1);
  EXPECT_EQ(RankOptionsFromEnvironment().size, 2);
  for (const auto& [rank, size, file] :
       {std::tuple("1", "2", (const char*)nullptr), std::tuple("2", "2", "/tmp/file"),
        std::tuple("-1", "2", "/tmp/file"), std::tuple("x", "2", "/tmp/file"),
        std::tuple("0", "0", "/tmp/file"), std::tuple("0", "2", "")}) {
    EXPECT_EQ(identifier(rank, size, file), "parallel:Environment") << rank << size;
  }
  EXPECT_EQ(identifier(nullptr, nullptr, nullptr), "");
  EXPECT_EQ(RankOptionsFromEnvironment().size, 1);
}

}  // namespace
}  // namespace lamina::parallel
