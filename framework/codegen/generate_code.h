// GenerateCode: a network as C99 or C++17 that needs no library but the standard one, or as CUDA.
//
//   DlNetwork net = ...;                                       // trained
//   GeneratedCode code = GenerateCode(net, {NetworkDataLayout({8, 8, 1, 1}, "SSCB")},
//                                     {.name = "digits"});
//   absl::Status status = WriteFiles(code, "firmware/src");    // digits.h, digits.c, ...
//
// and in C:
//
//   #include "digits.h"
//   static digits_context context;                             // all memory that is used
//   digits_start(&context, &digits_trained);
//   digits_predict(&context, pixels, scores);
//
// What is written:
//   NAME.h            what a program includes; says what each array is
//   NAME.c            the computation, as loops: each is told which layer and ops it comes from
//   NAME_weights.c    the parameters as they are now, NAME_trained
//   NAME_read.c       reads other parameters from a file that WeightsFile wrote
//   NAME_products.h   products of matrices, the same for all networks, where there are any
//
// The code allocates nothing, keeps nothing outside of the context that it is given (two contexts
// run side by side, in two threads too), and has no state unless the network has: then NAME_start
// takes the states that the network had and NAME_reset those after ResetState. Intermediate arrays
// share planned memory inside the context. Arrays of a call must not overlap. Parameters may be
// replaced without generating again.
//
// The other languages have the same files and say the same in their own way:
//
//   .language = Language::kCpp17   namespace NAME: Context, Parameters, trained, Start, Predict,
//                                  Reset, ReadParameters; files end in .cc
//   .language = Language::kCuda    NAME.cu with a kernel for each loop; Create takes all memory of
//                                  the device, Predict reads arrays of the host, PredictDevice
//                                  those of the device, in a stream. Complex numbers are
//                                  lamina_cuda::Complex, with the bytes of std::complex, and
//                                  begin at a multiple of their size (emit/cuda_complex.h)
//
// Arrays of the code are column-major as in the framework: the first dim is the fastest. Results
// are the framework's but for rounding: sums are added in another order and elementary functions
// are those of the C library, or of CUDA. Of a product or convolution of n terms |error| <=
// (n + 2) u sum |w| |x|, u = 2^-24 (2^-53); never by Winograd's algorithm. NaN and infinity behave
// as in the framework, but for one case: in C and C++ the zeros of a convolution's padding are
// multiplied as well, so that a weight that is not finite makes NaN of outputs at the border. There
// are no errors: where the framework refuses a position that is out of range (Gather, ScatterAdd,
// OneHot), the code gives 0 or adds nothing.
//
// In C and C++ products and convolutions keep sums in registers and use the vectors that GCC and
// Clang have for the machine; with other compilers they are plain loops. -O2 is enough for them;
// -march=native, or the machine that is meant, makes them several times as fast. Parameters are
// read in the order that they have in the framework, and packed nowhere.
//
// What parameters alone decide is computed when code is generated (simplify_prediction.h): a
// trained normalization after a convolution becomes part of its filters and bias, and
// NAME_parameters has these; the header says what each array was computed from. The bound above
// holds with these filters, and n + 7 in place of n + 2: they were rounded some five times on the
// way.
//
// Any layer whose Predict is made of array functions that have a printed form can be generated,
// also one with states, with nested networks, or in double or complex numbers. The sizes are fixed;
// the number of observations is fixed too, or has an upper bound (max_observations). Loops of a
// layer over time steps are written out step by step.
//
// Threads: pure functions.
#ifndef FRAMEWORK_CODEGEN_GENERATE_CODE_H_
#define FRAMEWORK_CODEGEN_GENERATE_CODE_H_

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "framework/emit/c_compiler.h"
#include "framework/emit/language.h"
#include "framework/network/network.h"

namespace lamina {

struct CodegenOptions {
  /// What files, functions and types are named after: a C identifier.
  std::string name = "network";
  Language language = Language::kC99;
  /// The type of the data, kSingle or kDouble. Parameters keep theirs.
  DataType type = DataType::kSingle;
  /// 0: as many observations as the layouts have. Otherwise the code takes any number of them up to
  /// this, told in each call; each layout then has a dim labelled B, whose size is not read.
  int64_t max_observations = 0;
};

/// An array that the generated code names.
struct GeneratedArray {
  std::string name;
  ArraySpec spec;
};

/// An intermediate array: when it is needed (steps are the loops of NAME_predict, from 0), and
/// where it lies in the scratch memory of its type.
struct PlannedArray {
  std::string name;
  ArraySpec spec;
  int64_t offset;
  int first_step, last_step;
};

struct GeneratedCode {
  std::vector<SourceFile> files;
  /// Bytes of a context, without padding: all memory that a running network needs besides its
  /// parameters, inputs and outputs. (Of CUDA: but for sums that are not joined yet.)
  int64_t context_bytes = 0;
  int64_t parameter_bytes = 0;
  /// The arguments of NAME_predict in their order, and the states in the context.
  std::vector<GeneratedArray> inputs, outputs, states;
  std::vector<PlannedArray> plan;
};

/// `layouts` has one for each input, with known sizes. Errors: "codegen:InvalidName";
/// "codegen:InvalidType" for data of another type than single or double;
/// "codegen:UnknownSize"; "codegen:NotInitialized"; "codegen:NoOutputs"; with max_observations
/// "codegen:Observations" when a layout has no B, when the code of a layer is not the same for any
/// number of observations (it takes a mean over them), or when a state has a size that depends on
/// it; "codegen:ReadsValues" when a layer reads the values of an array; "codegen:StateSize" when a
/// state's size does not settle; "emit:CannotPrint" for an op that has no printed form and is not
/// composed of others (names the op and the layer); "emit:TooLarge"; "network:InputCount" and those
/// of the layers.
GeneratedCode GenerateCode(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                           const CodegenOptions& options = {});
inline GeneratedCode GenerateCode(const DlNetwork& network,
                                  std::initializer_list<NetworkDataLayout> layouts,
                                  const CodegenOptions& options = {}) {
  return GenerateCode(network, std::span(layouts.begin(), layouts.size()), options);
}

/// The parameters of `network` as the bytes that NAME_read_parameters takes: for a network like the
/// one that code was generated from, trained further. Errors: as GenerateCode.
std::string WeightsFile(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                        const CodegenOptions& options = {});

/// Writes the files into a folder, which is made if it is not there.
absl::Status WriteFiles(const GeneratedCode& code, const std::string& folder);

}  // namespace lamina

#endif  // FRAMEWORK_CODEGEN_GENERATE_CODE_H_
