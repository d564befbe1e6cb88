// Places that indices reach, against all of them counted out.
#include "framework/emit/linear_form.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace lamina {
namespace {

// All sums of the terms.
std::multiset<int64_t> SumsOf(const Digits& digits) {
  std::multiset<int64_t> sums{0};
  for (const auto& [coefficient, extent] : digits) {
    std::multiset<int64_t> next;
    for (const int64_t sum : sums) {
      for (int64_t i = 0; i < extent; ++i) next.insert(sum + i * coefficient);
    }
    sums = std::move(next);
  }
  return sums;
}

TEST(DigitsTest, TellWhichSumsMeetAndHowFarTheyLieApart) {
  std::mt19937 random(1);
  int num_digits = 0;
  for (int n = 0; n < 400; ++n) {
    Digits digits;
    for (uint32_t k = random() % 4; k > 0; --k)
      digits.emplace_back(1 + random() % 12, 1 + random() % 4);
    const std::multiset<int64_t> sums = SumsOf(digits);
    const bool is_each_alone = std::set<int64_t>(sums.begin(), sums.end()).size() == sums.size();
    if (!AreDigits(&digits)) continue;
    ++num_digits;
    EXPECT_TRUE(is_each_alone);
    std::set<int64_t> distances;
    for (const int64_t a : sums) {
      for (const int64_t b : sums) distances.insert(b - a);
    }
    for (int64_t d = -60; d <= 60; ++d) {
      EXPECT_EQ(CanLieApart(digits, d), distances.count(d) > 0) << d;
    }
  }
  EXPECT_GT(num_digits, 100);
}

TEST(DigitsTest, SumsThatMeetAreNone) {
  for (Digits digits :
       {Digits{{1, 3}, {2, 2}}, Digits{{0, 2}}, Digits{{-1, 2}}, Digits{{4, 2}, {4, 2}}}) {
    EXPECT_FALSE(AreDigits(&digits));
  }
}

}  // namespace
}  // namespace lamina
