#include "framework/ops/lstm.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

[[noreturn]] void ThrowSize(const std::string& expected, const DlArray& came,
                            std::string_view fix) {
  throw Error("dlarray:SizeMismatch", absl::StrCat("Lstm expects ", expected, "."),
              absl::StrCat("A ", ToString(came.spec()), " came."), fix);
}

// An unlabelled rows x columns matrix of `p`.
DlArray Matrix(std::string_view what, const DlArray& p, int64_t rows, int64_t columns) {
  bool fits = p.size(0) == rows && p.size(1) == columns;
  for (int d = 2; d < p.rank(); ++d) fits = fits && p.size(d) == 1;
  if (!fits) {
    ThrowSize(absl::StrCat(std::string(what), " of ", rows, " x ", columns, " elements"), p,
              "The rows are input gate, forget gate, cell candidate and output gate, one below the "
              "other.");
  }
  return Reshape(StripDims(p), {rows, columns});
}

// The state as an unlabelled H x B matrix.
DlArray State(std::string_view what, const DlArray& s, int64_t units, int64_t batch,
              DataType type) {
  const ArraySpec spec{type, {units, batch}, {}};
  if (s.numel() == 0 && units * batch != 0) return BroadcastTo(Cast(0.0, type), spec);
  const bool one_for_all = s.numel() == units && s.size(0) == units;
  bool fits =
      one_for_all || (s.size(0) == units && s.size(1) == batch && s.numel() == units * batch);
  for (int d = 0; d < s.format().rank(); ++d) {
    fits = fits && (s.format()[d] == 'C' || s.format()[d] == 'B' || s.size(d) == 1);
  }
  if (!fits) {
    ThrowSize(absl::StrCat("a ", std::string(what), " of ", units, " x ", batch, " or ", units,
                           " x 1 elements"),
              s, "A state has the hidden units in its first dim, observations in its second.");
  }
  const DlArray matrix = Cast(Reshape(StripDims(s), {units, one_for_all ? 1 : batch}), type);
  return one_for_all && batch != 1 ? BroadcastTo(matrix, spec) : matrix;
}

}  // namespace

LstmResult Lstm(const DlArray& x, const DlArray& hidden_state, const DlArray& cell_state,
                const DlArray& weights, const DlArray& recurrent_weights, const DlArray& bias,
                std::string_view format) {
  const internal::FormattedInput input("Lstm", x, format);
  const Format& labels = input.x().format();
  internal::RequireLabel("Lstm", input.x(), 'C');
  if (labels.Find('S') >= 0 || labels.Find('U') >= 0) {
    throw Error("dlarray:FormatMismatch", "Lstm expects an array labelled C, B and T.",
                absl::StrCat("A ", ToString(input.x().spec()), " came."),
                "Flatten or relabel the dims labelled S and U.");
  }
  const int64_t channels = Size(input.x(), 'C'), batch = Size(input.x(), 'B'),
                steps = Size(input.x(), 'T'), units = recurrent_weights.size(1);
  if (steps < 1) {
    throw Error("ops:EmptySequence", "Lstm expects at least one time step.",
                absl::StrCat("A ", ToString(input.x().spec()), " came."),
                "Leave out empty sequences.");
  }
  DataType type = Promote(x.type(), Promote(weights.type(), recurrent_weights.type()));
  for (const DlArray* p : {&bias, &hidden_state, &cell_state}) {
    if (!p->empty()) type = Promote(type, p->type());
  }
  if (!IsFloating(type)) type = DataType::kSingle;
  const DlArray w = Cast(Matrix("weights", weights, 4 * units, channels), type);
  const DlArray r = Cast(Matrix("recurrent weights", recurrent_weights, 4 * units, units), type);
  DlArray h = State("hidden state", hidden_state, units, batch, type);
  DlArray c = State("cell state", cell_state, units, batch, type);

  DlArray wx = MatMul(w, Reshape(Cast(StripDims(input.x()), type), {channels, batch * steps}));
  if (!bias.empty()) {
    if (bias.numel() != 4 * units) {
      ThrowSize(absl::StrCat("a bias of ", 4 * units, " elements, or none"), bias,
                "Four elements for each hidden unit.");
    }
    wx = wx + Cast(Reshape(bias, {4 * units, 1}), type);
  }
  const Sizes gate_sizes(4, units);
  const DlArrays inputs = Split(wx, 1, Sizes(steps, batch));
  DlArrays outputs(steps);
  for (int64_t t = 0; t < steps; ++t) {
    const DlArrays z = Split(inputs[t] + MatMul(r, h), 0, gate_sizes);
    c = Sigmoid(z[1]) * c + Sigmoid(z[0]) * Tanh(z[2]);
    h = Sigmoid(z[3]) * Tanh(c);
    outputs[t] = h;
  }

  const bool has_batch = labels.Find('B') >= 0;
  const std::string state_labels = has_batch ? "CB" : "C";
  const Sizes state_sizes = has_batch ? Sizes{units, batch} : Sizes{units};
  Sizes y_sizes = state_sizes;
  if (labels.Find('T') >= 0) y_sizes.push_back(steps);
  const DlArray y = steps == 1 ? h : Cat(1, outputs);
  return {input.Finish(Reshape(y, y_sizes, labels.str())),
          input.Finish(Reshape(h, state_sizes, state_labels)),
          input.Finish(Reshape(c, state_sizes, state_labels))};
}

}  // namespace lamina
