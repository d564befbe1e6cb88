// The compilers of a CUDA toolkit, where one is found when the test runs. Nothing is built with it.
#ifndef FRAMEWORK_CODEGEN_TESTING_CUDA_TOOLKIT_H_
#define FRAMEWORK_CODEGEN_TESTING_CUDA_TOOLKIT_H_

#include <string>
#include <vector>

#include "framework/emit/c_compiler.h"

namespace lamina::testing {

/// nvcc and the library NVRTC in $CUDA_HOME, in /usr/local/cuda, nvcc also in PATH; empty where
/// there is none.
std::string FindNvcc();
std::string FindNvrtc();

/// Compiles `main` of the files for sm_80 and sm_90. The compiler's messages; "" without any.
std::string CompileCuda(const std::string& nvcc, const std::vector<SourceFile>& files,
                        const std::string& main);

/// Compiles kernels for an architecture. The compiler's messages; "" when it takes them.
std::string CompileKernels(const std::string& library, const std::string& source,
                           const std::string& architecture);

}  // namespace lamina::testing

#endif  // FRAMEWORK_CODEGEN_TESTING_CUDA_TOOLKIT_H_
