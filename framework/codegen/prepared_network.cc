#include "framework/codegen/prepared_network.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/codegen/simplify_prediction.h"
#include "framework/emit/c_printer.h"
#include "framework/graph/expand_composed.h"
#include "framework/loops/variable_size.h"

namespace lamina::internal {
namespace {

class NameList {
 public:
  std::string Add(const std::string& text) {
    const std::string hint = Identifier(text);
    std::string name = hint;
    for (int i = 2; CReservedWords().count(name) > 0 || !taken_.insert(name).second; ++i) {
      name = absl::StrCat(hint, "_", i);
    }
    return name;
  }

 private:
  std::set<std::string> taken_;
};

void CheckName(const std::string& name) {
  bool good = !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
              CReservedWords().count(name) == 0;
  for (unsigned char c : name) good = good && c < 128 && (std::isalnum(c) || c == '_');
  if (good) return;
  throw Error("codegen:InvalidName",
              "The name of generated code is a C identifier, and no word that C, C++ or their "
              "libraries use.",
              absl::StrCat("\"", name, "\" came."), "Use letters, digits and underscores.");
}

void CheckOptions(const CodegenOptions& options) {
  CheckName(options.name);
  if (options.type != DataType::kSingle && options.type != DataType::kDouble) {
    throw Error("codegen:InvalidType", "The data of generated code are single or double.",
                absl::StrCat("The type ", std::string(Name(options.type)), " came."),
                "Parameters keep the types that they have.");
  }
  if (options.max_observations < 0) {
    throw Error("codegen:Observations",
                "max_observations is the largest number of observations, or 0 for the number that "
                "the layouts have.",
                absl::StrCat(options.max_observations, " came."), "");
  }
}

// What has no printed form is printed as what it is composed of.
void Expand(RecordedNetwork* network) {
  std::vector<int> origin;
  network->graph = ExpandComposed(network->graph, IsUnwritten, &origin);
  std::vector<std::string> layers;
  for (int step : origin) layers.push_back(network->layers[step]);
  network->layers = std::move(layers);
}

Parts PrepareOnce(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                  const CodegenOptions& options) {
  Parts p;
  p.prefix = options.name;
  p.network = RecordNetwork(network, layouts, options.type);
  Expand(&p.network);
  p.network = SimplifyPrediction(p.network);
  NameList names;
  for (const std::string& name : p.network.input_names) {
    p.inputs.push_back(names.Add(p.network.input_names.size() == 1 ? "input" : name));
  }
  for (const std::string& name : p.network.output_names) {
    p.outputs.push_back(names.Add(p.network.output_names.size() == 1 ? "output" : name));
  }
  for (const auto& parameter : p.network.parameters) {
    p.parameters.push_back(names.Add(parameter.name));
  }
  for (const auto& state : p.network.states) p.states.push_back(names.Add(state.name));
  ProgramNames program_names{p.inputs, p.outputs, p.network.layers, CReservedWords()};
  program_names.inputs.insert(program_names.inputs.end(), p.parameters.begin(), p.parameters.end());
  for (const std::string& state : p.states) {
    program_names.inputs.push_back(state);
    program_names.outputs.push_back(names.Add("new_" + state));
  }
  const bool varies = options.max_observations > 0;
  p.program = WriteProgram(p.network.graph, program_names, nullptr,
                           options.language == Language::kCuda
                               ? (varies ? ProgramFor::kDeviceOfAnySizes : ProgramFor::kDevice)
                               : (varies ? ProgramFor::kAllProducts : ProgramFor::kProducts));
  return p;
}

Error NotForAnyNumber(std::string came, std::string_view fix) {
  return Error("codegen:Observations",
               "Code for a number of observations that varies is the same for any number.",
               std::move(came), fix);
}

std::vector<NetworkDataLayout> WithObservations(std::span<const NetworkDataLayout> layouts,
                                                int64_t count) {
  std::vector<NetworkDataLayout> out;
  for (const NetworkDataLayout& layout : layouts) {
    const int b = layout.FindDim('B');
    if (b < 0) {
      throw NotForAnyNumber(absl::StrCat("The layout ", ToString(layout), " has no dim of them."),
                            "Label it B.");
    }
    Sizes sizes = layout.sizes();
    sizes[b] = count;
    out.emplace_back(sizes, layout.format().str());
  }
  return out;
}

bool SameStates(const Parts& a, const Parts& b) {
  for (size_t i = 0; i < a.network.states.size(); ++i) {
    if (!(a.network.states[i].initial.spec() == b.network.states[i].initial.spec())) return false;
  }
  return true;
}

bool SameParameters(const Parts& a, const Parts& b) {
  const auto same = [](const RecordedParameter& x, const RecordedParameter& y) {
    return x.name == y.name && x.value.spec() == y.value.spec();
  };
  return std::equal(a.network.parameters.begin(), a.network.parameters.end(),
                    b.network.parameters.begin(), b.network.parameters.end(), same);
}

bool SameConstants(const Parts& a, const Parts& b) {
  for (size_t i = 0; i < a.program.arrays.size(); ++i) {
    const ProgramArray &x = a.program.arrays[i], &y = b.program.arrays[i];
    if (x.name != y.name || x.role != y.role) return false;
    if (x.role == ProgramArray::kConstant && !(x.spec == y.spec)) return false;
  }
  return true;
}

// The network for `most` observations and for two larger numbers; what differs is taken to be
// linear in the number, and the third must agree.
Parts PrepareForUpTo(int64_t most, const DlNetwork& network,
                     std::span<const NetworkDataLayout> layouts, const CodegenOptions& options) {
  const int64_t n = std::max<int64_t>(most, 2);  // A dim of size 1 has no loop.
  Parts p = PrepareOnce(network, WithObservations(layouts, n), options);
  const Parts second = PrepareOnce(network, WithObservations(layouts, n + 1), options);
  const Parts third = PrepareOnce(network, WithObservations(layouts, n + 2), options);
  if (!SameStates(p, second)) {
    throw NotForAnyNumber("A state has another size for another number.",
                          "Generate it for a fixed number: leave max_observations out.");
  }
  const loops::Expression size = loops::Expression::Variable("observations");
  bool agrees = p.program.steps.size() == second.program.steps.size() &&
                p.program.steps.size() == third.program.steps.size() &&
                p.program.arrays.size() == second.program.arrays.size() &&
                SameConstants(p, second) && SameParameters(p, second);
  for (size_t i = 0; agrees && i < p.program.steps.size(); ++i) {
    ProgramStep& step = p.program.steps[i];
    const auto two = WithVariableSize(step.code, second.program.steps[i].code, n, n + 1, size);
    const auto three = WithVariableSize(step.code, third.program.steps[i].code, n, n + 2, size);
    CPrinter printer;
    agrees = two && three && printer.Print(*two, 0) == printer.Print(*three, 0);
    if (!agrees) {
      throw NotForAnyNumber(
          absl::StrCat("The code of this step is not: ", step.comment, "."),
          "Does it join observations? Generate it for a fixed number: leave max_observations out.");
    }
    step.code = *two;
  }
  if (agrees) return p;
  throw NotForAnyNumber("It has other steps or constants for another number.",
                        "Generate it for a fixed number: leave max_observations out.");
}

}  // namespace

Parts Prepare(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
              const CodegenOptions& options) {
  CheckOptions(options);
  Parts p = options.max_observations > 0
                ? PrepareForUpTo(options.max_observations, network, layouts, options)
                : PrepareOnce(network, layouts, options);
  p.max_observations = options.max_observations;
  p.language = options.language;
  return p;
}

}  // namespace lamina::internal
