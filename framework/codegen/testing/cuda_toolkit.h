// nvcc of a CUDA toolkit, where one is found when the test runs. Nothing is built with it.
#ifndef FRAMEWORK_CODEGEN_TESTING_CUDA_TOOLKIT_H_
#define FRAMEWORK_CODEGEN_TESTING_CUDA_TOOLKIT_H_

#include <string>
#include <vector>

#include "framework/emit/c_compiler.h"

namespace lamina::testing {

/// nvcc in $CUDA_HOME, in /usr/local/cuda or in PATH; empty where there is none.
std::string FindNvcc();

/// Compiles `main` of the files for sm_80 and sm_90. The compiler's messages; "" without any.
std::string CompileCuda(const std::string& nvcc, const std::vector<SourceFile>& files,
                        const std::string& main);

}  // namespace lamina::testing

#endif  // FRAMEWORK_CODEGEN_TESTING_CUDA_TOOLKIT_H_
