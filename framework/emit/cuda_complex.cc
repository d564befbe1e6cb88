#include "framework/emit/cuda_complex.h"

namespace lamina {
namespace {

constexpr char kType[] =
#include "framework/emit/cuda_complex_type_text.inc"
    ;
constexpr char kFunctions[] =
#include "framework/emit/cuda_complex_functions_text.inc"
    ;
constexpr char kElementary[] =
#include "framework/emit/cuda_complex_elementary_text.inc"
    ;

}  // namespace

std::string CudaComplexType() { return kType; }
std::string CudaComplexFunctions() { return std::string(kFunctions) + kElementary; }

}  // namespace lamina
