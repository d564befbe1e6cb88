// SHA-256 (FIPS 180-4): a name for bytes that no other bytes have.
//
//   Sha256Hex("abc")     // "ba7816bf 8f01cfea ..." without the spaces, 64 digits
//
// Threads: a pure function.
#ifndef FRAMEWORK_IO_SHA256_H_
#define FRAMEWORK_IO_SHA256_H_

#include <string>
#include <string_view>

namespace lamina {

/// The hash of `bytes` as 64 hexadecimal digits in small letters.
std::string Sha256Hex(std::string_view bytes);

}  // namespace lamina

#endif  // FRAMEWORK_IO_SHA256_H_
