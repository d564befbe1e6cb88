// Prints the mutation table.
//
//   bazel run //checks:mutation_table
//   bazel run //checks:mutation_table -- --seeds=200 --layouts=20       the long form
//   bazel run //checks:mutation_table -- --only=Lstm                    some of it
//
// The exit status is 0 when every fault is caught and nothing else is accused.
#include <exception>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "checks/faulty/mutation_table.h"

ABSL_FLAG(int, seeds, 1, "Random seeds that each correct layer is checked with, in each layout.");
ABSL_FLAG(int, layouts, 20, "Layouts that each correct layer is checked with, 20 at most.");
ABSL_FLAG(int, fault_seeds, 2, "Random seeds that each faulty layer is checked with.");
ABSL_FLAG(std::string, only, "",
          "Only faults and layers with this in their name, or in that of the layer that a fault is "
          "made from.");

namespace {

using namespace lamina::faulty;  // NOLINT(build/namespaces): a main function.

bool Wanted(const std::string& name) {
  return name.find(absl::GetFlag(FLAGS_only)) != std::string::npos;
}

int Main() {
  std::vector<FaultGroup> groups = AllFaults();
  for (FaultGroup& group : groups) {
    std::erase_if(group.faults,
                  [](const Fault& f) { return !Wanted(f.name) && !Wanted(f.made_from); });
  }
  std::erase_if(groups, [](const FaultGroup& group) { return group.faults.empty(); });
  std::vector<CorrectLayer> layers = CorrectLayers();
  std::erase_if(layers, [](const CorrectLayer& layer) { return !Wanted(layer.name); });

  const FaultTable table =
      RunFaults(groups, absl::GetFlag(FLAGS_fault_seeds), LoadGradcheckRecord());
  Print(table, std::cout);
  std::cout << "\nFalse alarms, of the runs with each correct layer\n";
  const FalseAlarms alarms = RunCorrectLayers(
      layers, {.seeds = absl::GetFlag(FLAGS_seeds), .layouts = absl::GetFlag(FLAGS_layouts)},
      std::cout);
  std::cout << "\n" << LastLine(table, alarms) << std::endl;
  return table.caught() == table.total() && alarms.alarms == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Which tests of CheckLayer catch each faulty layer, and whether a correct one is accused.");
  absl::ParseCommandLine(argc, argv);
  try {
    return Main();
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}
