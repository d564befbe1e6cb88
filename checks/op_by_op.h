// A layer that is computed in another way against the layer op by op: accelerated, on a device.
//
//   const OpByOp op_by_op(c, subject);
//   const std::optional<Graph> graph = op_by_op.RecordedRightly(point);
//   if (graph) found = op_by_op.Find(*graph, other_way, "As compiled kernels");
//
// In single, as layers run. Predict, and Forward with its derivative, are one function, each with
// arguments of its own, so that they share nothing. The bound is that of result_bound.h.
//
// Threads: as the context.
#ifndef CHECKS_OP_BY_OP_H_
#define CHECKS_OP_BY_OP_H_

#include <optional>
#include <string>

#include "checks/layer_test.h"
#include "checks/whole_layer.h"

namespace lamina::checks {

/// Predict, and Forward with its derivative, as one function: the arguments of both and the results
/// of both in a row.
class PredictAndForward {
 public:
  /// The subject outlives it.
  explicit PredictAndForward(const Subject& subject);

  DlArrays Arguments(const DlArrays& inputs) const;
  DlArrays operator()(Arrays arguments) const;

  Function FunctionOf(size_t result) const {
    return result < num_predicted_ ? Function::kPredict : Function::kForward;
  }
  std::string ResultName(size_t result) const;

 private:
  WholeLayer predict_, forward_;
  size_t num_predicted_;
};

class OpByOp {
 public:
  /// Both outlive it.
  OpByOp(const CheckContext& c, const Subject& subject)
      : c_(c), subject_(subject), function_(subject) {}

  const PredictAndForward& function() const { return function_; }

  /// The recording, when it gives what the layer gives. Otherwise another test knows why, and the
  /// point says which.
  std::optional<Graph> RecordedRightly(TestPoint* point) const;
  /// What is wrong with `other`, which computes what `graph` does, if anything. A value at a jump
  /// may fall on either side, so a difference counts when it shows with other inputs too.
  std::optional<Diagnostic> Find(const Graph& graph, const ArrayFunction& other,
                                 const std::string& how) const;
  /// `graph` simplified, and what is wrong with it.
  std::optional<Diagnostic> Simplify(const Graph& graph, std::optional<Graph>* simplified) const;

 private:
  // A value that came otherwise than allowed.
  struct Deviation {
    size_t result;
    int64_t value;
    double expected, allowed, came;
    ArraySpec spec;
  };

  std::optional<Deviation> FindWith(const DlArrays& inputs, const Graph& graph,
                                    const DlArrays& came) const;
  Diagnostic Describe(const Deviation& d, const std::string& how) const;
  Diagnostic Threw(const std::string& how, const std::string& message) const;

  const CheckContext& c_;
  const Subject& subject_;
  PredictAndForward function_;
};

}  // namespace lamina::checks

#endif  // CHECKS_OP_BY_OP_H_
