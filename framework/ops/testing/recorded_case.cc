#include "framework/ops/testing/recorded_case.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

const Json& Recorded() {
  static const Json* const kAll = [] {
    const absl::StatusOr<std::string> text =
        ReadFile(RunfilePath("framework/ops/testdata/torch.json"));
    LAMINA_CHECK(text.ok());
    absl::StatusOr<Json> json = ParseJson(*text);
    LAMINA_CHECK(json.ok());
    return new Json(*std::move(json));
  }();
  return *kAll;
}

DlArray ToArray(const Json& a) {
  const std::vector<int64_t> sizes = a["sizes"];
  const std::string format = a["format"];
  const Sizes dims(sizes.begin(), sizes.end());
  if (a["type"] == "int64") {
    return DlArray::FromVector<int64_t>(a["values"].get<std::vector<int64_t>>(), dims, format);
  }
  return DlArray::FromVector<double>(a["values"].get<std::vector<double>>(), dims, format);
}

}  // namespace

AssertionResult Near(const DlArray& actual, const DlArray& expected, double tolerance) {
  if (actual.sizes() != expected.sizes() || !(actual.format() == expected.format())) {
    return AssertionFailure() << "a " << ToString(actual.spec()) << " came instead of a "
                              << ToString(expected.spec());
  }
  double scale = 1;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    if (std::isfinite(expected.At(i))) scale = std::max(scale, std::abs(expected.At(i)));
  }
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double a = actual.At(i), e = expected.At(i);
    if (a == e || (std::isnan(a) && std::isnan(e)) || std::abs(a - e) <= tolerance * scale) {
      continue;
    }
    return AssertionFailure() << "element " << i << " is " << a << " instead of " << e;
  }
  return AssertionSuccess();
}

AssertionResult MatchesRecorded(const std::string& name,
                                const std::function<DlArray(const DlArrays&)>& f,
                                const RecordedTolerance& tolerance) {
  if (!Recorded().contains(name)) return AssertionFailure() << "no case " << name;
  const Json& recorded = Recorded()[name];
  for (const DataType type : {DataType::kDouble, DataType::kSingle}) {
    const double allowed = type == DataType::kDouble ? tolerance.in_double : tolerance.in_single;
    DlArrays inputs;
    for (const Json& in : recorded["inputs"]) {
      const DlArray a = ToArray(in);
      inputs.push_back(IsFloating(a.type()) ? Cast(a, type) : a);
    }
    const DlArray g = Cast(ToArray(recorded["g"]), type);
    DlArray y;
    DlArrays variables;
    const DlArrays gradients = DlFeval(
        [&](const DlArrays& watched) {
          for (const DlArray& x : watched) {
            if (IsFloating(x.type())) variables.push_back(x);
          }
          y = f(watched);
          return DlGradient(Sum(g * y), variables);
        },
        inputs);
    if (y.type() != type) {
      return AssertionFailure() << name << ": the type is " << Name(y.type()) << " instead of "
                                << Name(type);
    }
    if (const AssertionResult same = Near(y, ToArray(recorded["y"]), allowed); !same) {
      return AssertionFailure() << name << " in " << Name(type) << ", value: " << same.message();
    }
    size_t v = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (recorded["gradients"][i].is_null()) continue;
      const DlArray& dx = gradients[v++];
      if (const AssertionResult same = Near(dx, ToArray(recorded["gradients"][i]), allowed);
          dx.type() != type || !same) {
        return AssertionFailure() << name << " in " << Name(type) << ", derivative " << i << ": "
                                  << same.message();
      }
    }
    if (v != variables.size()) return AssertionFailure() << name << ": derivatives are missing";
  }
  return AssertionSuccess();
}

AssertionResult Throws(const std::string& identifier, const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    if (error.identifier() != identifier) {
      return AssertionFailure() << "another error came: " << error.what();
    }
    if (error.message().size() < 20) return AssertionFailure() << "it says too little";
    return AssertionSuccess();
  }
  return AssertionFailure() << "no error came";
}

}  // namespace lamina
