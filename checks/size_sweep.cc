#include "checks/size_sweep.h"

#include <algorithm>

namespace lamina::checks {
namespace {

constexpr int64_t kSizes[] = {1, 3, 7};

// The layouts with `size` along each dim of this label (the observations: 'B'). Empty when there is
// no such dim.
std::vector<NetworkDataLayout> Varied(const CheckContext& c,
                                      const std::vector<NetworkDataLayout>& layouts, char label,
                                      int64_t size) {
  std::vector<NetworkDataLayout> out;
  bool any = false;
  for (size_t i = 0; i < layouts.size(); ++i) {
    Sizes sizes = layouts[i].sizes();
    int64_t here = size;
    for (int d = 0; d < layouts[i].rank(); ++d) {
      const bool observations = d == c.observation_dim(static_cast<int>(i));
      const bool labelled = !layouts[i].format().empty() && layouts[i].format()[d] == label;
      if (observations ? label != 'B' : !labelled) continue;
      sizes[d] = here;
      here = (here + 1) / 2;
      any = true;
    }
    out.emplace_back(sizes, layouts[i].format().str());
  }
  return any ? out : std::vector<NetworkDataLayout>{};
}

}  // namespace

std::vector<SizeCase> OtherSizes(const CheckContext& c) {
  const std::vector<NetworkDataLayout> base =
      c.MakeSmallSubject(c.has_observations() ? Observations::kSeveral : Observations::kAsGiven)
          .layouts;
  std::vector<SizeCase> cases;
  for (const char label : {'S', 'T', 'B'}) {
    for (const int64_t size : kSizes) {
      std::vector<NetworkDataLayout> layouts = Varied(c, base, label, size);
      if (!layouts.empty()) cases.push_back({label, size, std::move(layouts)});
    }
  }
  return cases;
}

std::optional<Subject> SubjectUnlessRefused(const CheckContext& c,
                                            const std::vector<NetworkDataLayout>& layouts,
                                            DataType type) {
  try {
    Subject subject = c.MakeSubject(layouts, type);
    c.Call(subject, Function::kPredict);
    c.Call(subject, Function::kForward);
    return subject;
  } catch (const FunctionThrew& e) {
    if (!e.is_error) throw;
    return std::nullopt;
  }
}

}  // namespace lamina::checks
