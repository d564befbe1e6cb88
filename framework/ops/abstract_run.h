// Sizes, labels and types without values.
//
// While an AbstractRun lives, an op of this thread that gets an array without values is not run: it
// gives arrays without values, whose specs its shape rule tells. Any function of arrays so tells
// what it would return.
//
//   AbstractRun run;
//   LayerResult y = layer.Predict({AbstractArray({DataType::kSingle, {28, 28, 1, 8}, "SSCB"})});
#ifndef FRAMEWORK_OPS_ABSTRACT_RUN_H_
#define FRAMEWORK_OPS_ABSTRACT_RUN_H_

#include <utility>

#include "framework/ops/op.h"

namespace lamina {

/// An array of this spec without values.
inline DlArray AbstractArray(ArraySpec spec) {
  return DlArray(internal::ArrayData::MakeAbstract(std::move(spec)));
}

class AbstractRun : public Listener {
 public:
  AbstractRun() : listening_(this) {}
  bool Defer(const OpPtr&, Arrays inputs, const SpecList& specs, DlArrays* outputs) override {
    bool any = false;
    for (const DlArray& x : inputs) any = any || !(x.has_values() || x.on_device());
    if (!any) return false;
    for (const ArraySpec& spec : specs) outputs->push_back(AbstractArray(spec));
    return true;
  }

 private:
  ScopedListener listening_;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_ABSTRACT_RUN_H_
