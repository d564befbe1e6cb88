#include "framework/emit/kernel_parameters.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/emit/places.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;

namespace {

using TypeOf = std::function<std::optional<DataType>(const std::string&)>;

class Namer {
 public:
  Namer(const Block& code, const TypeOf& type_of) : type_of_(type_of) {
    const auto note = [&](const std::string& array, const Expression& index) {
      offsets_[array].insert(SplitConstant(index).second);
    };
    ForEachPlace(code, note, [&](const std::string& array, const Expression& index) {
      note(array, index);
      stored_.insert(array);
    });
  }

  std::vector<KernelParameter> Take() { return std::move(parameters_); }

  std::pair<std::string, Expression> Place(const std::string& array, const Expression& index) {
    const std::optional<DataType> type = type_of_(array);
    if (!type) return {array, index};
    auto [rest, offset] = SplitConstant(index);
    const bool is_stored = stored_.count(array) > 0;
    if (is_stored) {
      const int64_t first = *offsets_[array].begin();
      rest = rest + Expression(offset - first);
      offset = first;
    }
    const auto [found, is_new] = number_of_.emplace(std::pair(array, offset), parameters_.size());
    if (is_new) parameters_.push_back({array, offset, *type, is_stored});
    return {ParameterName(static_cast<int64_t>(found->second)), rest};
  }

 private:
  const TypeOf& type_of_;
  std::map<std::string, std::set<int64_t>> offsets_;
  std::set<std::string> stored_;
  std::map<std::pair<std::string, int64_t>, size_t> number_of_;
  std::vector<KernelParameter> parameters_;
};

}  // namespace

std::vector<KernelParameter> NameParameters(Block* code, const TypeOf& type_of) {
  Namer namer(*code, type_of);
  ReplacePlaces(code, [&](const std::string& array, const Expression& index) {
    return namer.Place(array, index);
  });
  return namer.Take();
}

void RenameArray(Block* code, const std::string& from, const std::string& to) {
  ReplacePlaces(code, [&](const std::string& array, const Expression& index) {
    return std::pair(array == from ? to : array, index);
  });
}

std::string ParameterName(int64_t number) { return absl::StrCat("p", number); }

}  // namespace lamina::internal
