#include "checks/check_main.h"

#include <cstdlib>
#include <exception>
#include <iostream>

#include "framework/io/file.h"

namespace lamina {

int CheckLayerMain(const std::function<CheckReport()>& check) {
  try {
    const CheckReport report = check();
    if (const char* path = std::getenv("XML_OUTPUT_FILE")) {
      const absl::Status written = WriteFileAtomically(path, ToJUnit(report));
      if (!written.ok()) {
        std::cerr << written << "\n";
        return 2;
      }
    }
    return report.ok() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}

}  // namespace lamina
