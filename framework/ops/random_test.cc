#include "framework/ops/random.h"

#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "framework/cpu/random.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/op.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(RandomSourceTest, ReservesBlocks) {
  RandomSource source{.seed = 7};
  EXPECT_EQ(source.Reserve(3), 0u);
  EXPECT_EQ(source.Reserve(1), 3u);
  EXPECT_EQ(source.offset, 4u);
}

TEST(RandomTest, DrawsFromTheCurrentSource) {
  RandomSource source{.seed = 7, .subsequence = 3, .offset = 10};
  DlArray first, second, third;
  {
    const ScopedRandomSource scope(source);
    EXPECT_EQ(&CurrentRandomSource(), &source);
    first = Rand({5});
    EXPECT_EQ(source.offset, 12u);  // Four single values from a block.
    second = Rand({3}, DataType::kDouble);
    EXPECT_EQ(source.offset, 14u);  // Two double ones.
    third = Randn({2, 2});
    EXPECT_EQ(source.offset, 16u);
  }
  EXPECT_NE(&CurrentRandomSource(), &source);

  std::vector<float> uniform(5), normal(4);
  std::vector<double> uniform_double(3);
  cpu::FillUniform(DataType::kSingle, {7, 3, 40}, 5, uniform.data());
  cpu::FillUniform(DataType::kDouble, {7, 3, 24}, 3, uniform_double.data());
  cpu::FillNormal(DataType::kSingle, {7, 3, 28}, 4, normal.data());
  EXPECT_EQ(first.ToVector<float>(), uniform);
  EXPECT_EQ(second.ToVector<double>(), uniform_double);
  EXPECT_EQ(third.ToVector<float>(), normal);
}

TEST(RandomTest, ScopesNest) {
  RandomSource outer{.seed = 1}, inner{.seed = 2};
  const ScopedRandomSource outer_scope(outer);
  {
    const ScopedRandomSource inner_scope(inner);
    Rand({4});
  }
  EXPECT_EQ(&CurrentRandomSource(), &outer);
  EXPECT_EQ(outer.offset, 0u);
  EXPECT_EQ(inner.offset, 1u);
}

TEST(RandomTest, RngBeginsAnew) {
  Rng(42);
  const DlArray a = Randn({3, 4}), b = Randn({3, 4});
  Rng(42);
  EXPECT_TRUE(IsEqual(Randn({3, 4}), a));
  EXPECT_TRUE(IsEqual(Randn({3, 4}), b));
  EXPECT_FALSE(IsEqual(a, b));
  Rng(43);
  EXPECT_FALSE(IsEqual(Randn({3, 4}), a));
}

TEST(RandomTest, ThreadsHaveSequencesOfTheirOwn) {
  const RandomSource* const mine = &CurrentRandomSource();
  std::set<uint64_t> subsequences = {mine->subsequence};
  for (int t = 0; t < 3; ++t) {
    std::thread([&] {
      EXPECT_NE(&CurrentRandomSource(), mine);
      subsequences.insert(CurrentRandomSource().subsequence);
    }).join();
  }
  EXPECT_EQ(subsequences.size(), 4u);
}

// The first four moments of n values of a distribution lie within five standard errors of the
// truth.
void ExpectMoments(const DlArray& x, const double moments[8]) {
  const double n = static_cast<double>(x.numel());
  for (int k = 1; k <= 4; ++k) {
    double sum = 0;
    for (int64_t i = 0; i < x.numel(); ++i) sum += std::pow(x.At(i), k);
    const double variance = moments[2 * k - 1] - moments[k - 1] * moments[k - 1];
    EXPECT_NEAR(sum / n, moments[k - 1], 5 * std::sqrt(variance / n)) << "moment " << k;
  }
}

TEST(RandomTest, FollowsItsDistribution) {
  Rng(1);
  const double kUniform[] = {1. / 2, 1. / 3, 1. / 4, 1. / 5, 1. / 6, 1. / 7, 1. / 8, 1. / 9};
  const double kNormal[] = {0, 1, 0, 3, 0, 15, 0, 105};
  for (DataType type : {DataType::kSingle, DataType::kDouble}) {
    const DlArray u = Rand({100, 1000}, type);
    ExpectMoments(u, kUniform);
    for (int64_t i = 0; i < u.numel(); ++i) {
      ASSERT_GE(u.At(i), 0);
      ASSERT_LT(u.At(i), 1);
    }
    ExpectMoments(Randn({100, 1000}, type), kNormal);
  }
}

TEST(RandomTest, TakesLabels) {
  const DlArray x = Rand({5, 3, 2}, DataType::kDouble, "BCS");
  EXPECT_EQ(ToString(x.spec()), "2(S) x 3(C) x 5(B) double DlArray");
  const DlArray like(internal::ArrayData::MakeAbstract({DataType::kSingle, {3, 2}, Format("CB")}));
  EXPECT_EQ(RandLike(like).spec(), like.spec());
  EXPECT_EQ(RandnLike(like).spec(), like.spec());
  EXPECT_EQ(Rand({3, 0}).sizes(), (Sizes{3, 0}));
  EXPECT_EQ(Randn({}).rank(), 0);
}

TEST(RandomTest, TellsWhatItCannotDraw) {
  EXPECT_EQ(MessageOf([] { Rand({3}, DataType::kInt32); }),
            "rand draws single or double values. The type int32 was asked for. Draw single values "
            "and Cast them; join two real draws with Complex. [ops:UnsupportedType]");
  EXPECT_EQ(IdentifierOf([] { Randn({3}, DataType::kComplexSingle); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([] { Rand({-3}); }), "dlarray:InvalidSize");
  EXPECT_EQ(IdentifierOf([] { Rand({3, 2}, DataType::kSingle, "C"); }), "dlarray:FormatRank");
  EXPECT_EQ(IdentifierOf([] { Rand({3}, DataType::kSingle, "X"); }), "dlarray:InvalidLabel");
}

class LastOp : public Listener {
 public:
  void Applied(const OpPtr& applied, Arrays, std::span<DlArray>) override { op = applied; }
  OpPtr op;
};

TEST(RandomTest, TheOpDrawsAfreshWhenItRunsAgain) {
  LastOp last;
  RandomSource source{.seed = 5};
  const ScopedRandomSource scope(source);
  DlArray first, second;
  {
    const ScopedListener listen(&last);
    first = Randn({8});
  }
  ASSERT_TRUE(last.op != nullptr);
  EXPECT_TRUE(last.op->IsRandom());
  EXPECT_FALSE(last.op->IsDifferentiable());
  EXPECT_EQ(last.op->Attributes(), "sizes=8 type=single format=\"\"");
  second = Apply(last.op, Arrays());
  EXPECT_FALSE(IsEqual(first, second));
  source.offset = 0;
  EXPECT_TRUE(IsEqual(Apply(last.op, Arrays()), first));
}

}  // namespace
}  // namespace lamina
