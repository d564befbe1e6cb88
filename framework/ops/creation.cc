#include "framework/ops/creation.h"

#include <utility>

#include "framework/cpu/cast.h"
#include "framework/ops/device_elements.h"

namespace lamina {
namespace {

DlArray Filled(ArraySpec spec, std::complex<double> value) {
  internal::ArrayDataPtr d = internal::ArrayData::Make(std::move(spec));
  alignas(16) std::byte one[16];
  cpu::Cast(DataType::kComplexDouble, d->spec.type, 1, &value, one);
  cpu::Fill(d->spec.type, d->numel, one, d->mutable_bytes());
  return DlArray(std::move(d));
}

}  // namespace

DlArray Full(const Sizes& sizes, std::complex<double> value, DataType type,
             std::string_view format) {
  return Filled(internal::SpecInOrder(type, sizes, format), value);
}

DlArray Zeros(const Sizes& sizes, DataType type, std::string_view format) {
  return Full(sizes, 0.0, type, format);
}
DlArray Ones(const Sizes& sizes, DataType type, std::string_view format) {
  return Full(sizes, 1.0, type, format);
}
DlArray FullLike(const DlArray& x, std::complex<double> value) {
  return OnDeviceOf(x, Filled(x.spec(), value));
}
DlArray ZerosLike(const DlArray& x) { return FullLike(x, 0.0); }
DlArray OnesLike(const DlArray& x) { return FullLike(x, 1.0); }

}  // namespace lamina
