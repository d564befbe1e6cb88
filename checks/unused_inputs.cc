#include "checks/unused_inputs.h"

#include "absl/strings/str_cat.h"
#include "checks/array_components.h"
#include "checks/line_derivative.h"

namespace lamina::checks {
namespace {

bool Matters(const CheckContext& c, const Subject& subject, DataType type, size_t i) {
  constexpr uint64_t kStream = 900;
  DlArrays inputs = subject.inputs;
  inputs[i] = c.MakeInputs(subject.layouts, type, kStream)[i];
  for (const Function function : {Function::kPredict, c.training_function()}) {
    if (!Same(c.Call(subject, function), c.Call(subject.layer, inputs, function))) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> NotesOfUnusedInputs(const CheckContext& c) {
  constexpr DataType kType = DataType::kSingle;
  std::vector<std::string> notes;
  try {
    const Subject subject =
        c.MakeSubject(c.Reduced(c.Layouts(Observations::kAsGiven), 5, false), kType);
    // What is left of an earlier call depends on nothing, and NaN is NaN, whatever the inputs are.
    for (const Function function : {Function::kPredict, c.training_function()}) {
      if (!c.IsRepeatable(subject, function)) return notes;
    }
    if (!AllFinite(NumbersOf(c.Call(subject, Function::kPredict).outputs))) return notes;
    for (size_t i = 0; i < subject.inputs.size(); ++i) {
      const auto matters = [&](const Subject& at) { return Matters(c, at, kType, i); };
      if (matters(subject) || c.HasEffectInSomeDraw(subject, kType, matters)) continue;
      notes.push_back(absl::StrCat(
          "Nothing depends on the values of the input ", Quoted(subject.layer->InputNames()[i]),
          ": other values of it changed no result, at 25 places.\nIs it meant so? Otherwise look "
          "for another variable that is read in its place."));
    }
  } catch (const FunctionThrew&) {
    // A test tells.
  }
  return notes;
}

}  // namespace lamina::checks
