// Loops over time and what they carry from call to call, wrong.
#include <tuple>

#include "checks/faulty/fault.h"
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "layers/thermal_cell/thermal_cell_layer.h"

namespace lamina::faulty {
namespace {

// --- The peephole LSTM --------------------------------------------------------------------------

struct Lstm : PeepholeLstmLayer {
  Lstm() : PeepholeLstmLayer(2) {}
};
using Result = std::tuple<DlArray, DlArray, DlArray>;

/// One step of the right layer, from the given states.
Result Step(const PeepholeLstmLayer& layer, const DlArray& x, const DlArray& h, const DlArray& c) {
  PeepholeLstmLayer copy = layer;
  copy.hidden_state = h;
  copy.cell_state = c;
  return copy.Predict(x);
}
/// All steps, one after another; `between` may change (h, c) before each.
template <class F>
Result Loop(const PeepholeLstmLayer& layer, const DlArray& x, F&& between) {
  DlArray h = layer.hidden_state, c = layer.cell_state;
  DlArrays y;
  for (int64_t t = 0; t < Size(x, 'T'); ++t) {
    between(h, c);
    auto [out, next_h, next_c] = Step(layer, Slice(x, 'T', t, 1), h, c);
    y.push_back(out);
    h = next_h;
    c = next_c;
  }
  return {Cat('T', y), h, c};
}

struct LstmReturnsOldCell : Lstm {
  Result Predict(const DlArray& x) const {
    auto [y, h, c] = Lstm::Predict(x);
    return {y, h, cell_state};
  }
};
struct LstmReturnsOldStates : Lstm {
  Result Predict(const DlArray& x) const {
    return {std::get<0>(Lstm::Predict(x)), hidden_state, cell_state};
  }
};
struct LstmStartsHiddenFromZeros : Lstm {
  Result Predict(const DlArray& x) const { return Step(*this, x, 0 * hidden_state, cell_state); }
};
struct LstmStartsCellFromHidden : Lstm {
  Result Predict(const DlArray& x) const { return Step(*this, x, hidden_state, hidden_state); }
};
/// As truncated backpropagation does it, in each step.
struct LstmDetachesHidden : Lstm {
  Result Predict(const DlArray& x) const {
    return Loop(*this, x, [](DlArray& h, DlArray&) { h = ExtractData(h); });
  }
};
struct LstmDetachesCell : Lstm {
  Result Predict(const DlArray& x) const {
    return Loop(*this, x, [](DlArray&, DlArray& c) { c = ExtractData(c); });
  }
};
struct LstmDetachesOldStates : Lstm {
  Result Predict(const DlArray& x) const {
    return Step(*this, x, ExtractData(hidden_state), ExtractData(cell_state));
  }
};
/// Made for the single time step that it was tried with.
struct LstmStateOfOneStep : Lstm {
  Result Predict(const DlArray& x) const {
    auto [y, h, c] = Lstm::Predict(x);
    return {y, StripDims(y), c};
  }
};
/// The last step is left out: nothing is left of one.
struct LstmSkipsLastStep : Lstm {
  Result Predict(const DlArray& x) const {
    const auto [y, h, c] = Lstm::Predict(x);
    DlArrays steps = Split(y, 'T', Sizes(Size(x, 'T'), 1));
    steps.pop_back();
    return {Cat('T', steps), h, c};
  }
};
struct LstmFixedBatch : Lstm {
  LstmFixedBatch() { ResetState(); }
  void ResetState() {
    hidden_state = Zeros({num_hidden_units, 4});
    cell_state = Zeros({num_hidden_units, 4});
  }
};
struct LstmCentersBatch : Lstm {
  Result Predict(const DlArray& x) const { return Lstm::Predict(x - Mean(x, "B")); }
};
struct LstmKeepsStateInMember : Lstm {
  mutable DlArray last;
  Result Predict(const DlArray& x) const {
    const bool fits = last.type() == x.type() && last.size(1) == Size(x, 'B') && !last.empty();
    auto result = Step(*this, x, fits ? last : DlArray(hidden_state), cell_state);
    last = ExtractData(std::get<1>(result));
    return result;
  }
};
struct LstmSingleState : Lstm {
  Result Predict(const DlArray& x) const {
    auto [y, h, c] = Lstm::Predict(x);
    return {y, h, Single(c)};
  }
};
struct LstmStartsFromSingleZeros : Lstm {
  Result Predict(const DlArray& x) const {
    return Loop(*this, x, [](DlArray& h, DlArray&) { h = h + Zeros({1, 1}); });
  }
};
struct LstmDropsBias : Lstm {
  Result Predict(const DlArray& x) const {
    Lstm copy = *this;
    copy.bias = ZerosLike(bias);
    return copy.Predict(x);
  }
};
struct LstmInputWeightsTwice : Lstm {
  Result Predict(const DlArray& x) const {
    Lstm copy = *this;
    copy.recurrent_weights = Slice(input_weights, 1, 0, num_hidden_units);
    return copy.Predict(x);
  }
};
struct LstmForgetsPeepholes : Lstm {
  void Initialize(const NetworkDataLayout& layout) {
    Lstm::Initialize(layout);
    peephole_weights = GlorotUniform({3 * num_hidden_units, 1}, 1, 3 * num_hidden_units);
  }
};
/// One weight for each step of the longest sequence.
struct LstmWeightsByBatch : Lstm {
  void Initialize(const NetworkDataLayout& layout) {
    Lstm::Initialize(layout);
    bias = Reshape(UnitForgetGate(num_hidden_units), {4 * num_hidden_units, 1}) +
           Zeros({1, layout.Size('B')});
  }
};
struct LstmResetForgetsCell : Lstm {
  void ResetState() { hidden_state = Zeros({num_hidden_units, 1}); }
};
struct LstmResetForgetsHidden : Lstm {
  void ResetState() { cell_state = Zeros({num_hidden_units, 1}); }
};
struct LstmResetHalves : Lstm {
  void ResetState() {
    hidden_state = hidden_state / 2;
    cell_state = cell_state / 2;
  }
};
struct LstmResetChangesMode : Lstm {
  void ResetState() {
    Lstm::ResetState();
    output_mode = output_mode == "last" ? std::string("sequence") : std::string("last");
  }
};

// --- The thermal cell ---------------------------------------------------------------------------

struct Cell : ThermalCellLayer {
  Cell() : ThermalCellLayer({.time_step = 0.5, .body_capacity = 2, .body_temperature = 1}) {}
};
using CellResult = std::tuple<DlArray, DlArray>;

struct CellDetachesConductances : Cell {
  CellResult Predict(const DlArray& x) const {
    Cell copy = *this;
    copy.log_conductances = ExtractData(log_conductances);
    return copy.Predict(x);
  }
};
struct CellDetachesBeginning : Cell {
  CellResult Predict(const DlArray& x) const {
    Cell copy = *this;
    copy.initial_temperatures = ExtractData(initial_temperatures);
    return copy.Predict(x);
  }
};
struct CellDetachesState : Cell {
  CellResult Predict(const DlArray& x) const {
    Cell copy = *this;
    copy.warming = ExtractData(warming);
    return copy.Predict(x);
  }
};
/// The matrix of a step, computed in the first call and kept.
struct CellKeepsFirstCapacities : Cell {
  mutable DlArray kept;
  CellResult Predict(const DlArray& x) const {
    if (kept.empty() || kept.type() != x.type()) kept = ExtractData(log_capacities);
    Cell copy = *this;
    copy.log_capacities = kept;
    return copy.Predict(x);
  }
};
struct CellForgetsWarming : Cell {
  CellResult Predict(const DlArray& x) const {
    Cell copy = *this;
    copy.warming = ZerosLike(warming);
    return copy.Predict(x);
  }
};
struct CellReturnsOldWarming : Cell {
  CellResult Predict(const DlArray& x) const { return {std::get<0>(Cell::Predict(x)), warming}; }
};
struct CellResetDoesNothing : Cell {
  void ResetState() {}
};
/// The temperatures of the first observation for all.
struct CellSharesFirstState : Cell {
  CellResult Predict(const DlArray& x) const {
    auto [y, w] = Cell::Predict(x);
    return {y + 0.5 * Slice(y, 'B', 0, 1), w};
  }
};
struct CellRoundsTemperatures : Cell {
  CellResult Predict(const DlArray& x) const {
    auto [y, w] = Cell::Predict(x);
    return {Round(y * 10) / 10, Round(w * 10) / 10};
  }
};

}  // namespace

FaultGroup RecurrentFaults() {
  using L = PeepholeLstmLayer;
  using T = ThermalCellLayer;
  const Layouts in = Sequence(), heat = {NetworkDataLayout({2, 3, 4}, "CBT")};
  const char* const used = "statesAreUsed";
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const lost = "gradientsAreNotLost";
  const char* const type = "predictIsConsistentInType";
  const char* const all = "resetStateResetsAllStates";
  return {
      "Loops over time",
      {
          Of<L, LstmReturnsOldCell>("one of two old states is returned", in, used),
          Of<L, LstmReturnsOldStates>("both old states are returned", in, used),
          Of<L, LstmStartsHiddenFromZeros>("h starts from zeros in each call", in, used),
          Of<L, LstmStartsCellFromHidden>("h is read in place of c", in, used),
          Of<L, LstmDetachesHidden>("derivatives do not pass from step to step by h", in, numeric),
          Of<L, LstmDetachesCell>("derivatives do not pass from step to step by c", in, numeric),
          Of<L, LstmDetachesOldStates>("derivatives do not reach the old states", in, lost),
          Of<L, LstmStateOfOneStep>("all steps are returned as the state", in,
                                    "predictReturnsValidStates"),
          Of<L, LstmSkipsLastStep>("the last step is left out: one step is none",
                                   {NetworkDataLayout({3, 4, 1}, "CBT")}, "predictDoesNotError"),
          Of<L, LstmFixedBatch>("states for batches of four", in, "predictDoesNotError"),
          Of<L, LstmCentersBatch>("the mean over the batch taken off", in,
                                  "predictKeepsObservationsApart"),
          Of<L, LstmKeepsStateInMember>("a mutable member is the state", in, "predictIsRepeatable"),
          Of<L, LstmSingleState>("a new state always single", in, type),
          Of<L, LstmStartsFromSingleZeros>("zeros made without a type", in, type),
          Of<L, LstmDropsBias>("the bias is not added", in, "learnablesAreUsed"),
          Of<L, LstmInputWeightsTwice>("one matrix used in place of another", in,
                                       "learnablesAreUsed"),
          Of<L, LstmForgetsPeepholes>("trained peepholes are overwritten", in,
                                      "initializeKeepsSetParameters"),
          Of<L, LstmWeightsByBatch>("a bias for each observation", in,
                                    "initializeIgnoresObservations"),
          Of<L, LstmResetForgetsCell>("c is not reset", in, all),
          Of<L, LstmResetForgetsHidden>("h is not reset", in, all),
          Of<L, LstmResetHalves>("states are halved by ResetState", in, all),
          Of<L, LstmResetChangesMode>("a property changes in ResetState", in,
                                      "resetStateDoesNotError"),
          Of<T, CellDetachesConductances>("the conductances are constants to training", heat, lost),
          Of<T, CellDetachesBeginning>("the first temperatures are constants to training", heat,
                                       lost),
          Of<T, CellDetachesState>("derivatives do not reach the old state", heat, lost),
          Of<T, CellKeepsFirstCapacities>("the first capacities are kept", heat,
                                          "learnablesAreUsed"),
          Of<T, CellForgetsWarming>("each call starts from the beginning", heat, used),
          Of<T, CellReturnsOldWarming>("the old state is returned", heat, used),
          Of<T, CellResetDoesNothing>("nothing is reset", heat, all),
          Of<T, CellSharesFirstState>("the first observation's output is added to all", heat,
                                      "predictKeepsObservationsApart"),
          Of<T, CellRoundsTemperatures>("temperatures rounded as a thermometer shows them", heat,
                                        lost),
      }};
}

}  // namespace lamina::faulty
