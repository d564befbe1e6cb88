// What a workload is: a function of arrays, and data to call it with.
//
//   Work work = workload.make(DataType::kSingle);
//   std::function<void()> step = StepOf(std::move(work));
//   step();
//
// Threads: a step is used by one thread at a time.
#ifndef TOOLS_BENCH_WORKLOAD_H_
#define TOOLS_BENCH_WORKLOAD_H_

#include <functional>
#include <span>
#include <string>

#include "framework/dlarray/dlarray.h"

namespace lamina::bench {

/// The same inputs give the same outputs, but for a training step: see `carried`.
using ArrayFunction = std::function<DlArrays(const DlArrays&)>;

struct Work {
  DlArrays inputs{};
  ArrayFunction function{};
  /// A step of training ends with parameters and states for the next one: its first `carried`
  /// outputs are the last inputs of the next step.
  size_t carried = 0;
  /// Set for training: the first input of each step, counted from 1, a solver's rates.
  std::function<DlArray(int64_t step)> rates{};
  int64_t step = 0;
  /// What is timed is no function that could be recorded: single ops, checks, generated code.
  bool is_eager = false;
};

struct Workload {
  std::string name;
  /// Makes the data in single or double, from the current random source.
  std::function<Work(DataType)> make;
  /// The one type of a workload that does not come in both. Single is what is timed.
  DataType compared_in = DataType::kDouble;
};

/// One call after another, each with what the one before handed on. Returns the last outputs.
DlArrays Run(Work& work, int steps);
/// One step of a workload, accelerated; the second one waits for the compiler.
std::function<void()> StepOf(Work work);

/// The work of computing y = f(inputs) and the products of `weights` with the derivatives of y, one
/// for each input. Inputs of the function: `inputs`, `weights`. Outputs: y, then the products, in
/// the order of the inputs.
Work WithGradients(std::function<DlArray(const DlArrays&)> f, DlArrays inputs, DlArray weights);

/// `model`, a layer or a network, with these learnables, in the order of ForEachLearnable.
template <class Model>
Model WithLearnables(Model model, std::span<const DlArray> values) {
  size_t i = 0;
  model.ForEachLearnable([&](DlArray& w) { w = values[i++]; });
  return model;
}

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_WORKLOAD_H_
