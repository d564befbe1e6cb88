#include "framework/ops/moved.h"

#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"

namespace lamina {

DlArrays Moved(Arrays arrays, double by) {
  RandomSource source{.seed = 5};
  const ScopedRandomSource scope(source);
  DlArrays out;
  for (const DlArray& x : arrays) {
    if (x.empty() || !IsFloating(x.type())) {
      out.push_back(x);
      continue;
    }
    const DlArray chance = Rand(x.sizes(), ToReal(x.type()), x.format().str());
    const DlArray one = OnesLike(chance);
    out.push_back(x * (one + by * Where(chance < 0.5, one, -one)));
  }
  return out;
}

}  // namespace lamina
