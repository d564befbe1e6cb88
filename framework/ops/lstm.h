// The long short-term memory cell, over a whole sequence.
//
// For each time step t, with the hidden state h and the cell state c of the step before:
//
//   [i; f; g; o] = W x_t + R h + b          (4H x 1 for each observation, H hidden units)
//   c = sigmoid(f) c + sigmoid(i) tanh(g)
//   h = sigmoid(o) tanh(c)
//
// The rows of W (4H x C), R (4H x H) and b (4H) stand in this order: input gate, forget gate, cell
// candidate, output gate (PyTorch's order too). Source: Hochreiter, Schmidhuber, 1997, with the
// forget gate of Gers, Schmidhuber, Cummins, 2000.
//
//   LstmResult r = Lstm(x, h0, c0, w, recurrent, b);   // x 3(C) x 16(B) x 50(T), 20 hidden units:
//   r.y;                                               // 20(C) x 16(B) x 50(T)
//   r.hidden_state;                                    // 20(C) x 16(B), of the last step
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_LSTM_H_
#define FRAMEWORK_OPS_LSTM_H_

#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

struct LstmResult {
  DlArray y;             ///< The hidden state of each step: labels of x, with H for the C dim.
  DlArray hidden_state;  ///< Of the last step, labelled "C" and, as x is, "B".
  DlArray cell_state;
};

/// x is labelled "CBT" or fewer of these with C (a missing T is one step, a missing B one
/// observation), or `format` names its dims; then the results are unlabelled. The states are H x B,
/// H x 1 (the same for all observations), labelled "CB" or not, or unset (zeros). b may be unset.
/// The products W x of all steps are one; the loop over the steps is made of ops, so gradients of
/// any order pass through time. Types promote; real and complex floating types are computed, others
/// as single. Numeric contract: that of MatMul and the elementwise functions.
/// Errors: "ops:FormatNeeded"; "dlarray:FormatMismatch" for x without C or with S or U dims;
/// "dlarray:SizeMismatch" when weights, bias or states do not fit; "ops:EmptySequence" without time
/// steps.
LstmResult Lstm(const DlArray& x, const DlArray& hidden_state, const DlArray& cell_state,
                const DlArray& weights, const DlArray& recurrent_weights, const DlArray& bias,
                std::string_view format = "");

}  // namespace lamina

#endif  // FRAMEWORK_OPS_LSTM_H_
