// Products and convolutions as calls, with what stands around them, against the eager ops bit for
// bit: numbers are multiples of 1/2 within [-1, 1], and sums of their products are exact in any
// order.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/testing/run_printed.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/pooling.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// All cases as plain loops, and some with vectors, whose code takes the compiler longer.
constexpr char kLoops[] =
    "-DLAMINA_VECTORS=0 -fsanitize=address,undefined -fno-sanitize-recover=all";
constexpr char kVectors[] = "-march=native -fsanitize=address -fno-sanitize-recover=all";
constexpr size_t kCasesWithVectors = 12;

class Draw {
 public:
  explicit Draw(uint32_t seed) : random_(seed) {}
  int64_t Size(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  DlArray Array(const Sizes& sizes, DataType type, std::string_view format = "") {
    std::vector<double> values(NumElements(sizes));
    for (double& v : values) v = static_cast<double>(Size(-2, 2)) / 2;
    return Cast(DlArray::FromVector<double>(values, sizes, format), type);
  }

 private:
  std::mt19937 random_;
};

struct Case {
  std::function<DlArrays(Arrays)> function;
  DlArrays inputs;
};

void ExpectEqual(const std::vector<Case>& cases, const std::string& flags) {
  std::vector<testing::PrintedCase> printed;
  for (const Case& c : cases) {
    std::vector<ArraySpec> specs;
    for (const DlArray& x : c.inputs) specs.push_back(x.spec());
    printed.push_back({RecordGraph(c.function, specs), c.inputs});
  }
  const std::vector<DlArrays> came = testing::RunPrinted(printed, flags);
  ASSERT_EQ(came.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const DlArrays expected = cases[i].function(cases[i].inputs);
    for (size_t k = 0; k < expected.size(); ++k) {
      ASSERT_TRUE(IsEqual(came[i][k], expected[k]))
          << "case " << i << ", output " << k << "\n"
          << ToString(printed[i].graph) << testing::PrintedFunction(printed[i].graph, "f")
          << "printed gives " << came[i][k] << "\neager gives " << expected[k];
    }
  }
}

void ExpectEqual(std::vector<Case> cases) {
  ExpectEqual(cases, kLoops);
  cases.resize(kCasesWithVectors);
  ExpectEqual(cases, kVectors);
}

// What a network does with the result of a convolution, so that it may stay spread in memory or
// not: `y` and arrays like it are inputs 3 and 4, one number for each channel.
DlArrays Followed(int64_t kind, const DlArray& y, Arrays a) {
  const DlArray scaled = Relu(y * a[3] + a[3]);
  switch (kind) {
    case 0:
      return {y};
    case 1:  // Over columns.
      return {MaxPool(scaled, {.window = {2}, .stride = {2}})};
    case 2:  // Beside data that is contiguous.
      return {MaxPool(scaled + a[4], {.window = {2}, .stride = {1}})};
    case 3:  // Two readers, one of which wants a matrix.
      return {
          MatMul(Reshape(StripDims(scaled), {1, y.numel()}), Reshape(StripDims(y), {y.numel(), 1})),
          MaxPool(scaled, {.window = {2}})};
    case 4:  // Twice, and a sum of both.
      return {MaxPool(scaled + y, {.window = {2}}) + MaxPool(y, {.window = {2}})};
    default:  // Into another convolution, through what is computed where it is read.
      return {DlConv(scaled, a[5], DlArray(), {.padding = "same"})};
  }
}

TEST(ProductsTest, ConvolutionsAndWhatFollowsThem) {
  Draw draw(1);
  constexpr int kPerProgram = 30;
  for (int program = 0; program < 3; ++program) {
    std::vector<Case> cases;
    while (cases.size() < kPerProgram) {
      const int rank = static_cast<int>(draw.Size(1, 3));
      const DataType type = draw.Size(0, 3) == 0 ? DataType::kDouble : DataType::kSingle;
      const int64_t groups = draw.Size(1, 4) == 1 ? 2 : 1, channels = draw.Size(1, 3),
                    filters = draw.Size(1, rank == 1 ? 17 : 9);
      Sizes x, w, second;
      ConvOptions options{.stride = {}, .dilation = {}, .groups = groups};
      Sizes begin, end;
      for (int d = 0; d < rank; ++d) {
        x.push_back(draw.Size(rank == 3 ? 4 : 5, rank == 3 ? 6 : 20));
        w.push_back(draw.Size(1, 3));
        options.stride.push_back(draw.Size(0, 2) == 0 ? draw.Size(2, 4) : 1);
        options.dilation.push_back(draw.Size(0, 3) == 0 ? 2 : 1);
        begin.push_back(draw.Size(0, 2));
        end.push_back(draw.Size(0, 2));
        second.push_back(3);
      }
      const int64_t padding = draw.Size(0, 2);
      options.padding = padding == 0   ? Padding("same")
                        : padding == 1 ? Padding(static_cast<int>(draw.Size(0, 2)))
                                       : Padding::BeginEnd(begin, end);
      x.insert(x.end(), {channels * groups, draw.Size(1, 2)});
      w.insert(w.end(), {channels, filters * groups});
      second.insert(second.end(), {filters * groups, 2});
      const std::string format = std::string(rank, 'S') + "CB";
      DlArrays inputs{draw.Array(x, type, format), draw.Array(w, type),
                      draw.Array({filters * groups}, type)};
      const bool has_bias = draw.Size(0, 2) > 0;
      DlArray y;
      try {
        y = DlConv(inputs[0], inputs[1], inputs[2], options);
      } catch (const Error&) {
        continue;  // The filter does not fit.
      }
      bool is_small = false;
      for (int d = 0; d < rank; ++d) is_small = is_small || y.size(d) < 2;
      const int64_t kind = is_small ? 0 : draw.Size(0, 5);
      Sizes ones(rank, 1);
      ones.push_back(filters * groups);
      inputs.push_back(draw.Array(ones, type, format.substr(0, rank + 1)));
      inputs.push_back(draw.Array(y.sizes(), type, format));
      inputs.push_back(draw.Array(second, type));
      cases.push_back({[=](Arrays a) {
                         const DlArray result =
                             DlConv(a[0], a[1], has_bias ? a[2] : DlArray(), options);
                         return Followed(kind, result, a);
                       },
                       inputs});
    }
    ExpectEqual(cases);
  }
}

TEST(ProductsTest, ProductsOfAllForms) {
  Draw draw(2);
  std::vector<Case> cases;
  for (int i = 0; i < 60; ++i) {
    const DataType type = i % 4 == 0 ? DataType::kDouble : DataType::kSingle;
    const bool tx = draw.Size(0, 1) == 1, ty = draw.Size(0, 1) == 1;
    const int64_t m = draw.Size(0, 3) == 0 ? 1 : draw.Size(1, 40),
                  n = draw.Size(0, 3) == 0 ? 1 : draw.Size(1, 20), k = draw.Size(1, 50);
    Sizes x{tx ? k : m, tx ? m : k}, y{ty ? n : k, ty ? k : n};
    if (i % 5 == 0) {
      x.push_back(3);
      if (i % 2 == 0) y.push_back(3);
    }
    cases.push_back({[=](Arrays a) { return DlArrays{Relu(MatMul(a[0], a[1], tx, ty))}; },
                     {draw.Array(x, type), draw.Array(y, type)}});
  }
  ExpectEqual(cases);
}

// The loops between a convolution and a pooling have no rows: one runs over rows and gaps.
TEST(ProductsTest, ElementwiseLoopsRunOverWholeColumns) {
  const std::vector<ArraySpec> specs{{DataType::kSingle, {28, 28, 1, 1}, "SSCB"},
                                     {DataType::kSingle, {3, 3, 1, 8}, {}},
                                     {DataType::kSingle, {1, 1, 8}, "SSC"}};
  const auto function = [](Arrays a) {
    const DlArray y = DlConv(a[0], a[1], DlArray(), {.padding = "same"});
    return DlArrays{MaxPool(Relu(y * a[2]), {.window = {2}, .stride = {2}})};
  };
  const std::string text = testing::PrintedFunction(RecordGraph(function, specs), "f");
  // 28 rows that are 29 apart, in halves of vectors: 816 columns.
  EXPECT_NE(text.find("lamina_windows_f32(816, 8, 9, a, 0, b, c, 1, 9, 0, y, 816);"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  for (int c = 0; c < 8; ++c) {\n    for (int h = 0; h < 816; ++h) {\n"),
            std::string::npos)
      << text;
}

// Where a product reads what follows a convolution with short rows, these get a copy without gaps.
TEST(ProductsTest, ShortRowsAreComputedInColumnsAndCopied) {
  const auto printed = [](int64_t side) {
    const std::vector<ArraySpec> specs{{DataType::kSingle, {side, side, 1, 1}, "SSCB"},
                                       {DataType::kSingle, {3, 3, 1, 8}, {}},
                                       {DataType::kSingle, {1, 1, 8}, "SSC"},
                                       {DataType::kSingle, {2, side * side * 8}, {}}};
    const auto function = [&](Arrays a) {
      const DlArray y = Relu(DlConv(a[0], a[1], DlArray(), {.padding = "same"}) * a[2]);
      return DlArrays{MatMul(a[3], Reshape(StripDims(y), {side * side * 8, 1}))};
    };
    return testing::PrintedFunction(RecordGraph(function, specs), "f");
  };
  const std::string text = printed(7);
  // Seven rows that are eight apart, in halves of vectors.
  EXPECT_NE(text.find("    for (int h = 0; h < 56; ++h) {\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[h + wc * 7] = rows[h + wc * 8];\n"), std::string::npos) << text;
  EXPECT_EQ(printed(20).find("rows["), std::string::npos);
}

}  // namespace
}  // namespace lamina
