#include "checks/gradient_diagnosis.h"

#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/dlarray/coordinates.h"
#include "framework/ops/finite_check.h"

namespace lamina::checks {
namespace {

// How many of a variable's derivatives must be known to speak of a pattern in them.
constexpr int kEnough = 3;
constexpr double kAlike = 1e-4;

// The r for which analytic = r * numeric in every element, if there is one.
std::optional<double> CommonFactor(const std::vector<Comparison>& each) {
  double an = 0, nn = 0, aa = 0;
  int used = 0;
  for (const Comparison& c : each) {
    if (!c.finite || c.kinks > 0) continue;
    an += c.analytic * c.numeric;
    nn += c.numeric * c.numeric;
    aa += c.analytic * c.analytic;
    used += std::abs(c.numeric) > c.tolerance;
  }
  if (used < kEnough || nn == 0 || aa == 0) return std::nullopt;
  const double r = an / nn, rest = aa - 2 * r * an + r * r * nn;
  return rest <= kAlike * kAlike * aa ? std::optional(r) : std::nullopt;
}

bool Near(double a, double b) { return std::abs(a - b) <= 1e-3 * std::abs(b); }

// The variable whose numeric derivatives are `i`'s analytic ones.
int SwappedWith(const std::vector<Variable>& variables,
                const std::vector<VariableFinding>& findings, int i) {
  for (size_t j = 0; j < variables.size(); ++j) {
    if (static_cast<int>(j) == i || findings[j].components != findings[i].components ||
        variables[j].value.sizes() != variables[i].value.sizes()) {
      continue;
    }
    double difference = 0, size = 0;
    for (size_t k = 0; k < findings[i].each.size(); ++k) {
      const double a = findings[i].each[k].analytic / variables[i].scale;
      const double n = findings[j].each[k].numeric / variables[j].scale;
      difference += (a - n) * (a - n);
      size += a * a;
    }
    if (size > 0 && difference <= kAlike * kAlike * size) return static_cast<int>(j);
  }
  return -1;
}

std::vector<std::string> Causes(const CheckContext& context, const GradientCheck& check,
                                const std::vector<VariableFinding>& findings, int i,
                                const Comparison& shown, int64_t observations) {
  std::vector<std::string> causes;
  if (!std::isfinite(shown.analytic)) {
    causes = CausesOfNotFinite([&] { check.function().Gradient({}); });
  }
  const std::vector<Variable>& variables = check.function().variables();
  if (const int j = SwappedWith(variables, findings, i); j >= 0) {
    causes.push_back(absl::StrCat("It is the derivative with respect to ",
                                  Quoted(variables[j].name),
                                  ": two are returned in the wrong "
                                  "order."));
  } else if (const std::optional<double> r = CommonFactor(findings[i].each);
             // The elements that are wrong are not among those that were looked at.
             r.has_value() && !Near(*r, 1)) {
    const double n = static_cast<double>(observations);
    if (Near(*r, -1)) {
      causes.push_back("Its sign is wrong.");
    } else if (n > 1 && (Near(*r, n) || Near(*r, 1 / n))) {
      causes.push_back(absl::StrCat("It is ", *r > 1 ? "multiplied" : "divided",
                                    " by the number of observations: a sum and a mean are mixed "
                                    "up."));
    } else {
      causes.push_back(absl::StrFormat(
          "Every element is %.4g times what it should be: a constant factor is wrong.", *r));
    }
  }
  if (context.traits().has_backward) {
    causes.push_back(
        "Backward does not follow from Forward: a term of the product or chain rule is missing, or "
        "it uses the wrong operand.");
  } else {
    causes.push_back(
        "A part of the computation is hidden from the derivative: a value read by At, Scalar or "
        "Data, ExtractData, or work done under NoGradient.");
    causes.push_back("The gradient of an operation of your own that the layer uses is wrong.");
  }
  causes.push_back("The function is not differentiable there in a way that was not noticed.");
  return causes;
}

}  // namespace

std::string InWords(const Variable& v) {
  return absl::StrCat(v.kind == VariableKind::kInput       ? "the input "
                      : v.kind == VariableKind::kLearnable ? "the learnable "
                                                           : "the state ",
                      Quoted(v.name));
}

std::string WhereInVariable(const Variable& v, int64_t component) {
  const bool complex = IsComplex(v.value.type());
  return absl::StrCat(Quoted(v.name), " at ",
                      Coordinates(v.value.spec(), complex ? component / 2 : component),
                      !complex             ? ""
                      : component % 2 == 0 ? ", real part"
                                           : ", imaginary part");
}

std::vector<std::string> CausesOfNotFinite(absl::FunctionRef<void()> gradient) {
  std::vector<std::string> causes;
  const std::string op = WhatIsNotFinite(gradient, {.functions = false});
  if (!op.empty()) causes.push_back(op);
  causes.emplace_back(
      "The derivative divides by what is 0 here: that of a root, a norm or a standard deviation is "
      "infinite at 0. Add a small constant under the root.");
  return causes;
}

Diagnostic DiagnoseGradient(const CheckContext& context, const GradientCheck& check,
                            const std::vector<VariableFinding>& findings, int i,
                            int64_t observations) {
  const Variable& v = check.function().variables()[i];
  const VariableFinding& found = findings[i];
  std::optional<int64_t> worst;
  Comparison shown;
  for (size_t k = 0; k < found.each.size(); ++k) {
    if (found.each[k].ok()) continue;
    if (worst.has_value() && found.each[k].error() <= shown.error()) continue;
    worst = found.components[k];
    shown = found.each[k];
  }
  for (size_t k = 0; k < found.directions.size() && !worst.has_value(); ++k) {
    if (found.directions[k].ok()) continue;
    shown = found.directions[k];
    worst = check.FindWrongComponent(i, kDirectionStream + k);
    if (worst.has_value()) shown = check.Compare(check.function().AlongComponent(i, *worst));
  }
  const double scale = worst.has_value() ? v.scale : 1;
  Diagnostic d;
  d.expected =
      absl::StrFormat("The derivative with respect to %s is the numeric one, %.8g, to within %.1g.",
                      InWords(v), shown.numeric / scale, shown.tolerance / scale);
  if (!std::isfinite(shown.analytic)) {
    d.came = kGetsNotFinite;
  } else {
    const std::string relative =
        shown.numeric == 0
            ? ""
            : absl::StrFormat(", %.2g relative", shown.error() / std::abs(shown.numeric));
    d.came = absl::StrFormat("Training gets %.8g: %.3g off%s (step %.1e).", shown.analytic / scale,
                             shown.error() / scale, relative, shown.step);
  }
  d.where = worst.has_value()
                ? WhereInVariable(v, *worst)
                : absl::StrCat(Quoted(v.name), ", along a random direction of all its elements");
  d.causes = Causes(context, check, findings, i, shown, observations);
  d.fix =
      context.traits().has_backward
          ? "Derive Backward again from Forward. Is Forward made of array functions alone? Then "
            "leave Backward out: the derivative is taken automatically."
          : "Compute with array functions from the inputs to the outputs, and take values only "
            "for what is not differentiated. If it is meant so, switch this test off by its "
            "name.";
  return d;
}

}  // namespace lamina::checks
