#include "framework/autodiff/own_backward.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/creation.h"
#include "framework/ops/shape.h"

namespace lamina {

const DlArray& Memory::operator[](size_t i) const {
  if (i < values_.size()) return values_[i];
  throw Error("autodiff:NoSuchMemory",
              absl::StrCat("Backward reads what Forward put into the memory: ",
                           internal::Counted(values_.size(), "value"), "."),
              absl::StrCat("Value ", i, ", counted from 0, was asked for."),
              "Return it in the Memory of Forward.");
}

namespace internal {
namespace {

// Bits `first` to `first + count - 1` of `used` as a SaveMask, whose last bit stands for all that
// follow.
SaveMask SavedPart(uint64_t used, int first, int count) {
  SaveMask mask = 0;
  for (int i = 0; i < count; ++i) {
    const int bit = first + i;
    if (bit >= 64 || (used >> bit & 1) != 0) mask |= SaveMask{1} << std::min(i, 31);
  }
  return mask;
}

}  // namespace

std::string ClassName(const std::type_info& type) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? demangled : type.name();
  std::free(demangled);
  // The last "::" that stands in no template argument and in no parameter list.
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<' || name[i] == '(') ++depth;
    if (name[i] == '>' || name[i] == ')') --depth;
    if (depth == 0 && name.compare(i, 2, "::") == 0) begin = i + 2;
  }
  return name.substr(begin);
}

SaveMask OwnBackwardRule::SavedInputs() const { return SavedPart(shape_.used, 0, shape_.inputs); }
SaveMask OwnBackwardRule::SavedOutputs() const {
  return SavedPart(shape_.used, shape_.inputs, shape_.outputs);
}

DlArrays OwnBackwardRule::Gradient(const GradientCall& call) const {
  DlArrays arguments(call.inputs.begin(), call.inputs.begin() + shape_.inputs);
  arguments.insert(arguments.end(), call.outputs.begin(), call.outputs.begin() + shape_.outputs);
  for (int i = 0; i < shape_.derivatives; ++i) {
    const DlArray& g = call.output_gradients[i];
    arguments.push_back(g.empty() ? ZerosLike(call.outputs[i]) : g);
  }
  const Memory memory = MemoryFor(call);
  DlArrays result;
  try {
    result = CallBackward(arguments, memory, call);
  } catch (Error& e) {
    e.AddPlace(name_);
    throw;
  }
  const size_t most = call.inputs.size(), least = most - shape_.may_lack;
  if (result.size() != most && result.size() != least) {
    throw Error(
        "autodiff:BackwardArity",
        absl::StrCat(name_, " returns ", Counted(least, "derivative"),
                     least == most ? "." : absl::StrCat(", or ", most, " with those of states.")),
        absl::StrCat("It returned ", result.size(), "."), "");
  }
  result.resize(most);
  // Sums over dims leave dims of size 1 at the end, which an input may lack.
  for (size_t i = 0; i < result.size(); ++i) {
    const ArraySpec &g = result[i].spec(), &x = call.inputs[i].spec();
    if (g.sizes != x.sizes && SameSizes(g.sizes, x.sizes) && g.format == x.format) {
      result[i] = Reshape(result[i], x.sizes, x.format.str());
    }
  }
  return result;
}

Memory OwnBackwardRule::MemoryFor(const GradientCall& call) const {
  if (memory_.size() == 0 || Tape::Current() == nullptr) return memory_;
  for (int i = 0; i < shape_.inputs; ++i) {
    // In a recording no array has values.
    const DlArray& x = call.inputs[i];
    if (x.has_values() || x.on_device() || (SavedInputs() >> std::min(i, 31) & 1) != 0) continue;
    throw Error("autodiff:NoSecondDerivative",
                absl::StrCat(name_, " was asked for a second derivative."),
                "Its memory depends on an input that is declared Unused.",
                "Take that input as const DlArray& in Backward.");
  }
  return CallForward(call.inputs.first(shape_.inputs)).memory;
}

DlArrays RunWithOwnBackward(std::shared_ptr<OwnBackwardRule> rule, Arrays inputs) {
  return WithGradientRule(rule, inputs, [&] {
    CallResult called = rule->CallForward(inputs.first(rule->shape_.inputs));
    rule->memory_ = std::move(called.memory);
    for (int* count : {&rule->shape_.outputs, &rule->shape_.derivatives}) {
      if (*count == kAllOutputs) *count = static_cast<int>(called.values.size());
    }
    return std::move(called.values);
  });
}

}  // namespace internal
}  // namespace lamina
