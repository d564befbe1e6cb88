// For tests of DlAccelerate: arrays, and whether two functions give the same.
#ifndef FRAMEWORK_ACCELERATION_TESTING_ACCELERATED_CALL_H_
#define FRAMEWORK_ACCELERATION_TESTING_ACCELERATED_CALL_H_

#include <complex>
#include <cstdlib>
#include <string>
#include <string_view>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"

namespace lamina::testing {

inline constexpr AccelerateOptions kWait{.wait_for_compiler = true};

inline DlArray Data(uint64_t seed, const Sizes& sizes = {3, 4}, std::string_view format = "CB",
                    DataType type = DataType::kDouble) {
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  return Randn(sizes, type, format);
}

// Equal to rounding: kernels may sum in another order.
inline void ExpectNear(const DlArray& a, const DlArray& b) {
  ASSERT_EQ(ToString(a.spec()), ToString(b.spec()));
  for (int64_t i = 0; i < a.numel(); ++i) {
    EXPECT_NEAR(std::abs(a.ComplexAt(i) - b.ComplexAt(i)), 0, 1e-12) << "element " << i;
  }
}
inline void ExpectNear(const DlArrays& a, const DlArrays& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ExpectNear(a[i], b[i]);
}

inline DlArray Simple(const DlArray& x, const DlArray& y) { return Tanh(x) * y + Sum(x * y, "C"); }

inline bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The function and the accelerated one, differentiated in the same way.
template <class F, class G>
void ExpectSameGradients(const F& plain, const G& accelerated, const DlArrays& in) {
  const auto gradients = [&](const auto& f) {
    return DlFeval(
        [&](const DlArrays& x) {
          const DlArray y = f(x[0], x[1]);
          DlArrays out = DlGradient(Sum(Real(y * Conj(y))), x);
          out.push_back(y);
          return out;
        },
        in);
  };
  for (int i = 0; i < 4; ++i) ExpectNear(gradients(accelerated), gradients(plain));
}

// The cache of kernels stands in the test's own folder.
class Folder : public ::testing::Environment {
 public:
  void SetUp() override { setenv("LAMINA_CACHE", (::testing::TempDir() + "/kernels").c_str(), 1); }
};
inline const auto* const kFolder = ::testing::AddGlobalTestEnvironment(new Folder);

}  // namespace lamina::testing

#endif  // FRAMEWORK_ACCELERATION_TESTING_ACCELERATED_CALL_H_
