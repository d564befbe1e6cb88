// Does cuDNN take what it is told of our convolutions, and are its plans found again on the disk?
// From version 9.8 on it makes plans for a device that is described alone, so no device is needed;
// the library is. What plans compute is tested where there is a device (library_calls_test.cc).
#include "framework/gpu/cudnn_plans.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "framework/gpu/testing/described_device.h"
#include "framework/io/file.h"
#include "framework/io/sha256.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu {
namespace {

using cpu::ConvolutionShape;
using testing::kH200;

// Convolutions of the benchmark (tools/bench), and what else there is of them.
struct Case {
  std::string name;
  ConvolutionShape shape;
};

// Square images and filters, "same" padding.
ConvolutionShape Same(int64_t side, int64_t in, int64_t out, int64_t batch, int64_t filter) {
  ConvolutionShape s;
  s.batch = batch;
  s.channels_in = in;
  s.channels_out = out;
  s.input = {side, side, 1};
  s.kernel = {filter, filter, 1};
  s.pad_begin = s.pad_end = {filter / 2, filter / 2, 0};
  return s;
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {
      {"mnist_cnn 1", Same(28, 1, 8, 128, 3)},   {"mnist_cnn 2", Same(14, 8, 16, 128, 3)},
      {"mnist_cnn 3", Same(7, 16, 32, 128, 3)},  {"conv_64_28", Same(28, 64, 64, 32, 3)},
      {"predict_mnist 1", Same(28, 1, 8, 1, 3)}, {"one channel, 5 x 5", Same(28, 1, 20, 128, 5)},
  };
  ConvolutionShape s = Same(9, 4, 6, 4, 3);
  s.stride = {2, 1, 1};
  s.pad_end = {0, 1, 0};
  cases.push_back({"strides, uneven padding", s});
  s = Same(9, 6, 12, 4, 3);
  s.groups = 3;
  cases.push_back({"groups", s});
  s = {};
  s.spatial_rank = 1;
  s.channels_in = 3;
  s.channels_out = 6;
  s.input[0] = 20;
  s.kernel[0] = 5;
  s.dilation[0] = 2;
  cases.push_back({"one dim", s});
  s = {};
  s.spatial_rank = 3;
  s.batch = 3;
  s.channels_in = 2;
  s.channels_out = 4;
  s.input = {5, 6, 4};
  s.kernel = {2, 3, 2};
  cases.push_back({"three dims", s});
  for (Case& c : cases) EXPECT_TRUE(cpu::ComputeOutputSize(&c.shape)) << c.name;
  return cases;
}

double Seconds(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class CudnnPlansTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(setenv("LAMINA_CACHE", cache_.path().c_str(), 1), 0);
    if (!FindCudnn().ok()) GTEST_SKIP() << FindCudnn().status();
    auto plans = CudnnPlans::ForDescribedDevice(*FindCudnn(), kH200);
    if (!plans.ok()) GTEST_SKIP() << plans.status();
    plans_ = *std::move(plans);
  }

  // What another process would have.
  static std::unique_ptr<const CudnnPlans> Again(const Cudnn& cudnn = *FindCudnn(),
                                                 const std::string& properties = kH200) {
    return *CudnnPlans::ForDescribedDevice(cudnn, properties);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(cache_.path())) {
      files.push_back(entry.path().string());
    }
    return files;
  }

  const TemporaryFolder cache_{"cudnn_plans"};
  std::unique_ptr<const CudnnPlans> plans_;
};

ConvolutionCall Call(const Case& c, int kind, DataType type = DataType::kSingle,
                     bool is_rounded = false) {
  return {.kind = static_cast<ConvolutionCall::Kind>(kind),
          .type = type,
          .shape = c.shape,
          .is_rounded = is_rounded};
}

std::string TextOf(const CudnnPlans::Plan& plan) {
  return plan.descriptor.GetText(cudnn::kTextOfPlan);
}

TEST_F(CudnnPlansTest, AreMadeForAllConvolutionsAndFoundAgain) {
  struct Numbers {
    DataType type;
    bool is_rounded;
    const char* name;
  };
  double to_make = 0, to_find = 0;
  int count = 0;
  for (const Case& c : Cases()) {
    for (const Numbers& numbers :
         {Numbers{DataType::kSingle, false, "single"}, Numbers{DataType::kSingle, true, "rounded"},
          Numbers{DataType::kDouble, false, "double"}}) {
      for (int kind = 0; kind < 3; ++kind) {
        SCOPED_TRACE(absl::StrCat(c.name, ", ", numbers.name, ", kind ", kind));
        const ConvolutionCall call = Call(c, kind, numbers.type, numbers.is_rounded);
        std::unique_ptr<const CudnnPlans::Plan> made, found;
        const double making = Seconds([&] { made = plans_->For(call); });
        const auto again = Again();
        const double finding = Seconds([&] { found = again->For(call); });
        ASSERT_NE(made, nullptr);
        ASSERT_NE(found, nullptr);
        EXPECT_FALSE(made->was_kept);
        EXPECT_TRUE(found->was_kept);
        EXPECT_EQ(found->workspace_bytes, made->workspace_bytes);
        EXPECT_FALSE(TextOf(*made).empty());
        EXPECT_EQ(TextOf(*found), TextOf(*made));
        if (count++ == 0) {
          std::cout << absl::StrFormat("the first: made in %.1f ms\n", making * 1e3);
          continue;  // It loads parts of the library.
        }
        to_make += making;
        to_find += finding;
      }
    }
  }
  std::cout << absl::StrFormat("%d plans, each made in %.1f ms, found in %.1f ms in the mean\n",
                               count, to_make / (count - 1) * 1e3, to_find / (count - 1) * 1e3);
  EXPECT_EQ(static_cast<int>(Files().size()), count);
}

// The library writes down what it was told.
TEST_F(CudnnPlansTest, DescribeTheConvolutionThatWasAskedFor) {
  const std::vector<Case> cases = Cases();
  const auto find = [&](const std::string& name) {
    return *std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.name == name; });
  };
  struct {
    std::string name;
    int kind;
    std::vector<std::string> parts;
  } expected[] = {
      {"mnist_cnn 2",
       0,
       {"CONV_FORWARD", "[128,8,14,14]", "[16,8,3,3]", "[128,16,14,14]",
        R"("X":"1","W":"2","Y":"3")", "CUDNN_CROSS_CORRELATION", "\"pad\":[1,1]", "\"beta\":0.0"}},
      {"mnist_cnn 2", 1, {"CONV_BWD_DATA", R"("dX":"1","W":"2","dY":"3")"}},
      {"mnist_cnn 2", 2, {"CONV_BWD_FILTER", R"("X":"1","dW":"2","dY":"3")"}},
      {"strides, uneven padding",
       0,
       {"\"stride\":[1,2]", "\"pad_upper\":[1,0]", "\"pad_lower\":[1,1]", "[4,4,9,9]",
        "[4,6,9,4]"}},
      {"one dim", 0, {"\"dilation\":[1,2]", "[1,3,1,20]", "[6,3,1,5]", "[1,6,1,12]"}},
      {"three dims", 0, {"[3,2,4,6,5]", "[4,2,2,3,2]", "[3,4,3,4,4]"}},
      {"groups", 0, {"[4,6,9,9]", "[12,2,3,3]"}},
  };
  for (const auto& e : expected) {
    const auto plan = plans_->For(Call(find(e.name), e.kind));
    ASSERT_NE(plan, nullptr);
    const std::string text = TextOf(*plan);
    for (const std::string& part : e.parts) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
  }
}

// Of single, no engine for tensor cores; where factors are rounded, one of them.
TEST_F(CudnnPlansTest, DifferWithThePrecision) {
  const Case c = {"conv_64_28", Same(28, 64, 64, 32, 3)};
  Case whole = c;
  ASSERT_TRUE(cpu::ComputeOutputSize(&whole.shape));
  for (int kind = 0; kind < 3; ++kind) {
    const auto single = plans_->For(Call(whole, kind)),
               rounded = plans_->For(Call(whole, kind, DataType::kSingle, true));
    EXPECT_NE(TextOf(*single), TextOf(*rounded)) << kind;
  }
}

TEST_F(CudnnPlansTest, FilesThatWereChangedAreMadeAnew) {
  const Case c = Cases()[1];
  const auto call = Call(c, 0);
  const std::string text = TextOf(*plans_->For(call));
  ASSERT_EQ(Files().size(), 1u);
  const std::string file = Files()[0];
  const std::string whole = *ReadFile(file);
  EXPECT_EQ(whole, text + Sha256Hex(text));
  // With a hash that fits it is cuDNN that has to notice.
  const auto sealed = [](const std::string& bytes) { return bytes + Sha256Hex(bytes); };
  const std::string broken[] = {
      "",
      whole.substr(0, whole.size() / 2),
      absl::StrReplaceAll(whole, {{"FORWARD", "BACKARD"}}),
      sealed(""),
      sealed("{}"),
      sealed("no plan"),
      sealed(std::string(1000, '\0')),
      sealed(text.substr(0, text.size() / 2)),
      sealed(absl::StrReplaceAll(text, {{"\"engineId\":", "\"engineId\":9"}})),
      sealed(absl::StrReplaceAll(text, {{"\"cudnnVersion\":", "\"cudnnVersion\":1"}})),
  };
  for (const std::string& bytes : broken) {
    SCOPED_TRACE(bytes.substr(0, 80));
    ASSERT_TRUE(WriteFileAtomically(file, bytes).ok());
    const auto anew = Again()->For(call);
    ASSERT_NE(anew, nullptr);
    EXPECT_FALSE(anew->was_kept);
    EXPECT_EQ(TextOf(*anew), text);
    EXPECT_EQ(*ReadFile(file), whole);
    EXPECT_TRUE(Again()->For(call)->was_kept);
  }
}

TEST_F(CudnnPlansTest, AreForOneDeviceAndOneVersion) {
  const auto call = Call(Cases()[1], 0);
  ASSERT_NE(plans_->For(call), nullptr);
  const std::string fewer =
      absl::StrReplaceAll(kH200, {{"\"multiProcessorCount\": 132", "\"multiProcessorCount\": 66"}});
  EXPECT_FALSE(Again(*FindCudnn(), fewer)->For(call)->was_kept);
  Cudnn newer = *FindCudnn();
  newer.GetProperty = [](int, int* value) {
    *value = 99;
    return 0;
  };
  EXPECT_FALSE(Again(newer)->For(call)->was_kept);
  newer = *FindCudnn();
  newer.GetCudartVersion = [] { return 99999; };
  EXPECT_FALSE(Again(newer)->For(call)->was_kept);
  EXPECT_TRUE(Again()->For(call)->was_kept);
}

// One that does not write plans down, or does not take them.
TEST_F(CudnnPlansTest, ALibraryThatKeepsNoneMakesThem) {
  const auto call = Call(Cases()[1], 0);
  static Cudnn found;
  found = *FindCudnn();
  Cudnn silent = found, deaf = found;
  silent.GetAttribute = [](void* descriptor, int attribute, int type, int64_t most, int64_t* count,
                           void* values) {
    if (attribute == cudnn::kTextOfPlan) return 3000;
    return found.GetAttribute(descriptor, attribute, type, most, count, values);
  };
  deaf.SetAttribute = [](void* descriptor, int attribute, int type, int64_t count,
                         const void* values) {
    if (attribute == cudnn::kTextOfPlan) return 3000;
    return found.SetAttribute(descriptor, attribute, type, count, values);
  };
  for (int i = 0; i < 2; ++i) {
    const auto plan = Again(silent)->For(call);
    ASSERT_NE(plan, nullptr);
    EXPECT_FALSE(plan->was_kept);
    EXPECT_TRUE(Files().empty());
  }
  ASSERT_NE(plans_->For(call), nullptr);
  const auto plan = Again(deaf)->For(call);
  ASSERT_NE(plan, nullptr);
  EXPECT_FALSE(plan->was_kept);
}

TEST_F(CudnnPlansTest, ADescriptionThatIsNoneIsRefused) {
  const auto plans = CudnnPlans::ForDescribedDevice(*FindCudnn(), "{}");
  EXPECT_EQ(plans.status().code(), absl::StatusCode::kUnimplemented) << plans.status();
}

}  // namespace
}  // namespace lamina::gpu
