// Are the functions and values of CUDA's libraries what their headers say? These headers are not
// here when the room is built; where a toolkit is found, the compiler compares both.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/cuda_values.h"
#include "framework/gpu/testing/header_check.h"

namespace lamina::gpu {
namespace {

using testing::CheckHeader;
using testing::HeaderDeclaration;
using testing::HeaderValue;

void Compare(const std::string& header, const std::string& checks) {
  const absl::Status there = CheckHeader(header, "");
  if (!there.ok()) GTEST_SKIP() << header << " is not here: " << there;
  const absl::Status status = CheckHeader(header, checks);
  EXPECT_TRUE(status.ok()) << status;
}

TEST(CudaHeadersTest, Driver) {
  Compare("cuda.h", std::string() LAMINA_CUDA_DRIVER(LAMINA_HEADER_DECLARATION)
                        LAMINA_CUDA_VALUES(LAMINA_HEADER_VALUE));
}

TEST(CudaHeadersTest, Compiler) {
  Compare("nvrtc.h", std::string() LAMINA_CUDA_COMPILER(LAMINA_HEADER_DECLARATION));
}

TEST(CudaHeadersTest, Products) {
  const auto member = [](const char* theirs, size_t offset, size_t bytes) {
    return absl::StrCat("static_assert(offsetof(cublasLtMatmulHeuristicResult_t, ", theirs,
                        ") == ", offset, " && sizeof(cublasLtMatmulHeuristicResult_t::", theirs,
                        ") == ", bytes, ", \"", theirs, "\");\n");
  };
#define LAMINA_MEMBER(theirs, ours) \
  +member(theirs, offsetof(CublasAlgorithm, ours), sizeof(CublasAlgorithm::ours))
  Compare("cublasLt.h",
          std::string() LAMINA_CUDA_BLAS(LAMINA_HEADER_DECLARATION)
                  LAMINA_CUBLAS_VALUES(LAMINA_HEADER_VALUE) LAMINA_MEMBER("algo", algorithm)
                      LAMINA_MEMBER("workspaceSize", workspace_bytes) LAMINA_MEMBER("state", status)
                          LAMINA_MEMBER("wavesCount", waves) LAMINA_MEMBER("reserved", reserved) +
              absl::StrCat("static_assert(sizeof(cublasLtMatmulHeuristicResult_t) == ",
                           sizeof(CublasAlgorithm), ");\n"));
#undef LAMINA_MEMBER
  EXPECT_EQ(cublas::kRelu | cublas::kBias, cublas::kReluOfBias);
}

TEST(CudaHeadersTest, FourierTransforms) {
  Compare("cufft.h", std::string() LAMINA_CUFFT(LAMINA_HEADER_DECLARATION)
                         LAMINA_CUFFT_VALUES(LAMINA_HEADER_VALUE));
}

TEST(CudaHeadersTest, Collectives) {
  Compare("nccl.h",
          std::string() LAMINA_NCCL(LAMINA_HEADER_DECLARATION)
                  LAMINA_NCCL_VALUES(LAMINA_HEADER_VALUE) +
              absl::StrCat("static_assert(sizeof(ncclUniqueId) == ", sizeof(NcclId), ");\n"));
}

TEST(CudaHeadersTest, Convolutions) {
  std::string operations;
  const auto add = [&](const std::string& prefix, int first,
                       const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      operations += HeaderValue("An attribute of an operation", (prefix + name).c_str(), first++);
    }
  };
  add("CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_", cudnn::kForwardAttributes,
      {"ALPHA", "BETA", "CONV_DESC", "W", "X", "Y"});
  add("CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_", cudnn::kDataAttributes,
      {"ALPHA", "BETA", "CONV_DESC", "W", "DX", "DY"});
  add("CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_", cudnn::kWeightsAttributes,
      {"ALPHA", "BETA", "CONV_DESC", "DW", "X", "DY"});
  Compare(
      "cudnn.h",
      std::string() LAMINA_CUDNN(LAMINA_HEADER_DECLARATION) LAMINA_CUDNN_KINDS(LAMINA_HEADER_VALUE)
              LAMINA_CUDNN_ATTRIBUTES(LAMINA_HEADER_VALUE) LAMINA_CUDNN_TYPES(LAMINA_HEADER_VALUE)
                  LAMINA_CUDNN_NOTES(LAMINA_HEADER_VALUE) LAMINA_CUDNN_VALUES(LAMINA_HEADER_VALUE) +
          operations);
}

// What is wrong is found.
TEST(CudaHeadersTest, AWrongArgumentOrValueIsFound) {
  if (const absl::Status status = CheckHeader("cstddef", ""); !status.ok()) GTEST_SKIP() << status;
  const auto is_found = [](const char* declaration, const char* ours) {
    return !CheckHeader("cstddef",
                        absl::StrCat("enum E { kTwo = 2 };\nstruct S;\n", declaration, "\n",
                                     HeaderDeclaration("F", ours), HeaderValue("kTwo", "kTwo", 2)))
                .ok();
  };
  EXPECT_FALSE(is_found("E F(S*, const void*, E, E*, size_t, const S*);",
                        "(void*, const void*, int, int*, size_t, const void*)"));
  for (const auto& [declaration, ours] :
       std::vector<std::pair<const char*, const char*>>{{"E F(int);", "(int, int)"},
                                                        {"E F(size_t);", "(int)"},
                                                        {"E F(int);", "(unsigned)"},
                                                        {"E F(float);", "(int)"},
                                                        {"E F(const int*);", "(int*)"},
                                                        {"E F(void*);", "(const void*)"},
                                                        {"E F(int);", "(void*)"},
                                                        {"E F(size_t*);", "(int*)"},
                                                        {"E F(S**);", "(int*)"},
                                                        {"void F(int);", "(int)"},
                                                        {"", "(int)"}}) {
    EXPECT_TRUE(is_found(declaration, ours)) << declaration << " " << ours;
  }
  EXPECT_FALSE(CheckHeader("cstddef", HeaderValue("kOne", "1", 2)).ok());
}

}  // namespace
}  // namespace lamina::gpu
