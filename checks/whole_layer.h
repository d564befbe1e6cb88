// A layer as a function of all its arrays, and recordings of it: what the tests of traces and of
// acceleration work with.
//
//   const WholeLayer whole(subject, Function::kForward);
//   const DlArrays plain = Plain(c, whole, whole.Arguments(), 0);
//   const Recorded recorded = Record(c, whole, whole.Arguments());
//
// Threads: pure functions.
#ifndef CHECKS_WHOLE_LAYER_H_
#define CHECKS_WHOLE_LAYER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checks/check_context.h"
#include "checks/check_report.h"
#include "framework/graph/graph.h"

namespace lamina::checks {

/// The layer as a function of its inputs, then its parameters. Unset ones stay out. The subject
/// outlives it.
class WholeLayer {
 public:
  WholeLayer(const Subject& subject, Function function) : subject_(subject), function_(function) {}

  DlArrays Arguments() const { return Arguments(subject_.inputs); }
  /// With other inputs.
  DlArrays Arguments(const DlArrays& inputs) const;

  /// Predict: outputs and new states. Forward: these, and the derivatives of a sum of them with
  /// respect to all arguments, as training takes them.
  DlArrays operator()(Arrays arguments) const;

  /// "Output 'out'", "Derivative of 'LeftSlope'": what number `index` of the results is.
  std::string ResultName(size_t index) const;

 private:
  DlArrays Call(Arrays arguments) const;

  const Subject& subject_;
  Function function_;
};

/// "Predict", "Forward and its derivative".
std::string NameOf(const CheckContext& c, Function function);

bool IsAcceleratable(const CheckContext& c);

/// The given layouts, made smaller, and other sizes of them that the layer takes, in this type.
/// Throws FunctionThrew.
std::vector<Subject> SubjectsOfSeveralSizes(const CheckContext& c, const Variant& v);

/// "4(S) x 3(S) x 2(C), 4(S) x 3(S)": the layouts of its inputs.
std::string LayoutsOf(const Subject& subject);

using ArrayFunction = std::function<DlArrays(Arrays)>;

/// `function` with the random numbers of this seed. Throws FunctionThrew.
DlArrays Plain(const CheckContext& c, const ArrayFunction& function, const DlArrays& arguments,
               uint64_t seed);

/// The graph as a function. It outlives the function.
inline ArrayFunction Evaluation(const Graph& graph) {
  return [&graph](Arrays arguments) { return graph.Evaluate(arguments); };
}

struct Recorded {
  std::optional<Graph> graph;
  std::string why;      ///< The error, when there is no graph.
  std::string last_op;  ///< What was computed before it.
};
/// Never throws.
Recorded Record(const CheckContext& c, const ArrayFunction& function, const DlArrays& arguments);

/// The point of a test that needs what another test finds missing: incomplete, with `why`, which
/// names that test; skipped, with `in_words`, where it is switched off.
void SeeOtherTest(const CheckContext& c, const char* test, const std::string& why,
                  const std::string& in_words, TestPoint* point);
/// The same for a layer that cannot be recorded.
void CannotRecord(const CheckContext& c, TestPoint* point);

}  // namespace lamina::checks

#endif  // CHECKS_WHOLE_LAYER_H_
