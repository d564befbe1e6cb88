// Expressions and loops as C99, C++17, or the code of a CUDA kernel (language.h).
//
//   CPrinter printer;
//   std::string body = printer.Print(step.code, /*indent=*/1);
//   std::string file = printer.Helpers() + "void f(const float *x, float *y) {\n" + body + "}\n";
//
// Elementary functions are those of the C library (or of the prelude, see CFunctions); where C has
// none (sigmoid, the modulo with the sign of the divisor, rounding to integers that keeps within
// the type), Helpers() holds a small function. No function of the C library is used that C99 does
// not have. Results: within the errors of framework/cpu/math.h and of the C library of the eager
// ones; NaN, infinity and signed zero as in the eager ops; integers wrap around as in these. The
// compiler must not be told to ignore NaN and infinity (-ffast-math).
//
// Threads: a printer is used by one thread.
#ifndef FRAMEWORK_EMIT_C_PRINTER_H_
#define FRAMEWORK_EMIT_C_PRINTER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "framework/emit/language.h"
#include "framework/loops/statement.h"

namespace lamina {

/// A number as C writes it, exactly: "0.1f", "-INFINITY", "3".
std::string CNumber(double value, DataType type, Language language = Language::kC99);

/// Where printed code has its elementary functions from.
enum class CFunctions : uint8_t {
  kLibrary,  ///< C's: shipped code.
  kPrelude,  ///< Those of kernel_prelude.h where it has them, which become vector code.
};

class CPrinter {
 public:
  explicit CPrinter(Language language = Language::kC99, CFunctions functions = CFunctions::kLibrary)
      : language_(language), functions_(functions) {}
  Language language() const { return language_; }

  /// Names that stand beside the printed code: no function that it calls gets one of them.
  void Avoid(const std::set<std::string>& names) { avoided_ = names; }

  std::string Print(const loops::Expression& x);
  std::string Print(const loops::Block& block, int indent);
  /// The functions that the printed code calls and C does not have.
  std::string Helpers() const;
  /// The same without the complex numbers of CUDA, which stand outside of all other namespaces
  /// (cuda_complex.h): for code in a namespace.
  std::string OwnHelpers() const;
  bool uses_complex() const { return uses_complex_; }
  /// Whether printed code calls products of single or of double (KernelProducts must precede it).
  bool uses_single_products() const { return uses_products_[0]; }
  bool uses_double_products() const { return uses_products_[1]; }

 private:
  std::string Print(const loops::Expression& x, int least);
  bool IsDatum(const loops::Expression& x) const;
  bool WrapsAround(const loops::Expression& x) const;
  std::string WrappingAround(const loops::Expression& x);
  std::string Subscript(const loops::Expression& index);
  std::string Call(const loops::Expression& x);
  std::string Conversion(const loops::Expression& x, int* precedence);
  std::string Helper(const std::string& name, const std::string& definition);
  std::string Product(const loops::Statement& store);

  const Language language_;
  const CFunctions functions_;
  std::map<std::string, std::string> helpers_;
  std::map<std::string, std::string> products_;  // Names of functions by what they do.
  int last_product_ = 0;
  std::set<std::string> avoided_;
  std::set<std::string> data_;  // Variables of type int32 that are no indices.
  bool in_subscript_ = false;
  bool uses_complex_ = false, uses_independent_loops_ = false;
  bool uses_products_[2] = {};
};

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_C_PRINTER_H_
