// Which kernels there are, and how they read. That they compute what the ops compute is tested
// where they are run (framework/acceleration).
#include "framework/emit/kernels.h"

#include <gtest/gtest.h>

#include <set>

#include "framework/autodiff/dlgradient.h"
#include "framework/emit/kernel_sums.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

KernelProgram Write(const std::function<DlArrays(Arrays)>& function,
                    const std::vector<ArraySpec>& specs) {
  return WriteKernels(RecordGraph(function, specs));
}

ArraySpec Single(Sizes sizes) { return {DataType::kSingle, std::move(sizes), {}}; }

TEST(KernelsTest, AForwardAndABackwardPassAreOneLoop) {
  const KernelProgram program = Write(
      [](Arrays in) {
        return DlFeval(
            [](const DlArrays& x) {
              const DlArray y = Where(x[0] <= x[1], x[1] + x[2] * (x[0] - x[1]), x[0]);
              return DlVectorJacobian(y, y, x);
            },
            DlArrays(in.begin(), in.end()));
      },
      {Single({6, 5, 4, 3}), Single({1, 1, 4}), Single({1, 1, 4})});
  // The two parts of the derivative of x[1] are added afterwards.
  EXPECT_EQ(program.num_kernels, 2) << program.source;
  EXPECT_EQ(program.calls[0].count, 4);
  // Rows are added in single.
  const std::string loop =
      "#pragma omp simd reduction(+ : total_row, total_2_row, total_3_row)\n"
      "      for (int ij = 0; ij < 30; ++ij) {\n"
      "        const float x = p0[ij + k * 30 + l * 120];\n"
      "        const float x_2 = p1[k];\n"
      "        const int le = x <= x_2;\n"
      "        const float x_3 = p2[k];\n"
      "        const float minus = x - x_2;\n"
      "        const float where = le != 0 ? x_2 + x_3 * minus : x;\n"
      "        const float where_2 = le != 0 ? where : 0.0f;\n"
      "        total_row += where_2;\n"
      "        total_2_row += where_2 * minus;\n";
  EXPECT_NE(program.source.find(loop), std::string::npos) << program.source;
  EXPECT_NE(program.source.find("      total += (double)total_row;\n"), std::string::npos);
}

TEST(KernelsTest, TimeStepsAreOneFunction) {
  const KernelProgram program = Write(
      [](Arrays in) {
        DlArray h = in[1];
        for (const DlArray& x : Split(in[0], 1, Sizes(400, 1))) h = Tanh(MatMul(in[2], h) + x);
        return DlArrays{h};
      },
      {Single({8, 400}), Single({8, 1}), Single({8, 8})});
  EXPECT_EQ(program.calls.size(), 800u);
  EXPECT_LE(program.num_kernels, 3) << program.source;
  // The sum takes the place of the product.
  ASSERT_EQ(program.calls[797].arguments.size(), 2u);
  EXPECT_EQ(program.calls[797].arguments[1].offset, 398 * 8 * 4);
}

TEST(KernelsTest, ALongRecurrenceIsSomeFunctionsUsedAgain) {
  const KernelProgram program = Write(
      [](Arrays in) {
        DlArray h = in[1];
        for (const DlArray& x : Split(in[0], 1, Sizes(400, 1))) h = Tanh(h * 2 + x);
        return DlArrays{h};
      },
      {Single({8, 400}), Single({8, 1})});
  EXPECT_GT(program.calls.size(), 20u);
  EXPECT_LE(program.num_kernels, 5) << program.source;
}

TEST(KernelsTest, WhatHasNoPrintedFormIsCalled) {
  const KernelProgram program = Write(
      [](Arrays in) {
        const DlArray x = in[0] * 2;
        return DlArrays{Sum(x * Rand(x.sizes()), 0), Reshape(x, {12}), in[0]};
      },
      {Single({3, 4})});
  int ops = 0;
  for (const KernelCall& call : program.calls) ops += call.kernel < 0;
  EXPECT_EQ(ops, 1);
  EXPECT_EQ(program.num_kernels, 2) << program.source;
}

TEST(KernelsTest, SmallProductsAreWrittenOut) {
  const KernelProgram program = Write(
      [](Arrays in) {
        return DlArrays{MatMul(in[0], in[1]), MatMul(in[0], in[1], true, true),
                        MatMul(in[2], in[2])};
      },
      {Single({8, 8}), Single({8, 8}), Single({300, 300})});
  EXPECT_EQ(program.num_kernels, 2);
  EXPECT_EQ(program.calls.back().kernel, -1);
  for (const char* call :
       {"lamina_gemm_columns_f32(8, (int)(end - begin), 8, (const float *)a[0], 1, 8, "
        "(const float *)a[1] + begin * 8, 1, 8, 0, ",
        "lamina_gemm_columns_f32(8, (int)(end - begin), 8, (const float *)a[0], 8, 1, "
        "(const float *)a[1] + begin * 1, 8, 1, 0, "}) {
    EXPECT_NE(program.source.find(call), std::string::npos) << program.source;
  }
}

TEST(KernelsTest, WhatIsPutTogetherIsComputedInItsPlace) {
  const KernelProgram program = Write(
      [](Arrays in) {
        DlArray h = in[1];
        DlArrays all;
        for (const DlArray& x : Split(in[0], 1, Sizes(50, 3))) {
          all.push_back(h = Tanh(MatMul(in[2], h) + x));
        }
        return DlArrays{Cat(1, all), Sum(h)};
      },
      {Single({8, 150}), Single({8, 3}), Single({8, 8})});
  EXPECT_EQ(program.calls.size(), 100u) << program.source;
  // The next step reads it there.
  EXPECT_EQ(program.calls[98].arguments[1].offset, 48 * 8 * 3 * 4);
}

TEST(KernelsTest, WhatIsChangedOrReadBeforeIsCopied) {
  const KernelProgram program = Write(
      [](Arrays in) {
        const DlArray x = Tanh(in[0]);
        return DlArrays{Cat(1, {x, MatMul(x, in[1])}), Cat(1, {in[0], in[0]}),
                        Cat(1, {MatMul(x, in[1]), x})};
      },
      {Single({8, 8}), Single({8, 8})});
  // Each of x and the product lies in one array, and is copied into the other one. The input lies
  // nowhere else.
  EXPECT_EQ(program.calls.size(), 2u + 2u + 2u) << program.source;
}

// Bytes of scratch memory of y(w x, w), where x has 8 rows and 64 columns.
int64_t ScratchOf(const std::function<DlArray(const DlArray& z, const DlArray& w)>& y) {
  return Write([y](Arrays in) { return DlArrays{y(MatMul(in[1], in[0]), in[1])}; },
               {Single({8, 64}), Single({8, 8})})
      .scratch_bytes;
}

TEST(KernelsTest, WhatIsReadForTheLastTimeIsReplacedInItsPlace) {
  constexpr int64_t kArray = 8 * 64 * 4;
  // The product and its function are one array; the last one is the output.
  EXPECT_EQ(ScratchOf([](const DlArray& z, const DlArray& w) { return MatMul(w, Tanh(z)); }),
            kArray);
  EXPECT_EQ(ScratchOf([](const DlArray& z, const DlArray& w) {
              return MatMul(w, Tanh(MatMul(w, Tanh(z))));
            }),
            2 * kArray);  // A product needs two.
  // The product is computed in the place of the output.
  EXPECT_EQ(ScratchOf([](const DlArray& z, const DlArray&) { return Tanh(z); }), 0);
}

TEST(KernelsTest, WhatIsReadAgainOrElsewhereKeepsItsPlace) {
  constexpr int64_t kArray = 8 * 64 * 4;
  EXPECT_EQ(ScratchOf([](const DlArray& z, const DlArray& w) { return MatMul(w, Tanh(z)) + z; }),
            2 * kArray);
  const auto turned = [](const DlArray& z) {
    return Reshape(Permute(Reshape(z, {8, 8, 8}), {1, 0, 2}), {8, 64});
  };
  EXPECT_EQ(
      ScratchOf([&](const DlArray& z, const DlArray& w) { return MatMul(w, Tanh(turned(z))); }),
      2 * kArray);
  EXPECT_EQ(
      ScratchOf([&](const DlArray& z, const DlArray& w) { return MatMul(w, Tanh(z + turned(z))); }),
      2 * kArray);
  // One column for all: 8 elements, in 64 bytes.
  const KernelProgram column =
      Write([](Arrays in) { return DlArrays{MatMul(in[1], Tanh(in[0] + MatMul(in[1], in[2])))}; },
            {Single({8, 64}), Single({8, 8}), Single({8, 1})});
  EXPECT_EQ(column.scratch_bytes, kArray + 64);
}

TEST(KernelsTest, InputsAndOutputsAreNotReplaced) {
  const KernelProgram program = Write(
      [](Arrays in) {
        const DlArray y = MatMul(in[1], Tanh(in[0]));
        return DlArrays{y, MatMul(in[1], Tanh(y))};
      },
      {Single({8, 64}), Single({8, 8})});
  for (const KernelCall& call : program.calls) {
    for (const KernelAccess& a : call.accesses) {
      EXPECT_TRUE(!a.is_stored || program.arrays[a.array].role != ProgramArray::kInput);
    }
    EXPECT_EQ(std::set<int>({call.arguments.front().array, call.arguments.back().array}).size(),
              2u);
  }
  EXPECT_EQ(program.scratch_bytes, 8 * 64 * 4);
}

TEST(KernelsTest, AFactorThatIsReadTransposedAgainAndAgainIsPackedOnce) {
  const auto products = [](int count) {
    return Write(
        [count](Arrays in) {
          DlArray h = in[1];
          for (int t = 0; t < count; ++t) h = MatMul(in[0], h, true, false);
          return DlArrays{h};
        },
        {Single({40, 40}), Single({40, 3})});
  };
  EXPECT_EQ(products(2).source.find("\n  lamina_pack_all_f32(40, 40,"), std::string::npos);
  const KernelProgram program = products(9);
  EXPECT_EQ(program.calls.size(), 10u);
  EXPECT_NE(program.source.find("\n  lamina_pack_all_f32(40, 40,"), std::string::npos);
  EXPECT_NE(program.source.find("\n  lamina_gemm_packed_f32(40,"), std::string::npos);
  EXPECT_EQ(program.num_kernels, 2);
}

TEST(KernelsTest, ElementaryFunctionsAreComputedInWholeVectors) {
  // Half of the rows of each column: 20 of 40.
  const auto half = [](const std::function<DlArray(const DlArray&)>& f) {
    return Write(
               [f](Arrays in) {
                 return DlArrays{f(Split(in[0], 0, {20, 20})[0])};
               },
               {Single({40, 3})})
        .source;
  };
  const std::string tanh = half([](const DlArray& x) { return Tanh(x); });
  EXPECT_NE(tanh.find("int i_first = i_vector * 16 < 4 ? i_vector * 16 : 4;\n"
                      "#pragma omp simd\n"
                      "      for (int i = i_first; i < i_first + 16; ++i) {\n"),
            std::string::npos)
      << tanh;
  EXPECT_EQ(half([](const DlArray& x) { return x * x; }).find("i_first"), std::string::npos);
}

TEST(KernelsTest, ThreadsShareTheTermsOfSums) {
  // A row of sums: parts of 60 observations, then what comes of them.
  const KernelProgram rows =
      Write([](Arrays in) { return DlArrays{Sum(in[0], 1)}; }, {Single({40, 3000})});
  ASSERT_EQ(rows.calls.size(), 2u) << rows.source;
  EXPECT_EQ(rows.calls[0].count, 50);
  EXPECT_EQ(rows.calls[1].count, 40);
  EXPECT_NE(rows.source.find("    for (int j = 0; j < 60; ++j) {\n"
                             "#pragma omp simd\n"
                             "      for (int i = 0; i < 40; ++i) {\n"),
            std::string::npos)
      << rows.source;
  // One sum of all. Its rows of more than 1,024 terms are divided.
  const KernelProgram one =
      Write([](Arrays in) { return DlArrays{Sum(in[0] * in[0])}; }, {Single({40, 3000})});
  ASSERT_EQ(one.calls.size(), 2u) << one.source;
  EXPECT_EQ(one.calls[0].count, 12);
  EXPECT_NE(one.source.find("    for (int ij_part = 0; ij_part < 20; ++ij_part) {\n"),
            std::string::npos)
      << one.source;
  // Few terms stay with one thread.
  EXPECT_EQ(Write([](Arrays in) { return DlArrays{Sum(in[0] * in[0])}; }, {Single({40, 30})})
                .calls.size(),
            1u);
}

// A sum and what the same loop stores, at these places.
bool AreTermsShared(const std::function<loops::Expression(const loops::Expression&)>& place) {
  using loops::Expression;
  loops::LoopBuilder b;
  const Expression total = b.Var("total", Expression::Number(0, DataType::kDouble));
  b.For("i", 100000, [&](const Expression& i) {
    const Expression x = Expression::Load("x", DataType::kSingle, i);
    b.Assign(total, total + Convert(x, DataType::kDouble));
    b.Store("y", place(i), x);
  });
  b.Store("z", Expression(0), Convert(total, DataType::kSingle));
  return internal::ShareTerms(b.Take(), [](const ArraySpec&) { return "sums"; }).has_value();
}

TEST(KernelsTest, TermsAreNotSharedWhereTheirLoopStoresAtOnePlace) {
  EXPECT_TRUE(AreTermsShared([](const loops::Expression& i) { return i; }));
  EXPECT_FALSE(AreTermsShared([](const loops::Expression&) { return loops::Expression(7); }));
}

TEST(KernelsTest, ThreadsShareTheRowsOfSumsOfFewTerms) {
  const auto write = [](const std::function<DlArrays(Arrays)>& f) {
    return Write(f, {Single({40, 31})});
  };
  const KernelProgram program = write([](Arrays in) { return DlArrays{Sum(in[0], 1)}; });
  ASSERT_EQ(program.calls.size(), 1u);
  EXPECT_EQ(program.calls[0].count, 40);
  EXPECT_EQ(program.calls[0].grain, 32 * 1024 / 31);
  EXPECT_NE(program.source.find("  for (int j = 0; j < 31; ++j) {\n"
                                "#pragma omp simd\n"
                                "    for (int i = begin; i < end; ++i) {\n"),
            std::string::npos)
      << program.source;
  // An element is stored for each observation too, between those of other rows.
  const KernelProgram both = write([](Arrays in) {
    const DlArray x = Tanh(in[0]);
    return DlArrays{Sum(x, 1), x};
  });
  EXPECT_EQ(both.calls[0].count, 40);
  // Rows read what they do not store.
  const KernelProgram whole = write([](Arrays in) {
    const DlArrays halves = Split(in[0], 0, {20, 20});
    return DlArrays{Sum(halves[0] * halves[1], 1), Sum(in[0], 1)};
  });
  EXPECT_EQ(whole.calls[0].count, 20);
  EXPECT_EQ(whole.calls[1].count, 40);
}

TEST(KernelsTest, ManyArraysArePlannedWithoutOverlap) {
  const KernelProgram program = Write(
      [](Arrays in) {
        DlArray h = in[0];
        DlArrays all;
        for (int t = 0; t < 1500; ++t) {
          h = MatMul(in[1], h);
          if (t % 500 == 0) all.push_back(h);
        }
        all.push_back(h);
        return DlArrays{Sum(Cat(1, all), 1)};
      },
      {Single({20, 2}), Single({20, 20})});
  std::vector<const ProgramArray*> scratch;
  for (const ProgramArray& a : program.arrays) {
    if (a.role == ProgramArray::kScratch && a.first_step >= 0) scratch.push_back(&a);
  }
  ASSERT_GT(scratch.size(), 1000u);
  const auto bytes = [](const ProgramArray* a) {
    return a->spec.numel() * static_cast<int64_t>(SizeOf(a->spec.type));
  };
  for (const ProgramArray* a : scratch) {
    EXPECT_EQ(a->offset % 64, 0);
    EXPECT_LE(a->offset + bytes(a), program.scratch_bytes);
    for (const ProgramArray* b : scratch) {
      if (a == b || a->last_step < b->first_step || b->last_step < a->first_step) continue;
      EXPECT_TRUE(a->offset + bytes(a) <= b->offset || b->offset + bytes(b) <= a->offset);
    }
  }
  EXPECT_LE(program.scratch_bytes, 9 * 192);
}

}  // namespace
}  // namespace lamina
