// Elementwise functions, shapes and casts as printed C against the eager ops, over sizes drawn by
// chance.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "framework/emit/testing/printed_cases.h"
#include "framework/emit/testing/run_printed.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::Case;
using testing::Compare;
using testing::Draw;
using testing::Function;

// The distance of neighbouring numbers at the values of y.
DlArray Ulp(const DlArray& y) {
  std::vector<double> ulps(y.numel());
  for (int64_t i = 0; i < y.numel(); ++i) {
    const double v = std::abs(y.At(i));
    ulps[i] = y.type() == DataType::kSingle
                  ? std::nextafterf(static_cast<float>(v), INFINITY) - static_cast<float>(v)
                  : std::nextafter(v, INFINITY) - v;
    if (!std::isfinite(ulps[i])) ulps[i] = 0;
  }
  return DlArray::FromVector<double>(ulps, {y.numel()});
}

// The greatest number of ulp between the eager function (framework/cpu/math.h) and the C library.
double UlpsOf(cpu::ScalarFunction f) {
  using F = cpu::ScalarFunction;
  switch (f) {
    case F::kExp:
    case F::kLog:
    case F::kErf:
      return 3;
    case F::kExpm1:
    case F::kLog1p:
    case F::kTanh:
      return 4;
    case F::kSigmoid:
      return 5;
    case F::kLog2:
    case F::kLog10:
    case F::kSin:
    case F::kCos:
    case F::kTan:
    case F::kAsin:
    case F::kAcos:
    case F::kAtan:
    case F::kSinh:
    case F::kCosh:
    case F::kAsinh:
    case F::kAcosh:
    case F::kAtanh:
    case F::kPower:
    case F::kAtan2:
      return 2.5;
    default:
      return 0;
  }
}

TEST(PrintedElementwiseTest, ScalarFunctionsOfSpecialAndOtherNumbers) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const std::vector<double> values = {0.0,  -0.0, 1,    -1,   0.5,   -0.5, 1.5, -1.5,  2.5,
                                      -2.5, 0.3,  -0.7, 3.25, -7.75, 20,   -20, 88.5,  -104,
                                      1e-3, 1e-9, -1e9, 1e30, inf,   -inf, nan, 0.999, 1.0001};
  std::vector<double> x, y;
  for (double a : values) {
    for (double b : values) x.push_back(a), y.push_back(b);
  }
  const Sizes sizes{static_cast<int64_t>(x.size())};
  const DlArray a = DlArray::FromVector<double>(x, sizes),
                b = DlArray::FromVector<double>(y, sizes);
  for (DataType type : {DataType::kSingle, DataType::kDouble}) {
    std::vector<Case> cases;
    for (int f = 0; f < cpu::kNumScalarFunctions; ++f) {
      const auto function = static_cast<cpu::ScalarFunction>(f);
      if (function == cpu::ScalarFunction::kComplex) continue;
      const OpPtr& op = ElementwiseOpOf(function);
      DlArrays inputs = {Cast(a, type), Cast(b, type), Cast(b * 2, type)};
      inputs.resize(cpu::Describe(function).arity);
      if (function == cpu::ScalarFunction::kWhere) inputs[0] = a > 0;
      Case c{std::string(op->Name()), [op](Arrays in) { return DlArrays{Apply(op, in)}; }, inputs,
             nullptr};
      if (const double ulps = UlpsOf(function); ulps > 0) {
        c.bound = [op, ulps](Arrays in) { return ulps * Ulp(Apply(op, in)); };
      }
      cases.push_back(std::move(c));
    }
    Compare(cases);
  }
}

TEST(PrintedElementwiseTest, ElementwiseFunctionsBroadcastAsTheEagerOnesDo) {
  Draw draw(1);
  std::vector<Case> cases;
  for (int i = 0; i < 12; ++i) {
    const int64_t h = draw.Size(1, 4), w = draw.Size(1, 4), c = draw.Size(1, 3),
                  n = draw.Size(1, 3);
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    cases.push_back({"srelu",
                     [](Arrays x) {
                       return DlArrays{
                           Where(x[0] <= x[1], x[1] + x[2] * (x[0] - x[1]),
                                 Where(x[0] < x[3], x[0], x[3] + x[2] * (x[0] - x[3])))};
                     },
                     {draw.Array({h, w, c, n}, type, "SSCB"), draw.Array({1, 1, c}, type),
                      draw.Array({1, 1, c}, type), draw.Array({1, 1, c}, type)},
                     nullptr});
    cases.push_back({"labels meet",
                     [](Arrays x) { return DlArrays{x[0] * x[1] + x[2]}; },
                     {draw.Array({h, c, n}, type, "SCB"), draw.Array({c, w}, type, "CT"),
                      draw.Array({n}, type, "B")},
                     nullptr});
    cases.push_back({"chain with a reused step",
                     [](Arrays x) {
                       const DlArray s = x[0] + x[1];
                       return DlArrays{s * s - Abs(s), Max(s, 0.25) * x[0]};
                     },
                     {draw.Array({h, w}, type), draw.Array({1, w}, type)},
                     nullptr});
  }
  Compare(cases);
}

TEST(PrintedElementwiseTest, ShapeOpsMoveTheSameElements) {
  Draw draw(2);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const int64_t h = draw.Size(1, 4), w = draw.Size(2, 4), c = draw.Size(1, 3),
                  n = draw.Size(1, 3);
    const DlArray x = draw.Array({h, w, c, n}, DataType::kSingle, "SSCB");
    const DlArray plain = draw.Array({h, w, c}, DataType::kDouble);
    const auto add = [&](const char* name, Function f, const DlArray& in) {
      cases.push_back({name, std::move(f), {in}, nullptr});
    };
    add(
        "permute",
        [](Arrays a) {
          return DlArrays{Permute(a[0], std::vector<int>{2, 0, 1})};
        },
        plain);
    add(
        "permute and add",
        [](Arrays a) {
          return DlArrays{Permute(a[0] + 1, std::vector<int>{1, 2, 0}) * 2};
        },
        plain);
    add(
        "reshape",
        [h, w, c](Arrays a) {
          return DlArrays{Reshape(a[0] * 2, {c, h * w}) + 1};
        },
        plain);
    add(
        "identity",
        [](Arrays a) {
          return DlArrays{a[0], a[0]};
        },
        plain);
    add(
        "relabel", [](Arrays a) { return DlArrays{DlArray(StripDims(a[0]), "BCSS") - 1}; }, x);
    add(
        "slice", [w](Arrays a) { return DlArrays{Slice(a[0], 1, w - 1, w, -1) * 3}; }, x);
    add(
        "flip", [](Arrays a) { return DlArrays{Flip(a[0], "SC")}; }, x);
    add(
        "split",
        [w](Arrays a) {
          const DlArrays parts = Split(a[0], 1, {1, w - 1});
          return DlArrays{parts[0] * 2, parts[1]};
        },
        x);
    add(
        "cat",
        [](Arrays a) {
          return DlArrays{Cat(2, DlArrays{a[0], a[0] * 2, -a[0]})};
        },
        x);
    add(
        "repmat",
        [](Arrays a) {
          return DlArrays{Repmat(a[0], std::vector<int64_t>{2, 1, 3})};
        },
        plain);
    add(
        "broadcast",
        [n](Arrays a) {
          return DlArrays{
              BroadcastTo(Sum(a[0], "S"),
                          ArraySpec{DataType::kSingle, {2, 2, a[0].size(2), n}, Format("SSCB")})};
        },
        x);
    add(
        "squeeze", [](Arrays a) { return DlArrays{Squeeze(a[0])}; }, x);
    add(
        "full", [h](Arrays a) { return DlArrays{a[0] + Full({h}, 0.75)}; }, plain);
  }
  Compare(cases);
}

TEST(PrintedElementwiseTest, CastsConvertAsTheEagerOnesDo) {
  const double inf = std::numeric_limits<double>::infinity();
  const DlArray x =
      DlArray::FromVector<double>({0.5, -0.5, 1.5, 2.5, -2.5, 1e12, -1e12, 1e30, -1e30, 255.4, 256,
                                   -3, inf, -inf, std::nan(""), 0, -0.0, 1e-30},
                                  {18});
  std::vector<Case> cases;
  for (DataType from : {DataType::kSingle, DataType::kDouble, DataType::kLogical, DataType::kUint8,
                        DataType::kInt32, DataType::kInt64}) {
    for (DataType to : {DataType::kSingle, DataType::kDouble, DataType::kLogical, DataType::kInt32,
                        DataType::kInt64, DataType::kUint8}) {
      cases.push_back({std::string(Name(from)) + " to " + std::string(Name(to)),
                       [to](Arrays a) { return DlArrays{Cast(a[0], to)}; },
                       {Cast(x, from)},
                       nullptr});
    }
  }
  Compare(cases);
}

TEST(PrintedElementwiseTest, IntegersWrapAroundAsTheEagerOnesDo) {
  const std::vector<int64_t> values = {0,         1,         5,         100,       200,
                                       255,       -1,        -3,        INT32_MAX, INT32_MIN,
                                       INT64_MAX, INT64_MIN, 1LL << 30, 1LL << 62, -(1LL << 62)};
  const DlArray all = DlArray::FromVector(values, {static_cast<int64_t>(values.size())});
  std::vector<Function> functions;
  const auto add = [&functions](DlArray (*f)(const DlArray&)) {
    functions.push_back([f](Arrays x) { return DlArrays{f(x[0])}; });
  };
  add([](const DlArray& x) { return -x; });
  add([](const DlArray& x) { return x + x; });
  add([](const DlArray& x) { return x * x - x; });
  add([](const DlArray& x) { return Abs(x); });
  add([](const DlArray& x) { return Sign(x); });
  // What is computed where it is read wraps around as well.
  add([](const DlArray& x) { return Cast(-x, DataType::kSingle); });
  add([](const DlArray& x) { return x + x < x; });
  add([](const DlArray& x) { return -(x + x) >= Cast(0.0, x.type()); });
  add([](const DlArray& x) { return Sum(x); });
  std::vector<testing::PrintedCase> cases;
  std::vector<DlArrays> expected;
  for (const DataType type : {DataType::kUint8, DataType::kInt32, DataType::kInt64}) {
    for (const Function& f : functions) {
      const DlArray x = Cast(all, type);
      cases.push_back({RecordGraph(f, std::vector{x.spec()}), {x}});
      expected.push_back(f(DlArrays{x}));
    }
  }
  const std::vector<DlArrays> came =
      testing::RunPrinted(cases, "-fsanitize=undefined -fno-sanitize-recover=all");
  ASSERT_EQ(came.size(), cases.size());
  for (size_t c = 0; c < cases.size(); ++c) {
    const DlArray &a = came[c][0], &b = expected[c][0];
    ASSERT_EQ(a.spec(), b.spec());
    EXPECT_EQ(Cast(a, DataType::kInt64).ToVector<int64_t>(),
              Cast(b, DataType::kInt64).ToVector<int64_t>())
        << "case " << c;
  }
}

}  // namespace
}  // namespace lamina
