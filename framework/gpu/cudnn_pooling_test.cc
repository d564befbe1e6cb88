// Does cuDNN have plans for pooling of our arrays? As of convolutions (cudnn_plans_test.cc): for a
// device that is described alone. What they compute was not tried yet.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/gpu/cudnn_plans.h"
#include "framework/gpu/testing/described_device.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu {
namespace {

using cpu::PoolingShape;

PoolingShape Shape(int rank, int64_t side, int64_t window, int64_t stride, int64_t pad) {
  PoolingShape s;
  s.spatial_rank = rank;
  s.planes = 8 * 128;
  for (size_t d = 0; d < static_cast<size_t>(rank); ++d) {
    s.input[d] = side + static_cast<int64_t>(d);
    s.window[d] = window;
    s.stride[d] = stride;
    s.pad_begin[d] = s.pad_end[d] = pad;
  }
  EXPECT_TRUE(cpu::ComputeOutputSize(&s));
  return s;
}

class CudnnPoolingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(setenv("LAMINA_CACHE", cache_.path().c_str(), 1), 0);
    if (!FindCudnn().ok()) GTEST_SKIP() << FindCudnn().status();
    auto plans = CudnnPlans::ForDescribedDevice(*FindCudnn(), testing::kH200);
    if (!plans.ok()) GTEST_SKIP() << plans.status();
    plans_ = *std::move(plans);
  }
  std::string TextOf(const PoolingCall& call) const {
    const auto plan = plans_->For(call);
    return plan == nullptr ? "" : plan->descriptor.GetText(cudnn::kTextOfPlan);
  }

  const TemporaryFolder cache_{"cudnn_pooling"};
  std::unique_ptr<const CudnnPlans> plans_;
};

TEST_F(CudnnPoolingTest, PlansAreMadeAndFoundAgain) {
  const std::vector<PoolingShape> shapes = {Shape(2, 28, 2, 2, 0), Shape(2, 28, 3, 2, 1),
                                            Shape(2, 56, 3, 1, 1), Shape(1, 20, 2, 2, 0),
                                            Shape(3, 6, 2, 2, 0)};
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (const PoolingCall::Of of :
         {PoolingCall::kLargest, PoolingCall::kMean, PoolingCall::kMeanOfInside}) {
      for (const PoolingCall::Kind kind : {PoolingCall::kForward, PoolingCall::kGradient}) {
        for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
          SCOPED_TRACE(absl::StrCat("shape ", i, ", of ", of, ", kind ", kind, ", type ",
                                    static_cast<int>(type)));
          const PoolingCall call{.kind = kind, .of = of, .type = type, .shape = shapes[i]};
          const auto made = plans_->For(call);
          const auto found = plans_->For(call);
          ASSERT_NE(made, nullptr);
          ASSERT_NE(found, nullptr);
          EXPECT_FALSE(made->was_kept);
          EXPECT_TRUE(found->was_kept);
          EXPECT_EQ(found->workspace_bytes, made->workspace_bytes);
          EXPECT_EQ(found->descriptor.GetText(cudnn::kTextOfPlan),
                    made->descriptor.GetText(cudnn::kTextOfPlan));
        }
      }
    }
  }
}

// The library writes down what it was told. Fractions: sizes of pooling may be such.
TEST_F(CudnnPoolingTest, PlansDescribeThePoolingThatWasAskedFor) {
  PoolingShape s = Shape(2, 9, 3, 2, 1);
  s.window[1] = 2;
  s.stride[0] = 1;
  s.pad_begin[0] = 2;
  s.pad_end[1] = 0;
  ASSERT_TRUE(cpu::ComputeOutputSize(&s));
  struct {
    PoolingCall call;
    std::vector<std::string> parts;
  } expected[] = {
      {{.kind = PoolingCall::kForward, .of = PoolingCall::kLargest, .shape = s},
       {"RESAMPLE_FWD", "[1,1024,10,9]", "[1,1024,5,10]", "CUDNN_RESAMPLE_MAXPOOL",
        "\"windowDim\":[[2,1],[3,1]]", "\"prePad\":[[1,1],[2,1]]", "\"postPad\":[[0,1],[1,1]]",
        "\"stride\":[[2,1],[1,1]]", R"("X":"1","Y":"3")", "CUDNN_PROPAGATE_NAN",
        "CUDNN_NEG_INF_PAD"}},
      {{.kind = PoolingCall::kGradient, .of = PoolingCall::kLargest, .shape = s},
       {"RESAMPLE_BWD", R"("dX":"4","dY":"5","X":"1","Y":"3")"}},
      {{.kind = PoolingCall::kGradient, .of = PoolingCall::kMean, .shape = s},
       {"AVGPOOL_INCLUDE_PADDING", R"("dX":"4","dY":"5")", "CUDNN_ZERO_PAD"}},
      {{.kind = PoolingCall::kForward,
        .of = PoolingCall::kMeanOfInside,
        .type = DataType::kDouble,
        .shape = s},
       {"AVGPOOL_EXCLUDE_PADDING", "\"compType\":\"CUDNN_DATA_DOUBLE\""}},
  };
  for (const auto& e : expected) {
    const std::string text = TextOf(e.call);
    for (const std::string& part : e.parts) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
  }
}

}  // namespace
}  // namespace lamina::gpu
