#include "checks/faulty/fault.h"

#include <cxxabi.h>

#include <cstdlib>
#include <optional>
#include <ostream>

#include "checks/check_layer.h"

namespace lamina::faulty {

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

std::vector<FaultGroup> AllFaults() {
  std::vector<FaultGroup> all;
  for (FaultGroup (*kind)() : {BackwardFaults,     SReluBackwardFaults,
                               FunctionFaults,     MemoryFaults,
                               GradientFaults,     SecondDerivativeFaults,
                               TypeFaults,         SizeFaults,
                               OtherSizeFaults,    LabelFaults,
                               NanFaults,          ObservationFaults,
                               StateFaults,        ResetFaults,
                               RecurrentFaults,    StatisticsFaults,
                               RandomFaults,       DeclarationFaults,
                               SeveralFaults,      ComplexFaults,
                               NestedFaults,       ProjectFaults,
                               HiddenMemoryFaults, ThreadFaults,
                               TraceFaults,        InitializationFaults,
                               StorageFaults,      SyntaxFaults}) {
    all.push_back(kind());
  }
  return all;
}

Fault FindFault(const std::string& name) {
  for (const FaultGroup& group : AllFaults()) {
    for (const Fault& fault : group.faults) {
      if (fault.name == name) return fault;
    }
  }
  LAMINA_CHECK(!"a fault of this name");
  std::abort();
}

CheckReport Check(const Fault& fault, uint64_t seed) {
  // A compiler takes a second for each, and no fault of the table is one of its kernels.
  const CheckOptions options{.seed = seed, .skip_tests = {"kernelsGiveTheSame"}, .quiet = true};
  std::optional<AnyLayer> layer;
  try {
    layer.emplace(fault.make());
  } catch (const Error& e) {
    return internal::ReportBrokenSyntax(e, fault.layouts, options);
  }
  return internal::CheckLayer(*layer, fault.layouts, options,
                              {.is_known = true, .make = fault.make});
}

Names FailedTests(const CheckReport& report) {
  Names names;
  for (const TestPoint& t : report.tests) {
    if (t.status == TestStatus::kFailed) names.insert(t.name);
  }
  return names;
}

std::string ClassName(const std::type_info& type) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : type.name();
  std::free(demangled);
  const size_t space = name.rfind("::");
  return space == std::string::npos ? name : name.substr(space + 2);
}

}  // namespace lamina::faulty
