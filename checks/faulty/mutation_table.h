// The mutation table: which tests of CheckLayer catch each faulty layer, and whether they accuse a
// layer that is right. The program //checks:mutation_table prints it; docs/mutation_table.md tells
// how to read it.
//
//   const FaultTable faults = RunFaults(AllFaults(), /*seeds=*/3, LoadGradcheckRecord());
//   const FalseAlarms right = RunCorrectLayers(CorrectLayers(), {.seeds = 2, .layouts = 20}, cout);
//   Print(faults, std::cout);
//   std::cout << LastLine(faults, right) << "\n";
//
// Threads: one.
#ifndef CHECKS_FAULTY_MUTATION_TABLE_H_
#define CHECKS_FAULTY_MUTATION_TABLE_H_

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {

/// What PyTorch's gradcheck and gradgradcheck made of the faults that were written for them too, by
/// the name of the fault: "caught" or "missed". Faults that are none of derivatives are not there.
using GradcheckRecord = std::map<std::string, std::string>;
/// Reads testdata/gradcheck.txt. Errors: "faulty:Record" when it cannot be read or has a line that
/// is not `NAME caught` or `NAME missed`; lines that start with # are comments.
GradcheckRecord LoadGradcheckRecord();

struct FaultRow {
  Fault fault;
  /// Tests that failed with every seed, and those that failed with some.
  Names always, sometimes;
  /// CheckLayer found something, with every seed.
  bool caught = false;
  std::string gradcheck = "-";
};
struct FaultTable {
  struct Group {
    std::string kind;
    std::vector<FaultRow> rows;
  };
  std::vector<Group> groups;

  int total() const;
  int caught() const;
};
/// Checks each fault with the seeds 0, 1, ...
FaultTable RunFaults(const std::vector<FaultGroup>& groups, int seeds,
                     const GradcheckRecord& gradcheck);

struct CorrectRuns {
  int seeds = 2;
  /// Of each layer, from the first on.
  int layouts = 20;
};
struct FalseAlarms {
  int64_t runs = 0, alarms = 0;
};
/// Checks each correct layer with each layout and each seed. Writes a line for each layer, and for
/// each false alarm the layouts, the seed and the tests that failed.
FalseAlarms RunCorrectLayers(const std::vector<CorrectLayer>& layers, const CorrectRuns& runs,
                             std::ostream& out);

/// The faults by kind, a line for each; then how many faults each test caught, and how many no
/// other did; then how CheckLayer and gradcheck compare.
void Print(const FaultTable& table, std::ostream& out);
/// "caught 190 of 190, false alarms 0 of 800".
std::string LastLine(const FaultTable& table, const FalseAlarms& alarms);

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_MUTATION_TABLE_H_
