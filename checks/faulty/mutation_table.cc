#include "checks/faulty/mutation_table.h"

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/check_layer.h"
#include "framework/io/runfiles.h"

namespace lamina::faulty {
namespace {

std::string Padded(const std::string& text, size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

// Tests that failed with some seeds only are marked.
std::string TestsOf(const FaultRow& row) {
  std::vector<std::string> names(row.always.begin(), row.always.end());
  for (const std::string& name : row.sometimes) names.push_back(name + " (not with every seed)");
  return names.empty() ? "nothing" : absl::StrJoin(names, ", ");
}

size_t Width(const FaultTable& table, size_t (*of)(const FaultRow&)) {
  size_t width = 0;
  for (const FaultTable::Group& group : table.groups) {
    for (const FaultRow& row : group.rows) width = std::max(width, of(row));
  }
  return width;
}

void PrintTests(const FaultTable& table, std::ostream& out) {
  out << "\nFaults that each test caught, and those that it alone caught\n";
  for (const std::string& name : CheckLayerTestNames()) {
    int caught = 0, alone = 0;
    for (const FaultTable::Group& group : table.groups) {
      for (const FaultRow& row : group.rows) {
        if (row.always.count(name) == 0) continue;
        ++caught;
        alone += row.always.size() == 1;
      }
    }
    if (caught > 0) {
      out << "  " << Padded(name, 36) << std::setw(4) << caught << std::setw(5) << alone << "\n";
    }
  }
}

void PrintGradcheck(const FaultTable& table, std::ostream& out) {
  int total = 0, gradcheck = 0, check_layer = 0;
  for (const FaultTable::Group& group : table.groups) {
    for (const FaultRow& row : group.rows) {
      if (row.gradcheck == "-") continue;
      ++total;
      gradcheck += row.gradcheck == "caught";
      check_layer += row.caught;
    }
  }
  out << "\nOf " << total
      << " faults that were written for PyTorch too, gradcheck and gradgradcheck "
      << "catch " << gradcheck << ", CheckLayer " << check_layer << ".\n";
}

}  // namespace

GradcheckRecord LoadGradcheckRecord() {
  const std::string path = RunfilePath("checks/faulty/testdata/gradcheck.txt");
  std::ifstream in(path);
  GradcheckRecord record;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name, result, more;
    words >> name >> result;
    if ((result != "caught" && result != "missed") || words >> more) {
      throw Error("faulty:Record", "A line is NAME caught, NAME missed, or a comment.",
                  absl::StrCat("\"", line, "\" came from ", path, "."), "Record it anew.");
    }
    record[name] = result;
  }
  if (record.empty()) {
    throw Error("faulty:Record", "The record of gradcheck has a line for each fault.",
                absl::StrCat("Nothing could be read from ", path, "."), "");
  }
  return record;
}

int FaultTable::total() const {
  int n = 0;
  for (const Group& group : groups) n += static_cast<int>(group.rows.size());
  return n;
}
int FaultTable::caught() const {
  int n = 0;
  for (const Group& group : groups) {
    for (const FaultRow& row : group.rows) n += row.caught;
  }
  return n;
}

FaultTable RunFaults(const std::vector<FaultGroup>& groups, int seeds,
                     const GradcheckRecord& gradcheck) {
  FaultTable table;
  for (const FaultGroup& group : groups) {
    table.groups.push_back({.kind = group.kind, .rows = {}});
    for (const Fault& fault : group.faults) {
      FaultRow row{.fault = fault, .always = {}, .sometimes = {}, .caught = true};
      std::map<std::string, int> failures;
      for (int seed = 0; seed < seeds; ++seed) {
        const Names failed = FailedTests(Check(fault, static_cast<uint64_t>(seed)));
        row.caught = row.caught && !failed.empty();
        for (const std::string& name : failed) ++failures[name];
      }
      for (const auto& [name, count] : failures) {
        (count == seeds ? row.always : row.sometimes).insert(name);
      }
      if (const auto it = gradcheck.find(fault.name); it != gradcheck.end()) {
        row.gradcheck = it->second;
      }
      table.groups.back().rows.push_back(std::move(row));
    }
  }
  return table;
}

FalseAlarms RunCorrectLayers(const std::vector<CorrectLayer>& layers, const CorrectRuns& runs,
                             std::ostream& out) {
  FalseAlarms all;
  for (const CorrectLayer& layer : layers) {
    FalseAlarms here;
    const size_t layouts = std::min(layer.layouts.size(), static_cast<size_t>(runs.layouts));
    for (size_t i = 0; i < layouts; ++i) {
      for (int seed = 0; seed < runs.seeds; ++seed) {
        const CheckReport report = Check(layer, layer.layouts[i], static_cast<uint64_t>(seed));
        ++here.runs;
        if (report.ok()) continue;
        ++here.alarms;
        out << "False alarm: " << layer.name << ", " << report.inputs << ", seed " << seed << ": "
            << absl::StrJoin(FailedTests(report), ", ") << "\n";
      }
    }
    out << "  " << Padded(layer.name, 40) << here.alarms << " of " << here.runs << std::endl;
    all.runs += here.runs;
    all.alarms += here.alarms;
  }
  return all;
}

void Print(const FaultTable& table, std::ostream& out) {
  const size_t name = Width(table, [](const FaultRow& r) { return r.fault.name.size(); });
  const size_t from = Width(table, [](const FaultRow& r) { return r.fault.made_from.size(); });
  const size_t what = Width(table, [](const FaultRow& r) { return r.fault.what.size(); });
  const auto line = [&](const std::string& a, const std::string& b, const std::string& c,
                        const std::string& d, const std::string& e) {
    out << "  " << Padded(a, name + 2) << Padded(b, from + 2) << Padded(c, what + 2)
        << Padded(d, 11) << e << "\n";
  };
  line("fault", "made from", "what is wrong", "gradcheck", "caught by");
  for (const FaultTable::Group& group : table.groups) {
    out << "\n" << group.kind << "\n";
    for (const FaultRow& row : group.rows) {
      line(row.fault.name, row.fault.made_from, row.fault.what, row.gradcheck, TestsOf(row));
    }
  }
  PrintTests(table, out);
  PrintGradcheck(table, out);
}

std::string LastLine(const FaultTable& table, const FalseAlarms& alarms) {
  return absl::StrCat("caught ", table.caught(), " of ", table.total(), ", false alarms ",
                      alarms.alarms, " of ", alarms.runs);
}

}  // namespace lamina::faulty
