#include "framework/acceleration/testing/accelerated_table.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Which ops were applied.
class OpNames : public Listener {
 public:
  void Applied(const OpPtr& op, Arrays, std::span<DlArray>) override { names_.emplace(op->Name()); }
  const std::set<std::string>& names() const { return names_; }

 private:
  std::set<std::string> names_;
};

// A number that depends on all floating elements, each in its own way.
DlArray Loss(Arrays outputs) {
  DlArray loss = 0.0;
  for (const DlArray& y : outputs) {
    if (!IsFloating(y.type())) continue;
    const DlArray parts = IsComplex(y.type()) ? Real(y) + 0.5 * Imag(y) : y;
    const DlArray sum = Sum(parts * parts + parts) / static_cast<double>(y.numel());
    loss = loss + StripDims(Reshape(StripDims(sum), {1}));
  }
  return loss;
}

void ExpectNear(const DlArray& came, const DlArray& expected, const std::string& name) {
  ASSERT_EQ(ToString(came.spec()), ToString(expected.spec())) << name;
  const bool is_single =
      came.type() == DataType::kSingle || came.type() == DataType::kComplexSingle;
  double largest = 1;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double size = std::abs(expected.ComplexAt(i));
    if (std::isfinite(size)) largest = std::max(largest, size);
  }
  const double tolerance = (is_single ? 2e-5 : 1e-11) * largest;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const std::complex<double> a = came.ComplexAt(i), b = expected.ComplexAt(i);
    if (a == b || (std::isnan(std::abs(a)) && std::isnan(std::abs(b)))) continue;
    ASSERT_LE(std::abs(a - b), tolerance)
        << name << ", element " << i << ": " << a << " accelerated, " << b << " op by op";
  }
}

// The floating ones.
DlArrays VariablesOf(const DlArrays& inputs) {
  DlArrays variables;
  for (const DlArray& x : inputs) {
    if (IsFloating(x.type())) variables.push_back(x);
  }
  return variables;
}

}  // namespace

DlArray AcceleratedTable::Array(const Sizes& sizes, std::string_view format) const {
  return 0.05 + 0.9 * Rand(sizes, type_, format);
}

DlArrays AcceleratedTable::Inputs() const {
  DlArrays all;
  for (const Case& c : cases_) all.insert(all.end(), c.inputs.begin(), c.inputs.end());
  return all;
}

DlArrays AcceleratedTable::Outputs(Arrays inputs, std::vector<std::string>* names) const {
  DlArrays all;
  for (const Case& c : cases_) {
    const DlArrays y = c.function(inputs.first(c.inputs.size()));
    inputs = inputs.subspan(c.inputs.size());
    for (const DlArray& one : y) {
      all.push_back(one);
      if (names != nullptr) names->push_back(c.name);
    }
  }
  return all;
}

void AcceleratedTable::ExpectSame(std::set<std::string>* names_of_ops) const {
  const bool with_second = type_ == DataType::kDouble;
  const DlArrays inputs = Inputs();
  std::vector<std::string> names, of_input;
  for (const Case& c : cases_) of_input.insert(of_input.end(), c.inputs.size(), c.name);
  const auto values = [&](Arrays x) { return Outputs(x, nullptr); };
  const auto gradients = [&](Arrays x) {
    return DlFeval(
        [&](const DlArrays& w) {
          return DlGradient(Loss(Outputs(w, nullptr)), VariablesOf(w),
                            {.enable_higher_derivatives = true, .allow_complex = true});
        },
        DlArrays(x.begin(), x.end()));
  };
  const auto derivatives_of = [&](const auto& f) {
    return DlFeval(
        [&](const DlArrays& w) {
          return DlGradient(Loss(f(w)), VariablesOf(w), {.allow_complex = true});
        },
        inputs);
  };
  const AccelerateOptions wait{.wait_for_compiler = true};
  const auto fast_values = DlAccelerate(values, wait);
  const auto fast_gradients = DlAccelerate(gradients, wait);
  DlArrays plain, first, second;
  {
    OpNames ops;
    const ScopedListener listening(&ops);
    Rng(3);
    plain = Outputs(inputs, &names);
    first = derivatives_of(values);
    if (with_second) second = derivatives_of(gradients);
    if (names_of_ops != nullptr) names_of_ops->insert(ops.names().begin(), ops.names().end());
  }
  std::vector<std::string> of_variable;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (IsFloating(inputs[i].type())) of_variable.push_back(of_input[i]);
  }
  for (int run = 0; run < 3; ++run) {
    Rng(3);
    const DlArrays now = fast_values(inputs), now_first = derivatives_of(fast_values);
    const DlArrays now_second = with_second ? derivatives_of(fast_gradients) : DlArrays();
    ASSERT_EQ(now.size(), plain.size());
    for (size_t i = 0; i < now.size(); ++i) ExpectNear(now[i], plain[i], names[i]);
    for (size_t i = 0; i < now_first.size(); ++i) {
      ExpectNear(now_first[i], first[i], "derivative of " + of_variable[i]);
    }
    for (size_t i = 0; i < now_second.size(); ++i) {
      ExpectNear(now_second[i], second[i], "second derivative of " + of_variable[i]);
    }
  }
  std::vector<std::string> reports{fast_values.Report()};
  if (with_second) reports.push_back(fast_gradients.Report());
  for (const std::string& report : reports) {
    EXPECT_EQ(report.find("runs unaccelerated"), std::string::npos) << report;
    EXPECT_NE(report.find("ed in "), std::string::npos) << report;
  }
}

std::set<std::string> AcceleratedTable::ExpectSameThere(
    const std::function<DlArray(const DlArray&)>& move,
    const std::function<bool(const Graph&)>& has_kernels) const {
  const auto with_derivatives = [](const auto& f, const DlArrays& inputs) {
    return DlFeval(
        [&](const DlArrays& w) {
          DlArrays all = f(w);
          const DlArrays found = DlGradient(Loss(all), VariablesOf(w), {.allow_complex = true});
          all.insert(all.end(), found.begin(), found.end());
          return all;
        },
        inputs);
  };
  AcceleratedTable table(type_);
  std::set<std::string> left_out;
  std::vector<std::string> of_variable;
  for (const Case& c : cases_) {
    std::vector<ArraySpec> specs;
    for (const DlArray& x : c.inputs) specs.push_back(x.spec());
    const Graph graph = RecordGraph(
        [&](Arrays x) { return with_derivatives(c.function, DlArrays(x.begin(), x.end())); },
        specs);
    if (!has_kernels(graph)) {
      left_out.insert(c.name);
      continue;
    }
    table.cases_.push_back(c);
    of_variable.insert(of_variable.end(), VariablesOf(c.inputs).size(), "derivative of " + c.name);
  }
  std::vector<std::string> names;
  const auto values = [&](Arrays x) { return table.Outputs(x, nullptr); };
  const auto fast = DlAccelerate(values);
  const DlArrays inputs = table.Inputs();
  DlArrays there;
  for (const DlArray& x : inputs) there.push_back(move(x));
  table.Outputs(inputs, &names);
  names.insert(names.end(), of_variable.begin(), of_variable.end());
  Rng(3);
  const DlArrays expected = with_derivatives(values, inputs);
  Rng(3);
  const DlArrays came = with_derivatives(fast, there);
  EXPECT_EQ(came.size(), expected.size());
  for (size_t i = 0; i < std::min(came.size(), expected.size()); ++i) {
    EXPECT_TRUE(came[i].on_device()) << names[i];
    ExpectNear(Gather(came[i]), expected[i], names[i]);
  }
  EXPECT_EQ(fast.Report().find("op by op"), std::string::npos) << fast.Report();
  return left_out;
}

}  // namespace lamina
