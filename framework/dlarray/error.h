// How a wrong call in the mathematics is told: sizes, formats, types, arity.
//
// An Error carries an identifier that a program can test ("dlarray:FormatMismatch") and a message
// that tells a person what was expected, what came, and what to do. Each floor that an error passes
// on its way up may add where it happened (the layer, the network); the identifier stays.
//
//   throw Error("dlarray:FormatMismatch", "FullyConnect expects an array with a \"C\" dim.",
//               "A 3(S) x 4(B) single DlArray came.", "Relabel the input, or add a \"C\" dim.");
#ifndef FRAMEWORK_DLARRAY_ERROR_H_
#define FRAMEWORK_DLARRAY_ERROR_H_

#include <exception>
#include <string>
#include <string_view>

namespace lamina {

class Error : public std::exception {
 public:
  /// `expected`, `came` and `fix` are whole sentences; empty ones are left out of the message.
  Error(std::string_view identifier, std::string_view expected, std::string_view came,
        std::string_view fix);

  /// "room:Reason", stable between versions.
  const std::string& identifier() const { return identifier_; }
  /// The whole text: places from outermost to innermost, what was expected, what came, the fix.
  const char* what() const noexcept override { return what_.c_str(); }
  /// The message without places and identifier.
  const std::string& message() const { return message_; }
  /// What to do; may be empty.
  const std::string& fix() const { return fix_; }

  /// Adds a place, such as "Layer \"fc\" (FullyConnectedLayer), function Predict", around those
  /// already told.
  void AddPlace(std::string_view place);

 private:
  void Compose();

  std::string identifier_, message_, fix_, places_, what_;
};

/// Ends the program with `message`: a rule of our own code was broken, which no input may do.
[[noreturn]] void BrokenInvariant(const char* file, int line, const char* message);

}  // namespace lamina

/// Checks a rule of our own code. Not for input: that gets an Error.
#define LAMINA_CHECK(condition) \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::lamina::BrokenInvariant(__FILE__, __LINE__, "broken invariant: " #condition))

#endif  // FRAMEWORK_DLARRAY_ERROR_H_
