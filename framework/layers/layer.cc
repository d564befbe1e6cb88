#include "framework/layers/layer.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lamina {

std::string_view ToString(PropertyKind kind) {
  constexpr std::string_view kNames[] = {"Property", "Learnable", "State", "LearnableState"};
  return kNames[static_cast<int>(kind)];
}

std::string ToString(const PropertyValue& value) {
  struct Printer {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return absl::StrCat(v); }
    std::string operator()(double v) const { return absl::StrCat(v); }
    std::string operator()(const std::string& v) const { return absl::StrCat("\"", v, "\""); }
    std::string operator()(const std::vector<int64_t>& v) const {
      return absl::StrCat("[", absl::StrJoin(v, " "), "]");
    }
    std::string operator()(const std::vector<double>& v) const {
      return absl::StrCat("[", absl::StrJoin(v, " "), "]");
    }
  };
  return std::visit(Printer(), value);
}

namespace internal {

void RegisterProperty(Layer& owner, std::string_view name, PropertyKind kind, const void* place,
                      const PropertyAccess* access) {
  for (const PropertyDescriptor& p : owner.properties_) {
    if (p.name == name) {
      throw Error("layer:DuplicateName", "Each property of a layer has a name of its own.",
                  absl::StrCat("\"", std::string(name), "\" came twice."), "Rename one of them.");
    }
  }
  owner.properties_.push_back(
      {std::string(name), kind,
       static_cast<const char*>(place) - reinterpret_cast<const char*>(&owner), access});
}

}  // namespace internal

namespace {

void* At(const Layer* layer, const PropertyDescriptor& p) {
  return const_cast<char*>(reinterpret_cast<const char*>(layer)) + p.offset;
}

std::vector<std::string> NumberedNames(std::string_view stem, int count) {
  if (count < 1) {
    throw Error("layer:InvalidCount", "A layer has one input and one output at least.",
                absl::StrCat(count, " came."), "");
  }
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) {
    names.push_back(count == 1 ? std::string(stem) : absl::StrCat(std::string(stem), i));
  }
  return names;
}

void CheckNames(const std::vector<std::string>& names) {
  if (names.empty()) NumberedNames("", 0);
  const std::set<std::string> distinct(names.begin(), names.end());
  if (distinct.size() != names.size() || distinct.count("") > 0) {
    throw Error("layer:DuplicateName", "Names of inputs or outputs are different and not empty.",
                absl::StrCat("[", absl::StrJoin(names, ", "), "] came."), "");
  }
}

}  // namespace

const std::string& Layer::Type() const {
  static const std::string* const kUnknownType = new std::string("Layer");
  return type_.empty() ? *kUnknownType : type_;
}

PropertyValue Layer::GetProperty(const PropertyDescriptor& p) const {
  if (p.access->get == nullptr) {
    throw Error("layer:NoPlainValue", "GetProperty reads a plain property, a Property<T>.",
                absl::StrCat("\"", p.name, "\" is a ", std::string(ToString(p.kind)), "."),
                "Read its array by ArrayOf, a nested network by TreeOf.");
  }
  return p.access->get(At(this, p));
}
bool Layer::SetProperty(const PropertyDescriptor& p, const PropertyValue& value) {
  return p.access->set != nullptr && p.access->set(At(this, p), value);
}
DlArray* Layer::ArrayOf(const PropertyDescriptor& p) {
  return p.access->array != nullptr ? p.access->array(At(this, p)) : nullptr;
}
const DlArray* Layer::ArrayOf(const PropertyDescriptor& p) const {
  return const_cast<Layer*>(this)->ArrayOf(p);
}
LayerTree* Layer::TreeOf(const PropertyDescriptor& p) {
  return p.access->tree != nullptr ? p.access->tree(At(this, p)) : nullptr;
}

void Layer::VisitParameters(const std::string& path, const ParameterVisitor& visit) {
  for (PropertyDescriptor& p : properties_) {
    if (DlArray* array = ArrayOf(p)) {
      const bool learnable = p.kind == PropertyKind::kLearnable;
      visit({path, p.name, p.kind, array, learnable ? &p.learn_rate_factor : nullptr,
             learnable ? &p.l2_factor : nullptr});
    } else if (LayerTree* tree = TreeOf(p)) {
      tree->VisitParameters(path.empty() ? p.name : absl::StrCat(path, "/", p.name), visit);
    }
  }
}

void Layer::ForEachLearnable(const std::function<void(DlArray&)>& visit) {
  VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind == PropertyKind::kLearnable) visit(*p.value);
  });
}
void Layer::ForEachState(const std::function<void(DlArray&)>& visit) {
  VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind == PropertyKind::kState) visit(*p.value);
  });
}

double* Layer::FactorOf(std::string_view parameter, bool learn_rate) {
  double* found = nullptr;
  std::vector<std::string> names;
  VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind != PropertyKind::kLearnable) return;
    const std::string path =
        p.layer.empty() ? p.parameter : absl::StrCat(p.layer, "/", p.parameter);
    names.push_back(path);
    if (path == parameter) found = learn_rate ? p.learn_rate_factor : p.l2_factor;
  });
  if (found == nullptr) {
    throw Error("layer:NoSuchParameter",
                absl::StrCat("Layer \"", Name(), "\" (", Type(), ") was asked for its learnable \"",
                             std::string(parameter), "\"."),
                absl::StrCat("It has [", absl::StrJoin(names, ", "), "]."), "");
  }
  return found;
}

double internal::CheckedFactor(double factor) {
  if (!(factor >= 0) || !std::isfinite(factor)) {
    throw Error("layer:InvalidFactor", "A factor is a finite number, 0 or more.",
                absl::StrCat(factor, " came."), "");
  }
  return factor;
}

void Layer::SetLearnRateFactor(std::string_view parameter, double factor) {
  *FactorOf(parameter, true) = internal::CheckedFactor(factor);
}
double Layer::LearnRateFactor(std::string_view parameter) const {
  return *const_cast<Layer*>(this)->FactorOf(parameter, true);
}
void Layer::SetL2Factor(std::string_view parameter, double factor) {
  *FactorOf(parameter, false) = internal::CheckedFactor(factor);
}
double Layer::L2Factor(std::string_view parameter) const {
  return *const_cast<Layer*>(this)->FactorOf(parameter, false);
}

void Layer::SetNumInputs(int count) { input_names_ = NumberedNames("in", count); }
void Layer::SetNumOutputs(int count) { output_names_ = NumberedNames("out", count); }
void Layer::SetInputNames(std::vector<std::string> names) {
  CheckNames(names);
  input_names_ = std::move(names);
}
void Layer::SetOutputNames(std::vector<std::string> names) {
  CheckNames(names);
  output_names_ = std::move(names);
}

}  // namespace lamina
