// The op of a draw of random numbers, shared by random.cc (what users call) and those who look into
// graphs.
#ifndef FRAMEWORK_OPS_RANDOM_OP_H_
#define FRAMEWORK_OPS_RANDOM_OP_H_

#include <string>
#include <utility>

#include "framework/cpu/random.h"
#include "framework/ops/op.h"

namespace lamina {

/// An array of this spec, from the thread's current source (random.h).
class RandomOp : public Op {
 public:
  enum class Distribution : uint8_t { kUniform, kNormal };

  RandomOp(Distribution distribution, ArraySpec spec)
      : distribution_(distribution), spec_(std::move(spec)) {}
  Distribution distribution() const { return distribution_; }
  const ArraySpec& spec() const { return spec_; }
  /// Takes the numbers of one draw from the current source: where they begin.
  cpu::RandomStream Take() const;

  std::string_view Name() const override {
    return distribution_ == Distribution::kUniform ? "rand" : "randn";
  }
  std::string Attributes() const override;
  void Infer(const Specs& inputs, SpecList* out) const override;
  void Run(Arrays inputs, Results out) const override;
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  bool IsDifferentiable() const override { return false; }
  bool IsRandom() const override { return true; }

 private:
  Distribution distribution_;
  ArraySpec spec_;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_RANDOM_OP_H_
