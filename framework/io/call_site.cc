#include "framework/io/call_site.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "framework/io/file.h"
#include "framework/io/process.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

constexpr char kUnknown[] = "??";

// The file that a function was loaded from, and where the function is in it.
struct Place {
  std::string file;
  uintptr_t address = 0;
};

Place PlaceOf(void* address) {
  Dl_info info;
  link_map* map = nullptr;
  // A return address: the call is before it.
  const auto call = reinterpret_cast<uintptr_t>(address) - 1;
  if (dladdr1(reinterpret_cast<void*>(call), &info, reinterpret_cast<void**>(&map),
              RTLD_DL_LINKMAP) == 0) {
    return {};
  }
  std::string file = map->l_name;
  if (file.empty()) {
    std::error_code error;
    file = std::filesystem::read_symlink("/proc/self/exe", error).string();
  }
  return {std::move(file), call - map->l_addr};
}

// As the sources name it: builds stand in folders of their own.
std::string Line(std::string_view line) {
  if (line.starts_with(kUnknown) || line.ends_with(":0") || line.ends_with(":?")) return "";
  line = line.substr(0, line.find(" (discriminator"));
  for (const std::string_view folder : {"/proc/self/cwd/", "/execroot/"}) {
    const size_t at = line.find(folder);
    if (at == line.npos) continue;
    line = line.substr(at + folder.size());
    // The name of the workspace.
    if (folder == "/execroot/") line = line.substr(line.find('/') + 1);
  }
  return std::string(line);
}

// What addr2line printed of one file: "0x1234", then a function and a line for each that is
// inlined into the other.
std::vector<std::vector<CallSite::Frame>> Parse(const std::string& text) {
  std::vector<std::vector<CallSite::Frame>> found;
  std::istringstream lines(text);
  std::string function;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0x")) {
      found.emplace_back();
      function.clear();
    } else if (function.empty()) {
      function = line;
    } else if (!found.empty()) {
      if (function != kUnknown) found.back().push_back({function, Line(line)});
      function.clear();
    }
  }
  return found;
}

}  // namespace

CallSite CallSite::Here() {
  constexpr int kMost = 64, kOwn = 1;
  std::array<void*, kMost> addresses;
  const int n = backtrace(addresses.data(), kMost);
  CallSite site;
  if (n > kOwn) site.addresses_.assign(addresses.begin() + kOwn, addresses.begin() + n);
  return site;
}

absl::StatusOr<std::vector<CallSite::Frame>> CallSite::Frames() const {
  std::map<std::string, std::vector<size_t>> calls_of;  // By file.
  std::vector<std::string> addresses;
  for (void* const address : addresses_) {
    const Place place = PlaceOf(address);
    if (!place.file.empty()) calls_of[place.file].push_back(addresses.size());
    addresses.push_back(absl::StrFormat("0x%x", place.address));
  }
  std::vector<std::vector<Frame>> frames(addresses.size());
  const TemporaryFolder folder("lamina_call_site_");
  for (const auto& [file, calls] : calls_of) {
    std::vector<std::string> command{"addr2line", "-a", "-i", "-f", "-C", "-e", file};
    for (const size_t i : calls) command.push_back(addresses[i]);
    const std::string output = folder.path() + "/frames";
    absl::StatusOr<int> status =
        internal::ChildProcess().Run(command, internal::CurrentEnvironment(), output);
    if (!status.ok()) return status.status();
    const absl::StatusOr<std::string> text = ReadFile(output);
    if (!text.ok()) return text.status();
    std::vector<std::vector<Frame>> found = Parse(*text);
    if (found.size() != calls.size()) continue;  // Not a file that it reads: the kernel's own.
    for (size_t i = 0; i < calls.size(); ++i) frames[calls[i]] = std::move(found[i]);
  }
  std::vector<Frame> all;
  for (std::vector<Frame>& of_call : frames) {
    for (Frame& frame : of_call) all.push_back(std::move(frame));
  }
  return all;
}

}  // namespace lamina
