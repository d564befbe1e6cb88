#include "framework/ops/all_reduce.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"

namespace lamina {

DlArrays AllReduceSum(Arrays x, const std::shared_ptr<parallel::Communicator>& ranks) {
  if (x.empty()) return {};
  return ApplyAll(std::make_shared<internal::AllReduceOp>(ranks), x);
}

namespace internal {

std::string AllReduceOp::Attributes() const {
  return absl::StrCat(ranks_->Name(), " in ", ranks_->rendezvous());
}

void AllReduceOp::Infer(const Specs& inputs, SpecList* outputs) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!IsFloating(inputs[i].type)) {
      throw Error("ops:UnsupportedType", "AllReduceSum expects arrays of a floating type.",
                  absl::StrCat("Array ", i + 1, " is a ", ToString(inputs[i]), "."),
                  "Cast it, and cast the sum back.");
    }
    outputs->push_back(inputs[i]);
  }
}

void AllReduceOp::Run(Arrays inputs, Results outputs) const {
  std::vector<parallel::Communicator::Part> parts;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const DlArray& x = inputs[i];
    parts.push_back({x.type(), x.data()->bytes(), outputs.bytes(i), x.numel()});
  }
  ranks_->AllReduceSum(parts);
}

DlArrays AllReduceOp::Gradient(const GradientCall& call) const {
  DlArrays gradients(call.output_gradients.begin(), call.output_gradients.end());
  for (size_t i = 0; i < gradients.size(); ++i) {
    // L does not depend on it here; it may in another rank.
    const ArraySpec& spec = call.outputs[i].spec();
    if (gradients[i].empty()) gradients[i] = BroadcastTo(Cast(0.0, spec.type), spec);
  }
  return AllReduceSum(gradients, ranks_);
}

}  // namespace internal
}  // namespace lamina
