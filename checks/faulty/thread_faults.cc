// Right alone, and wrong when several calls of the same layer are under way.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

struct ScratchMember : TanhScaleLayer {
  mutable DlArray scratch;
  DlArray Predict(const DlArray& x) const {
    scratch = scale * x;
    const DlArray shift = 2 * offset;
    return Tanh(scratch) + shift / 2;
  }
};
/// The parameters as this call needs them are put where all calls read them.
struct EffectiveScaleInMember : TanhScaleLayer {
  mutable DlArray effective;
  DlArray Predict(const DlArray& x) const {
    effective = scale * (1 + MaxOver(Abs(x), DimSet({0, 1})));
    const DlArray z = 2 * x;
    return Tanh(effective * z) + offset;
  }
};

}  // namespace

FaultGroup ThreadFaults() {
  const char* const threads = "threadsDoNotDisturbEachOther";
  return {"Several calls at once",
          {
              Of<TanhScaleLayer, ScratchMember>("an intermediate value in a mutable member",
                                                Image(), threads),
              Of<TanhScaleLayer, EffectiveScaleInMember>(
                  "parameters of the call in a mutable member", Image(), threads),
          }};
}

}  // namespace lamina::faulty
