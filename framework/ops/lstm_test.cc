#include "framework/ops/lstm.h"

#include <utility>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

LstmResult RunLstm(const DlArrays& in) { return Lstm(in[0], in[1], in[2], in[3], in[4], in[5]); }

// x, hidden state, cell state, weights, recurrent weights, bias; two hidden units.
DlArrays Inputs(const Sizes& sizes, std::string_view format, int64_t channels, int64_t batch) {
  return {RandomInput(sizes, format),
          RandomInput({2, batch}, "CB", -1, 1, 2),
          RandomInput({2, batch}, "CB", -1, 1, 3),
          RandomInput({8, channels}, "", -1, 1, 4),
          RandomInput({8, 2}, "", -1, 1, 5),
          RandomInput({8}, "", -1, 1, 6)};
}

TEST(LstmTest, MatchesPyTorch) {
  EXPECT_TRUE(MatchesRecorded("lstm", [](const DlArrays& in) { return RunLstm(in).y; }));
  EXPECT_TRUE(MatchesRecorded("lstm_cell_state",
                              [](const DlArrays& in) { return RunLstm(in).cell_state; }));
}

TEST(LstmTest, FirstAndSecondDerivatives) {
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        const LstmResult r = RunLstm(in);
        return Sum(r.y, 'T') + r.hidden_state * r.cell_state;
      },
      Inputs({3, 2, 4}, "CBT", 3, 2)));
}

TEST(LstmTest, StatesCarryASequenceOn) {
  const DlArrays in = Inputs({3, 2, 5}, "CBT", 3, 2);
  const LstmResult whole = RunLstm(in);
  DlArrays first = in, second = in;
  first[0] = Slice(in[0], 'T', 0, 2);
  const LstmResult a = RunLstm(first);
  second[0] = Slice(in[0], 'T', 2, 3);
  second[1] = a.hidden_state;
  second[2] = a.cell_state;
  const LstmResult b = RunLstm(second);
  EXPECT_TRUE(Near(Cat('T', {a.y, b.y}), whole.y, 1e-14));
  EXPECT_TRUE(Near(b.cell_state, whole.cell_state, 1e-14));
  EXPECT_TRUE(
      Near(b.hidden_state, DlArray(Reshape(Slice(whole.y, 'T', 4, 1), {2, 2}), "CB"), 1e-14));
}

TEST(LstmTest, Formats) {
  const DlArrays in = Inputs({3, 2, 4}, "CBT", 3, 2);
  const LstmResult labelled = RunLstm(in);
  EXPECT_EQ(Dims(labelled.y), "CBT");
  EXPECT_EQ(labelled.y.sizes(), (Sizes{2, 2, 4}));
  EXPECT_EQ(Dims(labelled.hidden_state), "CB");

  // Unlabelled, in another order of dims: so are the results.
  const DlArray tbc = Permute(StripDims(in[0]), {2, 1, 0});
  const LstmResult plain = Lstm(tbc, in[1], in[2], in[3], in[4], in[5], "TBC");
  EXPECT_TRUE(IsEqual(plain.y, Permute(StripDims(labelled.y), {2, 1, 0})));
  EXPECT_TRUE(IsEqual(plain.cell_state, Permute(StripDims(labelled.cell_state), {1, 0})));

  // One step, one observation, neither.
  const DlArrays step = Inputs({3, 2}, "CB", 3, 2);
  EXPECT_TRUE(IsEqual(RunLstm(step).y, RunLstm(step).hidden_state));
  const DlArrays alone = Inputs({3, 4}, "CT", 3, 1);
  EXPECT_EQ(RunLstm(alone).y.spec(), (ArraySpec{DataType::kDouble, {2, 4}, "CT"}));
  EXPECT_EQ(RunLstm(alone).hidden_state.spec(), (ArraySpec{DataType::kDouble, {2}, "C"}));
  const DlArrays least = Inputs({3}, "C", 3, 1);
  EXPECT_EQ(RunLstm(least).y.spec(), (ArraySpec{DataType::kDouble, {2}, "C"}));
  const DlArrays no_batch = Inputs({3, 0, 4}, "CBT", 3, 0);
  EXPECT_EQ(RunLstm(no_batch).y.spec(), (ArraySpec{DataType::kDouble, {2, 0, 4}, "CBT"}));
}

TEST(LstmTest, UnsetStatesAndBiasAreZero) {
  const DlArrays in = Inputs({3, 2, 4}, "CBT", 3, 2);
  const DlArray zero = DlArray::FromVector<double>({0, 0}, {2}), no_bias = in[5] * 0;
  const LstmResult unset = Lstm(in[0], {}, {}, in[3], in[4], {});
  const LstmResult zeros = Lstm(in[0], zero, zero, in[3], in[4], no_bias);
  EXPECT_TRUE(Near(unset.y, zeros.y, 0));
  EXPECT_TRUE(Near(unset.cell_state, zeros.cell_state, 0));
}

TEST(LstmTest, Errors) {
  const DlArrays good = Inputs({3, 2, 4}, "CBT", 3, 2);
  const auto with = [&](size_t i, const DlArray& bad) {
    DlArrays in = good;
    in[i] = bad;
    return [in] { RunLstm(in); };
  };
  EXPECT_TRUE(Throws("ops:FormatNeeded", with(0, StripDims(good[0]))));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", with(0, RandomInput({3, 2, 4}, "SCB"))));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", with(0, RandomInput({2, 4}, "BT"))));
  EXPECT_TRUE(Throws("ops:EmptySequence", with(0, RandomInput({3, 2, 0}, "CBT"))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(1, RandomInput({2, 3}, "CB"))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(2, RandomInput({3, 2}))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(2, RandomInput({2, 2}, "CT"))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(3, RandomInput({8, 4}))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(3, RandomInput({7, 3}))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(4, RandomInput({8, 3}))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(5, RandomInput({7}))));
}

}  // namespace
}  // namespace lamina
