#include "framework/ops/finite_check.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "framework/dlarray/coordinates.h"
#include "framework/dlarray/counted.h"

namespace lamina {
namespace {

constexpr char kSearchForInfinity[] =
    "Search for the infinity that it got, with {.infinities = true}.";
constexpr char kTooLarge[] = "That is beyond the range of its type: let numbers grow less before.";
constexpr char kKeepAway[] =
    "Keep away from there what it gets, by Max(x, 1e-6) or Where, for instance.";

thread_local int num_checks = 0;
thread_local const FiniteCheck::OfGradient* gradient = nullptr;

// Of a floating array, in the processor's memory: its values, those of a complex one in pairs.
// `visit` gets a pointer and their number.
template <class Visit>
auto WithValues(const DlArray& x, Visit visit) {
  switch (x.type()) {
    case DataType::kSingle:
      return visit(x.Data<float>(), x.numel());
    case DataType::kDouble:
      return visit(x.Data<double>(), x.numel());
    case DataType::kComplexSingle:
      return visit(reinterpret_cast<const float*>(x.Data<std::complex<float>>()), 2 * x.numel());
    default:
      return visit(reinterpret_cast<const double*>(x.Data<std::complex<double>>()), 2 * x.numel());
  }
}

// The bad elements of an array.
struct Bad {
  int64_t first = -1, count = 0;
};

class Search {
 public:
  explicit Search(bool infinities) : infinities_(infinities) {}

  Bad In(const DlArray& x) const {
    if (!IsFloating(x.type()) || x.empty()) return {};
    return WithValues(x, [&](const auto* values, int64_t n) {
      Bad bad;
      const int64_t of_element = n / x.numel();
      if (!Any(values, n)) return bad;
      for (int64_t i = 0; i < n; i += of_element) {
        if (!IsBad(values[i]) && !IsBad(values[i + of_element - 1])) continue;
        if (bad.count++ == 0) bad.first = i / of_element;
      }
      return bad;
    });
  }

 private:
  template <class T>
  bool IsBad(T x) const {
    return infinities_ ? !std::isfinite(x) : std::isnan(x);
  }
  // Without branches, so that the compiler makes vectors of it.
  template <class T>
  bool Any(const T* x, int64_t n) const {
    bool nan = false, not_finite = false;
    for (int64_t i = 0; i < n; ++i) {
      nan |= x[i] != x[i];
      not_finite |= x[i] - x[i] != 0;
    }
    return infinities_ ? not_finite : nan;
  }

  const bool infinities_;
};

std::string Text(double x) {
  if (std::isnan(x)) return "NaN";
  if (std::isinf(x)) return x > 0 ? "Inf" : "-Inf";
  return absl::StrFormat("%.6g", x);
}

std::string Value(const DlArray& x, int64_t i) {
  if (!IsComplex(x.type())) return Text(x.At(i));
  const std::complex<double> z = x.type() == DataType::kComplexSingle
                                     ? std::complex<double>(x.Data<std::complex<float>>()[i])
                                     : x.Data<std::complex<double>>()[i];
  return absl::StrCat("(", Text(z.real()), ", ", Text(z.imag()), ")");
}

// Whether an op that gave infinity for element `i` of an output got no 0 there that explains it.
bool IsTooLarge(Arrays inputs, const DlArray& output, int64_t i) {
  const auto magnitude = [](const DlArray& x, int64_t k) { return std::abs(x.ComplexAt(k)); };
  if (!std::isinf(magnitude(output, i))) return false;
  return std::none_of(inputs.begin(), inputs.end(), [&](const DlArray& input) {
    if (!IsFloating(input.type()) || (!input.has_values() && !input.on_device())) return false;
    const DlArray x = Gather(input);
    if (x.numel() == 1) return magnitude(x, 0) == 0;
    return x.sizes() == output.sizes() && magnitude(x, i) == 0;
  });
}

// What an op got for the element `i` of an output: the element of an input that looks like it, or
// the range of the input.
std::string Got(const DlArray& x, const ArraySpec& output, int64_t i) {
  if (!IsFloating(x.type()) || x.numel() == 0) return absl::StrCat("a ", ToString(x.spec()));
  if (x.numel() == 1) return Value(x, 0);
  if (x.sizes() == output.sizes) return Value(x, i);
  return WithValues(x, [&](const auto* values, int64_t n) {
    const auto [least, most] = std::minmax_element(values, values + n);
    return absl::StrCat("a ", ToString(x.spec()), " from ", Text(*least), " to ", Text(*most));
  });
}

// "Decay::Predict" of "lamina::DlArray Decay::Predict(lamina::DlArray const&) const": without
// arguments, and without the result that functions of templates are told with.
std::string NameOf(std::string_view function) {
  int depth = 0;
  const auto enter = [&depth](char c) {
    depth += c == ')' || c == '>' || c == '}' ? 1 : c == '(' || c == '<' || c == '{' ? -1 : 0;
  };
  size_t end = function.size();
  if (const size_t last = function.rfind(')'); last != function.npos) {
    end = last + 1;
    do enter(function[--end]);
    while (depth > 0 && end > 0);
  }
  size_t begin = end;
  for (; begin > 0; --begin) {
    if (depth == 0 && function[begin - 1] == ' ') break;
    enter(function[begin - 1]);
  }
  return std::string(function.substr(begin, end - begin));
}

bool BeginsWithAny(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [text](std::string_view b) { return text.starts_with(b); });
}

// Whether a reader looks for his own work there: not in the framework and the libraries.
bool IsOfUser(std::string_view name, std::string_view line) {
  if (line.empty()) {
    return !BeginsWithAny(
        name,
        {"lamina::internal::", "lamina::(anonymous namespace)::", "lamina::checks::",
         "lamina::Apply", "lamina::Door", "lamina::FiniteCheck", "lamina::Tape", "lamina::AnyLayer",
         "lamina::DlNetwork", "lamina::LossFunction", "lamina::RepeatedCall", "lamina::Train",
         "absl::", "std::", "testing::", "__", "_start"});
  }
  if (line.find("framework/") != line.npos) return line.find("_test.cc:") != line.npos;
  return !BeginsWithAny(line, {"/usr/", "/build/", "./", "../"});
}

// " It was called at decay.h:3, from train.cc:12."; "" where nothing is known.
std::string CalledAt(std::string_view what, const CallSite& site, bool with_functions) {
  constexpr size_t kMost = 3;
  const auto frames = site.Frames();
  if (!frames.ok()) {
    return absl::StrCat(" Who called it is not known: ", std::string(frames.status().message()),
                        ".");
  }
  std::vector<std::string> lines, functions;
  for (const CallSite::Frame& frame : *frames) {
    const std::string name = NameOf(frame.function);
    if (!IsOfUser(name, frame.line)) continue;
    // A function that is inlined, a lambda: on the same line as who calls it.
    const bool is_new = lines.empty() || lines.back() != frame.line;
    if (!frame.line.empty() && is_new) lines.push_back(frame.line);
    functions.push_back(name);
  }
  std::vector<std::string>& calls = lines.empty() ? functions : lines;
  if (calls.empty() || (lines.empty() && !with_functions)) return "";
  calls.resize(std::min(calls.size(), kMost));
  return absl::StrCat(" ", std::string(what), " was called ", lines.empty() ? "by " : "at ",
                      absl::StrJoin(calls, ", from "), ".");
}

std::string Named(const Op& op) {
  const std::string attributes = op.Attributes();
  return absl::StrCat(std::string(op.Name()), attributes.empty() ? "" : " ", attributes);
}

}  // namespace

int64_t FirstNotFinite(const DlArray& x) { return Search(true).In(Gather(x)).first; }

FiniteCheck::FiniteCheck(const FiniteCheckOptions& options) : options_(options), listening_(this) {
  ++num_checks;
}
FiniteCheck::~FiniteCheck() { --num_checks; }

bool FiniteCheck::IsOn() { return num_checks > 0; }

FiniteCheck::OfGradient::OfGradient(std::string_view name, const CallSite& called)
    : name_(name), called_(called), outer_(gradient) {
  gradient = this;
}
FiniteCheck::OfGradient::~OfGradient() { gradient = outer_; }

void FiniteCheck::Applied(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) {
  for (const DlArray& y : outputs) {
    if (y.has_values() || y.on_device()) Check(*op, inputs, y);
  }
}

void FiniteCheck::Check(const Op& op, Arrays inputs, const DlArray& output) {
  const bool infinities = options_.infinities || gradient != nullptr;
  const Search search(infinities);
  const DlArray y = Gather(output);
  const Bad bad = search.In(y);
  if (bad.count == 0) return;

  const std::string name = Named(op);
  std::string came = gradient == nullptr
                         ? ""
                         : absl::StrCat("In the gradient of ", std::string(gradient->name_), ", ");
  const auto others = [](const DlArray& x, const Bad& b) {
    return absl::StrCat(b.count == 1 ? "" : absl::StrCat(" and at ", b.count - 1, " more"), " of ",
                        internal::Counted(x.numel(), "element"), " of a ", ToString(x.spec()));
  };
  const std::string called = gradient == nullptr
                                 ? CalledAt("It", CallSite::Here(), options_.functions)
                                 : CalledAt(gradient->name_, gradient->called_, options_.functions);
  const auto fail = [&](std::string_view fix) {
    const Error error("ops:NotFinite", "", came, fix);
    found_ = error.message();
    throw Error(error);
  };
  got_infinity_ = false;
  std::vector<std::string> got;
  for (const DlArray& input : inputs) {
    if (!input.has_values() && !input.on_device()) continue;  // The op does not read it.
    const DlArray x = Gather(input);
    if (const Bad of_input = search.In(x); of_input.count > 0) {
      // Outside of gradients ops may give infinity.
      got_infinity_ = !options_.infinities && Search(false).In(x).count == 0;
      absl::StrAppend(&came, name, " got ", Value(x, of_input.first), " at ",
                      Coordinates(x.spec(), of_input.first), others(x, of_input),
                      got_infinity_ ? ", which is not of a gradient." : ", which no op made.",
                      called);
      fail(got_infinity_ ? kSearchForInfinity
                         : "Look where this array comes from: data, a learnable, a constant.");
    }
    got_infinity_ = got_infinity_ || Search(true).In(x).count > 0;
    got.push_back(Got(x, y.spec(), bad.first));
  }
  absl::StrAppend(&came, name, " gave ", Value(y, bad.first), " at ",
                  Coordinates(y.spec(), bad.first), others(y, bad), ".");
  if (!got.empty()) absl::StrAppend(&came, " It got ", absl::StrJoin(got, " and "), ".");
  came += called;
  fail(got_infinity_                      ? kSearchForInfinity
       : IsTooLarge(inputs, y, bad.first) ? kTooLarge
                                          : kKeepAway);
}

std::string WhatIsNotFinite(absl::FunctionRef<void()> compute, FiniteCheckOptions options) {
  std::string found;
  // A NaN may come of an infinity, and where there is no NaN one may be the result. By itself an
  // infinity may be right: a mask.
  bool look_for_infinity = true;
  for (const bool infinities : {false, true}) {
    if (infinities && !look_for_infinity) break;
    options.infinities = infinities;
    FiniteCheck check(options);
    std::string text;
    try {
      compute();
    } catch (const Error& e) {
      if (check.found().empty()) throw;
      text = e.what();
    } catch (...) {  // Who called the function may have made something else of the error.
      if (check.found().empty()) throw;
      text = check.found();
    }
    if (text.empty()) continue;
    if (!found.empty()) {
      found = absl::StrReplaceAll(found, {{absl::StrCat(" ", kSearchForInfinity), ""}});
      found += "\nBefore that: ";
    }
    found += text;
    look_for_infinity = check.got_infinity();
  }
  return found;
}

}  // namespace lamina
