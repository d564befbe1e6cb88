#include "framework/dlarray/error.h"

#include <cstdio>
#include <cstdlib>

namespace lamina {

Error::Error(std::string_view identifier, std::string_view expected, std::string_view came,
             std::string_view fix)
    : identifier_(identifier), fix_(fix) {
  for (std::string_view part : {expected, came, fix}) {
    if (part.empty()) continue;
    if (!message_.empty()) message_ += ' ';
    message_ += part;
  }
  Compose();
}

void Error::AddPlace(std::string_view place) {
  places_ = std::string(place) + ": " + places_;
  Compose();
}

void Error::Compose() { what_ = places_ + message_ + " [" + identifier_ + "]"; }

void BrokenInvariant(const char* file, int line, const char* message) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, message);
  std::abort();
}

}  // namespace lamina
