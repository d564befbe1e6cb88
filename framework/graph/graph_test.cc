#include "framework/graph/graph.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/graph/draw_graph.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

DlArray SRelu(Arrays in) {
  const DlArray &x = in[0], &left_slope = in[1], &right_slope = in[2], &left = in[3],
                &right = in[4];
  return Where(x <= left, left + left_slope * (x - left),
               Where(x < right, x, right + right_slope * (x - right)));
}

// The output, and the derivatives of its weighted sum for x and the four parameters.
DlArrays SReluAndGradient(Arrays in) {
  return DlFeval(
      [](const DlArrays& watched, const DlArray& weights) {
        const DlArray y = SRelu(Arrays(watched).first(5));
        DlArrays out = DlGradient(Sum(y * weights), watched);
        out.insert(out.begin(), y);
        return out;
      },
      DlArrays(in.begin(), in.begin() + 5), DlArray(in[5]));
}

const ArraySpec kImages{DataType::kSingle, {6, 5, 4, 3}, "SSCB"};
const ArraySpec kChannels{DataType::kSingle, {1, 1, 4}, {}};

DlArrays Values() {
  Rng(7);
  DlArrays in{RandnLike(Rand(kImages.sizes, DataType::kSingle, "SSCB"))};
  for (int i = 0; i < 4; ++i) in.push_back(Rand({1, 1, 4}));
  in.push_back(Rand(kImages.sizes, DataType::kSingle, "SSCB"));
  return in;
}

TEST(GraphTest, RecordsSReluAndItsGradientWithoutValuesAndEvaluatesToTheSameNumbers) {
  const std::vector<ArraySpec> specs{kImages, kChannels, kChannels, kChannels, kChannels, kImages};
  const Graph graph = RecordGraph(SReluAndGradient, specs);
  EXPECT_EQ(graph.inputs().size(), 6u);
  EXPECT_EQ(graph.outputs().size(), 6u);
  for (const GraphValue& v : graph.values()) EXPECT_LE(v.constant.numel(), 1);

  const DlArrays in = Values();
  const DlArrays eager = SReluAndGradient(in), replayed = graph.Evaluate(in);
  ASSERT_EQ(eager.size(), replayed.size());
  for (size_t i = 0; i < eager.size(); ++i) EXPECT_TRUE(IsEqual(eager[i], replayed[i])) << i;
}

TEST(GraphTest, PrintsOneLineForEachStep) {
  const Graph graph = RecordGraph(
      [](Arrays x) { return DlArrays{Sum(2 * x[0] + x[1], "B")}; },
      std::vector<ArraySpec>{{DataType::kSingle, {3, 2}, "CB"}, {DataType::kSingle, {3}, "C"}});
  EXPECT_EQ(ToString(graph),
            "inputs\n"
            "  %0  3(C) x 2(B) single DlArray\n"
            "  %1  3(C) single DlArray\n"
            "steps\n"
            "  %3 = times(2, %0)                               3(C) x 2(B) single DlArray\n"
            "  %4 = plus(%3, %1)                               3(C) x 2(B) single DlArray\n"
            "  %5 = sum(%4) {dims=[1]}                         3(C) x 1(B) single DlArray\n"
            "return %5\n");
}

TEST(GraphTest, DrawsRandomNumbersAfreshInEachRun) {
  const Graph graph = RecordGraph([](Arrays x) { return DlArrays{x[0] + RandLike(x[0])}; },
                                  std::vector<ArraySpec>{{DataType::kSingle, {8}, "C"}});
  const DlArray zero = DlArray::FromVector<float>(std::vector<float>(8, 0), {8}, "C");
  const DlArrays in{zero};
  Rng(3);
  const DlArray first = graph.Evaluate(in)[0], second = graph.Evaluate(in)[0];
  EXPECT_FALSE(IsEqual(first, second));
  Rng(3);
  EXPECT_TRUE(IsEqual(first, RandLike(zero)));
}

TEST(GraphTest, ReadingAValueIsAnErrorThatSaysWhatToDo) {
  const int line = __LINE__ + 2;
  try {
    RecordGraph([](Arrays x) { return DlArrays{x[0].At(0) > 0 ? x[0] : -x[0]}; },
                std::vector<ArraySpec>{{DataType::kSingle, {8}, "C"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "dlarray:NoValues");
    EXPECT_EQ(
        e.what(),
        absl::StrCat("The values of an array were read in framework/graph/graph_test.cc:", line,
                     ". This 8(C) single DlArray has none: it stands for any values inside a "
                     "trace. Write the computation with array functions (Where instead of "
                     "if), or leave it untraced. [dlarray:NoValues]"));
  }
}

TEST(GraphTest, ReadingAValueIsAnErrorAlsoWhereTheFunctionCatchesIt) {
  const std::vector<ArraySpec> specs{{DataType::kSingle, {8}, "C"}};
  const auto sign = [](const DlArray& x) {
    try {
      return x.At(0) > 0 ? x : -x;
    } catch (...) {
      return 2 * x;
    }
  };
  const auto identifier_of = [&](const std::function<DlArrays(Arrays)>& function) {
    try {
      RecordGraph(function, specs);
    } catch (const Error& e) {
      return e.identifier();
    }
    return std::string();
  };
  EXPECT_EQ(identifier_of([&](Arrays x) { return DlArrays{sign(x[0])}; }), "dlarray:NoValues");
  // Inside a recording within: it is the outer one that refuses.
  EXPECT_EQ(identifier_of([&](Arrays x) {
              RecordGraph([&](Arrays) { return DlArrays{sign(x[0])}; }, {});
              return DlArrays{x[0]};
            }),
            "dlarray:NoValues");
  // Not an array of the trace: it has no values without a recording either.
  EXPECT_EQ(identifier_of([&](Arrays x) {
              try {
                AbstractArray(specs[0]).At(0);
              } catch (const Error&) {
              }
              return DlArrays{2 * x[0]};
            }),
            "");
  // What one recording refused does not concern the next.
  EXPECT_EQ(identifier_of([](Arrays x) { return DlArrays{2 * x[0]}; }), "");
}

TEST(GraphTest, RefusesInputsThatWereNotRecorded) {
  const Graph graph = RecordGraph([](Arrays x) { return DlArrays{-x[0]}; },
                                  std::vector<ArraySpec>{{DataType::kSingle, {8}, "C"}});
  const DlArrays none, other{DlArray::FromVector<float>({1, 2}, {2}, "C")};
  EXPECT_THROW(graph.Evaluate(none), Error);
  EXPECT_THROW(graph.Evaluate(other), Error);
}

TEST(DrawGraphTest, ShowsStepsAndWhatGoesBetweenThem) {
  const Graph graph = RecordGraph([](Arrays x) { return DlArrays{Sum(2 * x[0], "B")}; },
                                  std::vector<ArraySpec>{{DataType::kSingle, {3, 2}, "CB"}});
  const std::string text = ToDot(graph);
  for (const char* part :
       {"digraph {", "v0 [label=\"input 0\", style=rounded];", "s0 [label=\"times\\n2\"];",
        "v0 -> s0 [label=\"3(C) x 2(B)\"];", "s1 [label=\"sum\\ndims=[1]\"];",
        "s0 -> s1 [label=\"3(C) x 2(B)\"];", "s1 -> o0 [label=\"3(C) x 1(B)\"];"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
}

}  // namespace
}  // namespace lamina
