#include "framework/ops/bfloat16.h"

#include "absl/strings/str_cat.h"
#include "framework/cpu/cast.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

// Not a scalar function (framework/cpu/scalar_function.h) but, like a cast, one of a type alone;
// and its bits are not to be had by arithmetic, which a compiler may contract.
class RoundToBfloat16Op : public Op, public WrittenOp {
 public:
  std::string_view Name() const override { return "round_to_bfloat16"; }
  void Infer(const Specs& x, SpecList* outputs) const override {
    if (x[0].type != DataType::kSingle) {
      throw Error("ops:UnsupportedType", "RoundToBfloat16 rounds single arrays.",
                  absl::StrCat("A ", ToString(x[0]), " came."), "Use Single first.");
    }
    outputs->push_back(x[0]);
  }
  void Run(Arrays x, Results outputs) const override {
    cpu::RoundToBfloat16(x[0].numel(), x[0].Data<float>(), outputs.Data<float>(0));
  }
  void Write(OpWriter& w) const override {
    w.Define(0, [&w](const Indices& i) {
      return loops::Expression::Make(loops::Operation::kCall, DataType::kSingle, {w.Load(0, i)},
                                     "bfloat16");
    });
  }
  DlArrays Gradient(const GradientCall& call) const override { return {call.output_gradients[0]}; }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
};

}  // namespace

DlArray RoundToBfloat16(const DlArray& x) {
  static const RoundToBfloat16Op* const kOp = new RoundToBfloat16Op;
  return Apply(StaticOp(*kOp), Arrays(&x, 1));
}

bool IsRoundToBfloat16(const Op& op) {
  return dynamic_cast<const RoundToBfloat16Op*>(&op) != nullptr;
}

}  // namespace lamina
