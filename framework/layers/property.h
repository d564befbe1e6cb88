// Properties: what a layer has, named once.
//
//   struct ScaleLayer : Layer {
//     Learnable scale{*this, "Scale"};              // trained
//     State count{*this, "Count", 0.0};             // carried from call to call
//     Property<int64_t> size{*this, "Size", 3};     // a setting, saved with the layer
//     ...
//   };
//
// A property tells its layer its name, kind and place; that is all of the registration. Since the
// place is kept as a distance from the layer, copies of a layer have properties of their own.
// Nested networks are properties as well: LearnableNetwork and LearnableStateNetwork
// (framework/network/nested_network.h).
//
// Threads: as ordinary members; a layer that several threads read must not be written.
#ifndef FRAMEWORK_LAYERS_PROPERTY_H_
#define FRAMEWORK_LAYERS_PROPERTY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "framework/dlarray/dlarray.h"

namespace lamina {

class Layer;

enum class PropertyKind : uint8_t { kProperty, kLearnable, kState, kLearnableState };
/// "Property", "Learnable", "State", "LearnableState".
std::string_view ToString(PropertyKind kind);

/// The value of a plain property as files and reports see it.
using PropertyValue =
    std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
std::string ToString(const PropertyValue& value);

/// One learnable or state array, wherever it stands: in a layer or in a network nested in it.
struct ParameterRef {
  std::string layer;      ///< Path of the layer: "block/Network/conv1".
  std::string parameter;  ///< Name of the property: "Weights".
  PropertyKind kind;      ///< kLearnable or kState.
  DlArray* value;
  double* learn_rate_factor;  ///< Null for states.
  double* l2_factor;          ///< Null for states.
};
using ParameterVisitor = std::function<void(const ParameterRef&)>;

/// A value made of layers, such as a network: what a nested property must offer.
class LayerTree {
 public:
  virtual ~LayerTree() = default;
  /// Visits all learnable and state arrays in a fixed order; `path` stands before their layers'
  /// names.
  virtual void VisitParameters(const std::string& path, const ParameterVisitor& visit) = 0;
  /// Calls ResetState of each layer.
  virtual void ResetState() = 0;
};

/// How the value of one property is reached from its address.
struct PropertyAccess {
  DlArray* (*array)(void*) = nullptr;                  ///< Arrays.
  LayerTree* (*tree)(void*) = nullptr;                 ///< Nested networks.
  PropertyValue (*get)(const void*) = nullptr;         ///< Plain values.
  bool (*set)(void*, const PropertyValue&) = nullptr;  ///< False when the alternative is wrong.
};

struct PropertyDescriptor {
  std::string name;
  PropertyKind kind;
  std::ptrdiff_t offset;  ///< From the Layer to the property.
  const PropertyAccess* access;
  double learn_rate_factor = 1;
  double l2_factor = 1;
};

namespace internal {
/// Tells `owner` of a property that stands at `place`.
void RegisterProperty(Layer& owner, std::string_view name, PropertyKind kind, const void* place,
                      const PropertyAccess* access);

template <class Derived>
const PropertyAccess* ArrayAccess() {
  static constexpr PropertyAccess kAccess = {
      .array = [](void* p) { return static_cast<DlArray*>(static_cast<Derived*>(p)); }};
  return &kAccess;
}

template <PropertyKind kKind>
class ArrayProperty : public DlArray {
 public:
  ArrayProperty(Layer& owner, std::string_view name, DlArray value = DlArray())
      : DlArray(std::move(value)) {
    RegisterProperty(owner, name, kKind, this, ArrayAccess<ArrayProperty>());
  }
  ArrayProperty& operator=(const DlArray& value) {
    DlArray::operator=(value);
    return *this;
  }
};

/// bool stays bool, integers become int64_t, floats double; strings and lists of numbers likewise.
template <class T>
PropertyValue ToValue(const T& v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v;
  } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    return static_cast<int64_t>(v);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(v);
  } else if constexpr (std::is_convertible_v<T, std::string>) {
    return std::string(v);
  } else if constexpr (std::is_integral_v<typename T::value_type>) {
    return std::vector<int64_t>(v.begin(), v.end());
  } else {
    return std::vector<double>(v.begin(), v.end());
  }
}

template <class T>
bool FromValue(const PropertyValue& value, T& v) {
  if constexpr (std::is_same_v<T, bool>) {
    if (const bool* p = std::get_if<bool>(&value)) return v = *p, true;
  } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    if (const int64_t* p = std::get_if<int64_t>(&value)) return v = static_cast<T>(*p), true;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (const double* p = std::get_if<double>(&value)) return v = static_cast<T>(*p), true;
    if (const int64_t* p = std::get_if<int64_t>(&value)) return v = static_cast<T>(*p), true;
  } else if constexpr (std::is_convertible_v<T, std::string>) {
    if (const std::string* p = std::get_if<std::string>(&value)) return v = *p, true;
  } else if constexpr (std::is_integral_v<typename T::value_type>) {
    if (auto* p = std::get_if<std::vector<int64_t>>(&value))
      return v = T(p->begin(), p->end()), true;
  } else {
    if (auto* p = std::get_if<std::vector<double>>(&value))
      return v = T(p->begin(), p->end()), true;
    if (auto* p = std::get_if<std::vector<int64_t>>(&value))
      return v = T(p->begin(), p->end()), true;
  }
  return false;
}

}  // namespace internal

/// An array that training changes.
using Learnable = internal::ArrayProperty<PropertyKind::kLearnable>;
/// An array that Predict and Forward return anew, such as the hidden state of a recurrent layer.
using State = internal::ArrayProperty<PropertyKind::kState>;

/// A setting: bool, a number, an enumeration, a string, or a list of numbers (Sizes). It is used as
/// a T; a number also meets arrays: `decay * x`.
template <class T>
class Property {
 public:
  Property(Layer& owner, std::string_view name) : value_() { Register(owner, name); }
  Property(Layer& owner, std::string_view name, T value) : value_(std::move(value)) {
    Register(owner, name);
  }
  Property& operator=(T value) {
    value_ = std::move(value);
    return *this;
  }
  operator const T&() const { return value_; }  // NOLINT(runtime/explicit)
  operator DlArray() const                      // NOLINT(runtime/explicit)
      requires std::is_arithmetic_v<T> &&(!std::is_same_v<T, bool>) {
    return static_cast<double>(value_);
  }
  operator std::string_view() const  // NOLINT(runtime/explicit)
      requires std::is_same_v<T, std::string> {
    return value_;
  }
  const T& get() const { return value_; }
  const T* operator->() const { return &value_; }
  const auto& operator[](size_t i) const requires requires(const T& t) { t[0]; }
  { return value_[i]; }
  friend bool operator==(const Property& p, const T& other) requires std::is_class_v<T> {
    return p.value_ == other;
  }

 private:
  void Register(Layer& owner, std::string_view name) {
    static constexpr PropertyAccess kAccess = {
        .get =
            [](const void* p) {
              return internal::ToValue(static_cast<const Property*>(p)->value_);
            },
        .set =
            [](void* p, const PropertyValue& v) {
              return internal::FromValue(v, static_cast<Property*>(p)->value_);
            }};
    internal::RegisterProperty(owner, name, PropertyKind::kProperty, this, &kAccess);
  }

  T value_;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_PROPERTY_H_
