#include "checks/array_components.h"

#include <complex>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina::checks {

std::vector<double> Components(const DlArray& x) {
  std::vector<double> out;
  if (!IsFloating(x.type())) return out;
  const DlArray d = Cast(x, IsComplex(x.type()) ? DataType::kComplexDouble : DataType::kDouble);
  if (IsComplex(d.type())) {
    out.reserve(2 * d.numel());
    const std::complex<double>* p = d.Data<std::complex<double>>();
    for (int64_t i = 0; i < d.numel(); ++i) {
      out.push_back(p[i].real());
      out.push_back(p[i].imag());
    }
    return out;
  }
  return d.ToVector<double>();
}

DlArray FromComponents(std::span<const double> components, const ArraySpec& spec) {
  if (!IsComplex(spec.type)) {
    return Cast(DlArray::FromSpan<double>(components, spec.sizes, spec.format.str()), spec.type);
  }
  std::vector<std::complex<double>> values(components.size() / 2);
  for (size_t i = 0; i < values.size(); ++i) values[i] = {components[2 * i], components[2 * i + 1]};
  return Cast(DlArray::FromVector<std::complex<double>>(values, spec.sizes, spec.format.str()),
              spec.type);
}

Numbers NumbersOf(std::span<const DlArray> arrays) {
  if (arrays.size() == 1 && IsRealFloating(arrays[0].type())) {
    return Numbers(Cast(arrays[0], DataType::kDouble));
  }
  std::vector<double> all;
  for (const DlArray& x : arrays) {
    const std::vector<double> part = Components(x);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

DlArray FromNumbers(const Numbers& numbers, size_t at, const ArraySpec& spec) {
  const size_t n = NumElements(spec.sizes) * (IsComplex(spec.type) ? 2 : 1);
  LAMINA_CHECK(at + n <= numbers.size());
  if (n == numbers.size() && !IsComplex(spec.type)) {
    return Cast(Reshape(numbers.array(), spec.sizes, spec.format.str()), spec.type);
  }
  return FromComponents({numbers.begin() + at, n}, spec);
}

std::string Quoted(std::string_view name) { return absl::StrCat("'", std::string(name), "'"); }

}  // namespace lamina::checks
