#include "framework/graph/check_graph.h"

#include "absl/strings/str_cat.h"
#include "framework/ops/abstract_run.h"

namespace lamina {
namespace {

Error Malformed(const std::string& where, const std::string& expected, const std::string& came) {
  return Error("graph:Malformed", absl::StrCat(where, " ", expected), came,
               "Mend what made the graph.");
}

std::string Place(const Graph& graph, size_t s) {
  return absl::StrCat("Step ", s, ", ", std::string(graph.steps()[s].op->Name()), ",");
}

}  // namespace

void CheckGraph(const Graph& graph) {
  const int num_values = static_cast<int>(graph.values().size());
  std::vector<bool> made(num_values, false);
  const auto exists = [&](const std::string& where, int v) {
    if (v >= 0 && v < num_values) return;
    throw Malformed(where, absl::StrCat("names values from 0 to ", num_values - 1, "."),
                    absl::StrCat("It names ", v, "."));
  };
  const auto make = [&](const std::string& where, int v) {
    exists(where, v);
    if (made[v]) {
      throw Malformed(where, "makes values that nothing else makes.",
                      absl::StrCat("Value ", v, " is made twice."));
    }
    made[v] = true;
  };
  for (int v = 0; v < num_values; ++v) {
    const GraphValue& value = graph.values()[v];
    if (!value.is_constant()) continue;
    make("A constant", v);
    if (!value.constant.has_values() || !(value.constant.spec() == value.spec)) {
      throw Malformed(absl::StrCat("Constant ", v),
                      absl::StrCat("has values, ", ToString(value.spec), "."),
                      absl::StrCat("A ", ToString(value.constant.spec()), " came."));
    }
  }
  for (int v : graph.inputs()) make("An input", v);
  for (size_t s = 0; s < graph.steps().size(); ++s) {
    const GraphStep& step = graph.steps()[s];
    DlArrays inputs;
    for (int v : step.inputs) {
      exists(Place(graph, s), v);
      if (!made[v]) {
        throw Malformed(Place(graph, s), "reads what was made before it.",
                        absl::StrCat("It reads value ", v, "."));
      }
      inputs.push_back(AbstractArray(graph.values()[v].spec));
    }
    SpecList specs;
    step.op->Infer(Specs(inputs), &specs);
    if (specs.size() != step.outputs.size()) {
      throw Malformed(Place(graph, s), absl::StrCat("has ", specs.size(), " outputs."),
                      absl::StrCat("It has ", step.outputs.size(), "."));
    }
    for (size_t k = 0; k < specs.size(); ++k) {
      make(Place(graph, s), step.outputs[k]);
      const ArraySpec& spec = graph.values()[step.outputs[k]].spec;
      if (spec == specs[k]) continue;
      throw Malformed(Place(graph, s), absl::StrCat("makes a ", ToString(specs[k]), "."),
                      absl::StrCat("Value ", step.outputs[k], " is a ", ToString(spec), "."));
    }
  }
  for (int v : graph.outputs()) {
    exists("The function", v);
    if (!made[v]) {
      throw Malformed("The function", "returns what was made.",
                      absl::StrCat("It returns value ", v, "."));
    }
  }
}

}  // namespace lamina
