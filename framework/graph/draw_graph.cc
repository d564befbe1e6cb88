#include "framework/graph/draw_graph.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace lamina {
namespace {

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}});
}

// Without the word that all have.
std::string Described(const ArraySpec& spec) {
  return absl::StrReplaceAll(ToString(spec), {{" DlArray", ""}, {" single", ""}});
}

bool IsNumber(const GraphValue& v) {
  return v.constant.numel() == 1 && !IsComplex(v.constant.type());
}

}  // namespace

std::string ToDot(const Graph& graph) {
  std::string text =
      "digraph {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\", fontsize=11];\n"
      "  edge [fontname=\"sans-serif\", fontsize=9];\n";
  std::vector<std::string> maker(graph.values().size());
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const int v = graph.inputs()[i];
    maker[v] = absl::StrCat("v", v);
    absl::StrAppend(&text, "  ", maker[v], " [label=\"input ", i, "\", style=rounded];\n");
  }
  for (size_t v = 0; v < graph.values().size(); ++v) {
    const GraphValue& value = graph.values()[v];
    if (!value.is_constant() || IsNumber(value)) continue;
    maker[v] = absl::StrCat("v", v);
    absl::StrAppend(&text, "  ", maker[v], " [label=\"constant\", style=rounded];\n");
  }
  const auto arrow = [&](int v, const std::string& to) {
    absl::StrAppend(&text, "  ", maker[v], " -> ", to, " [label=\"",
                    Escaped(Described(graph.values()[v].spec)), "\"];\n");
  };
  for (size_t s = 0; s < graph.steps().size(); ++s) {
    const GraphStep& step = graph.steps()[s];
    const std::string name = absl::StrCat("s", s);
    std::string label = std::string(step.op->Name());
    const std::string attributes = step.op->Attributes();
    if (!attributes.empty()) absl::StrAppend(&label, "\\n", Escaped(attributes));
    for (int v : step.inputs) {
      if (!IsNumber(graph.values()[v])) continue;
      absl::StrAppend(&label, "\\n", absl::StrFormat("%.6g", graph.values()[v].constant.At(0)));
    }
    absl::StrAppend(&text, "  ", name, " [label=\"", label, "\"];\n");
    for (int v : step.inputs) {
      if (!IsNumber(graph.values()[v])) arrow(v, name);
    }
    for (int v : step.outputs) maker[v] = name;
  }
  for (size_t k = 0; k < graph.outputs().size(); ++k) {
    const int v = graph.outputs()[k];
    const std::string name = absl::StrCat("o", k);
    absl::StrAppend(&text, "  ", name, " [label=\"output ", k, "\", style=rounded];\n");
    if (!maker[v].empty()) arrow(v, name);
  }
  return text + "}\n";
}

}  // namespace lamina
