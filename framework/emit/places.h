// Places in memory that code names: where loops load and store.
//
// Threads: pure functions but for their arguments.
#ifndef FRAMEWORK_EMIT_PLACES_H_
#define FRAMEWORK_EMIT_PLACES_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "framework/loops/statement.h"

namespace lamina {

/// The arrays that the code loads from, and those that it stores to.
std::set<std::string> LoadedArrays(const loops::Block& code);
std::set<std::string> StoredArrays(const loops::Block& code);

namespace internal {

/// Calls read(array, index) and stored(array, index) for all places in memory that a block names.
template <class R, class S>
void ForEachPlace(const loops::Block& block, const R& read, const S& stored) {
  const auto visit = [&read](const loops::Expression& x) {
    if (x.operation() == loops::Operation::kLoad) read(x.node().name, x.node().operands[0]);
  };
  for (const loops::Statement& s : block) {
    Visit(s.value, visit);
    if (s.kind == loops::Statement::kStore) {
      Visit(s.index, visit);
      stored(s.name, s.index);
    }
    ForEachPlace(s.body, read, stored);
  }
}

/// Array and index of a place, in the stead of those given.
using PlaceOf = std::function<std::pair<std::string, loops::Expression>(
    const std::string& array, const loops::Expression& index)>;
/// Puts place(array, index) in the stead of each load and store. Indices of stores become int32.
void ReplacePlaces(loops::Block* code, const PlaceOf& place);

/// An index as something that varies and a number of elements.
std::pair<loops::Expression, int64_t> SplitConstant(const loops::Expression& x);

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_EMIT_PLACES_H_
