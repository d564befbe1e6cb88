// Formattable layers: what is returned has labels, and dims are found by their labels.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

bool IsLabelled(const CheckContext& c) {
  return c.traits().is_formattable && !c.given()[0].format().empty();
}

void PredictReturnsLabels(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (function == Function::kForward && !c.traits().has_forward) continue;
    const internal::CallResult result = c.CallRaw(subject, function);
    const size_t outputs = subject.layer->OutputNames().size();
    for (size_t i = 0; i < std::min(outputs, result.values.size()); ++i) {
      const DlArray& y = result.values[i];
      if (y.rank() == 0 || !y.format().empty()) continue;
      point->Fail(
          {.expected = "A Formattable layer that gets labelled arrays returns labelled ones.",
           .came = absl::StrCat(std::string(ToString(function)), " returned ", Shape(y.spec()),
                                " without labels."),
           .where = absl::StrCat("Output ", Quoted(subject.layer->OutputNames()[i])),
           .causes = {"Reshape, StripDims or ExtractData dropped the labels."},
           .fix = "Label what is returned: DlArray(y, \"SSCB\"), or leave Formattable out."});
    }
  }
}

int CountOf(const NetworkDataLayout& layout, char label) {
  const std::string& f = layout.format().str();
  return static_cast<int>(std::count(f.begin(), f.end(), label));
}

// The layouts with a dim of size 1 more, at its place in the order S C B T U.
std::vector<NetworkDataLayout> WithDim(const std::vector<NetworkDataLayout>& layouts, char label) {
  std::vector<NetworkDataLayout> out;
  for (const NetworkDataLayout& l : layouts) {
    Sizes sizes = l.sizes();
    sizes.insert(sizes.begin(), 1);
    out.emplace_back(sizes, absl::StrCat(std::string(1, label), l.format().str()));
  }
  return out;
}

// A layer may treat sequences, images and volumes differently (a 1-D convolution runs over S or,
// where there is none, over T), so dims are added where the data keep their kind: features and
// images get an S dim, what has at most one S dim gets a T dim.
std::vector<char> AddedLabels(const std::vector<NetworkDataLayout>& layouts) {
  bool s = true, t = true;
  for (const NetworkDataLayout& l : layouts) {
    s = s && CountOf(l, 'S') != 1 && CountOf(l, 'T') == 0;
    t = t && CountOf(l, 'S') <= 1 && CountOf(l, 'T') == 0;
  }
  std::vector<char> labels;
  if (s) labels.push_back('S');
  if (t) labels.push_back('T');
  return labels;
}

// The layer made for these layouts, its learnables too where it sizes them itself; the same numbers
// in the same order for each.
std::optional<LayerResult> Results(const CheckContext& c, const Subject& subject,
                                   Function function) {
  try {
    return c.Call(subject, function);
  } catch (const FunctionThrew& e) {
    if (!e.is_error) throw;
    return std::nullopt;  // It refuses such data.
  }
}

double Largest(const std::vector<double>& v) {
  double most = 0;
  for (double x : v) most = std::max(most, std::abs(x));
  return most;
}

void DimsAreFoundByLabel(const CheckContext& c, const Variant& v, TestPoint* point) {
  // Kernels may add in another order for other dims.
  constexpr double kRounding = 1e-10;
  const Subject plain = c.MakeSmallSubject(v.observations);
  if (!c.IsRepeatable(plain, c.training_function())) return point->Incomplete(kNotRepeatable);
  for (const char label : AddedLabels(plain.layouts)) {
    const std::vector<NetworkDataLayout> layouts = WithDim(plain.layouts, label);
    std::optional<Subject> more;
    try {
      more = c.MakeSubject(layouts, DataType::kDouble);
    } catch (const FunctionThrew& e) {
      if (e.is_error) continue;  // Initialize refuses such data.
      throw;
    }
    const DlArrays was = ParametersOf(plain.layer), is = ParametersOf(more->layer);
    bool same = was.size() == is.size();
    for (size_t i = 0; i < was.size() && same; ++i) same = was[i].numel() == is[i].numel();
    if (!same) continue;  // Its parameters follow from the labels: it is another layer.
    for (const Function function : {Function::kPredict, Function::kForward}) {
      if (function == Function::kForward && !c.traits().has_forward) continue;
      // Layers that were never called: what a call leaves behind is another test's business.
      const Subject with = c.MakeSubject(layouts, DataType::kDouble),
                    without = c.MakeSubject(plain.layouts, DataType::kDouble);
      const std::optional<LayerResult> after = Results(c, with, function);
      if (!after.has_value()) continue;
      const LayerResult before = c.Call(without, function);
      for (size_t i = 0; i < before.outputs.size(); ++i) {
        const std::vector<double> a = Components(before.outputs[i]),
                                  b = Components(after->outputs[i]);
        double worst = 0;
        for (size_t e = 0; e < a.size() && e < b.size(); ++e) {
          worst = std::max(worst, std::abs(a[e] - b[e]));
        }
        if (a.size() == b.size() && !(worst > kRounding * Largest(a))) continue;
        point->Fail(
            {.expected =
                 absl::StrCat("With one more dim, ", std::string(1, label), " of size 1, the ",
                              "values stay the same, or the layer refuses the data."),
             .came = a.size() != b.size()
                         ? absl::StrCat(std::string(ToString(function)), " returned ",
                                        Shape(after->outputs[i].spec()), " instead of ",
                                        Shape(before.outputs[i].spec()), ".")
                         : absl::StrCat("The values of ", std::string(ToString(function)),
                                        " changed by up to ", worst, "."),
             .where = absl::StrCat("Output ", Quoted(plain.layer->OutputNames()[i]), " for ",
                                   lamina::ToString(layouts[0])),
             .causes = {"A dim is found by its position: x.size(2), Sum(x, 2)."},
             .fix = "Find dims by label: Size(x, 'C'), Sum(x, \"C\"). If the layer is meant for "
                    "one order of dims alone, let it throw an Error for others."});
        return;
      }
    }
  }
}

constexpr LayerTest kTests[] = {
    {"predictReturnsLabels", Variants::kOnce, IsLabelled, PredictReturnsLabels},
    {"dimsAreFoundByLabel", Variants::kOnce, IsLabelled, DimsAreFoundByLabel},
};

}  // namespace

std::span<const LayerTest> LabelTests() { return kTests; }

}  // namespace lamina::checks
