#include "framework/network/analyze_network.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"

namespace lamina {
namespace {

LayerInfo Describe(const AnyLayer& any) {
  LayerInfo info;
  info.name = any->Name();
  info.type = any->Type();
  info.description = any->Description();
  // Visiting changes nothing here.
  const_cast<AnyLayer&>(any)->VisitParameters("", [&](const ParameterRef& p) {
    const std::string path =
        p.layer.empty() ? p.parameter : absl::StrCat(p.layer, "/", p.parameter);
    if (p.kind == PropertyKind::kLearnable) {
      info.learnables.emplace_back(path, p.value->sizes());
      info.num_learnables += p.value->numel();
    } else {
      info.states.emplace_back(path, p.value->sizes());
    }
  });
  return info;
}

std::string SizesText(const std::vector<std::pair<std::string, Sizes>>& parameters) {
  std::vector<std::string> texts;
  for (const auto& [name, sizes] : parameters) {
    texts.push_back(absl::StrCat(name, " ", NumElements(sizes) == 0 ? "unset" : ToString(sizes)));
  }
  return absl::StrJoin(texts, ", ");
}

std::string LayoutsText(const std::vector<NetworkDataLayout>& layouts) {
  std::vector<std::string> texts;
  for (const NetworkDataLayout& layout : layouts) texts.push_back(ToString(layout));
  return texts.empty() ? "?" : absl::StrJoin(texts, ", ");
}

}  // namespace

NetworkAnalysis AnalyzeNetwork(const DlNetwork& network,
                               std::span<const NetworkDataLayout> layouts) {
  NetworkAnalysis analysis;
  DlNetwork copy = network;
  std::vector<std::vector<NetworkDataLayout>> outputs(network.NumLayers());
  // A layer is looked at when all before it are well; then the walk goes on past those that are
  // not.
  const auto note = [&](int layer, const Error& e) {
    analysis.issues.push_back(
        {layer < 0 ? "" : network.layer(layer)->Name(), e.identifier(), e.what()});
  };
  try {
    copy.InitializeEach(layouts, &outputs, note);
  } catch (const Error& e) {
    note(-1, e);
  }
  for (int i : network.ExecutionOrder()) {
    LayerInfo info = Describe(copy.layer(i));
    info.outputs = outputs[i];
    analysis.total_learnables += info.num_learnables;
    analysis.layers.push_back(std::move(info));
  }
  return analysis;
}

NetworkAnalysis AnalyzeNetwork(const DlNetwork& network) {
  std::vector<NetworkDataLayout> layouts;
  try {
    layouts = network.DeclaredLayouts();
  } catch (const Error& e) {
    NetworkAnalysis analysis;
    for (int i : network.ExecutionOrder()) analysis.layers.push_back(Describe(network.layer(i)));
    analysis.issues.push_back({"", e.identifier(), e.what()});
    return analysis;
  }
  return AnalyzeNetwork(network, layouts);
}

std::string ToString(const NetworkAnalysis& analysis) {
  const std::vector<std::string> titles = {"layer", "type", "output", "learnables", "states"};
  std::vector<std::vector<std::string>> rows{titles};
  for (const LayerInfo& l : analysis.layers) {
    rows.push_back(
        {l.name, l.type, LayoutsText(l.outputs), SizesText(l.learnables), SizesText(l.states)});
  }
  std::vector<size_t> widths(titles.size(), 0);
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < widths.size(); ++c) {
      absl::StrAppend(&line, absl::StrFormat("%-*s  ", static_cast<int>(widths[c]), rows[r][c]));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
    if (r == 0) absl::StrAppend(&text, std::string(line.size(), '-'), "\n");
  }
  absl::StrAppend(&text, "\n", internal::Counted(analysis.total_learnables, "learnable value"),
                  ", ", internal::Counted(analysis.issues.size(), "issue"), "\n");
  for (const NetworkIssue& issue : analysis.issues)
    absl::StrAppend(&text, "- ", issue.message, "\n");
  return text;
}

std::string Summary(const DlNetwork& network) {
  std::string text = absl::StrCat("initialised: ", network.IsInitialized() ? "yes" : "no",
                                  "\nlearnable values: ", network.NumLearnables(), "\n");
  const std::vector<NetworkDataLayout>& layouts = network.InputLayouts();
  const std::vector<std::string> inputs = network.InputNames();
  for (size_t i = 0; i < inputs.size(); ++i) {
    absl::StrAppend(&text, "input \"", inputs[i], "\"",
                    i < layouts.size() ? ": " + ToString(layouts[i]) : "", "\n");
  }
  for (const std::string& name : network.OutputNames()) {
    absl::StrAppend(&text, "output \"", name, "\"\n");
  }
  return text;
}

}  // namespace lamina
