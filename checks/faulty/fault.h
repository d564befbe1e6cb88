// A fault: a layer that is wrong in one way, made from a layer that is right, and the test of
// CheckLayer that is meant to catch it. The faults stand in files of their own, one for each kind.
//
//   struct ReturnsOldState : LeakyIntegratorLayer {
//     std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
//       return {LeakyIntegratorLayer::Predict(x).first, level};
//     }
//   };
//   ...
//   Of<LeakyIntegratorLayer, ReturnsOldState>("the old state is returned", Sequence(),
//                                             "statesAreUsed")
//
// Threads: plain values.
#ifndef CHECKS_FAULTY_FAULT_H_
#define CHECKS_FAULTY_FAULT_H_

#include <concepts>
#include <iosfwd>
#include <set>
#include <string>
#include <typeinfo>
#include <vector>

#include "checks/faulty/layouts.h"
#include "framework/layers/any_layer.h"

namespace lamina {
struct CheckReport;  // checks/check_report.h
}  // namespace lamina

namespace lamina::faulty {

using Names = std::set<std::string>;

struct Fault {
  /// The class, "ReturnsOldState": no two have the same.
  std::string name;
  /// The class of the layer that is right, "LeakyIntegratorLayer".
  std::string made_from;
  /// What is wrong, in a few words.
  std::string what;
  /// Errors: those of AnyLayer, when the fault is one that AnyLayer sees.
  AnyLayer (*make)();
  Layouts layouts;
  std::string caught_by;
  /// Other tests that must fail: further consequences of the fault.
  Names also{};
};
void PrintTo(const Fault& fault, std::ostream* out);

/// The faults of one kind: "Derivatives written by hand".
struct FaultGroup {
  std::string kind;
  std::vector<Fault> faults;
};

/// All faults, by kind, in the order of the table.
std::vector<FaultGroup> AllFaults();
/// The fault of this name. Ends the program if there is none.
Fault FindFault(const std::string& name);

/// The report of CheckLayer on the faulty layer, without kernels; never printed.
CheckReport Check(const Fault& fault, uint64_t seed);
/// The tests that failed.
Names FailedTests(const CheckReport& report);

/// "ReturnsOldState", without namespaces.
std::string ClassName(const std::type_info& type);

template <class Correct, class Faulty>
requires std::derived_from<Faulty, Correct> Fault Of(std::string what, Layouts layouts,
                                                     std::string caught_by, Names also = {}) {
  return {.name = ClassName(typeid(Faulty)),
          .made_from = ClassName(typeid(Correct)),
          .what = std::move(what),
          .make = [] { return AnyLayer(Faulty()); },
          .layouts = std::move(layouts),
          .caught_by = std::move(caught_by),
          .also = std::move(also)};
}

// The kinds; each stands in the file of its name.
FaultGroup BackwardFaults();
FaultGroup SReluBackwardFaults();
FaultGroup FunctionFaults();
FaultGroup MemoryFaults();
FaultGroup GradientFaults();
FaultGroup SecondDerivativeFaults();
FaultGroup TypeFaults();
FaultGroup SizeFaults();
FaultGroup OtherSizeFaults();
FaultGroup LabelFaults();
FaultGroup NanFaults();
FaultGroup ObservationFaults();
FaultGroup StateFaults();
FaultGroup ResetFaults();
FaultGroup DeclarationFaults();
FaultGroup HiddenMemoryFaults();
FaultGroup ThreadFaults();
FaultGroup TraceFaults();
FaultGroup StorageFaults();
FaultGroup InitializationFaults();
FaultGroup SyntaxFaults();
FaultGroup RecurrentFaults();
FaultGroup StatisticsFaults();
FaultGroup RandomFaults();
FaultGroup SeveralFaults();
FaultGroup ComplexFaults();
FaultGroup NestedFaults();
FaultGroup ProjectFaults();

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_FAULT_H_
