#include "framework/emit/c_compiler.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "framework/io/file.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "lamina_c_XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string Tail(const fs::path& path) {
  const absl::StatusOr<std::string> text = ReadFile(path.string());
  if (!text.ok()) return "";
  return text->size() > 4000 ? text->substr(0, 4000) + "..." : *text;
}

}  // namespace

std::string FindCompiler() {
  const char* const chosen = std::getenv("CC");
  const std::string compiler = chosen != nullptr && *chosen != '\0' ? chosen : "cc";
  const std::string probe = absl::StrCat("command -v ", Quoted(compiler), " >/dev/null 2>&1");
  return std::system(probe.c_str()) == 0 ? compiler : "";
}

absl::StatusOr<std::string> CompileAndRun(const std::vector<SourceFile>& files,
                                          const std::string& flags, const std::string& input) {
  const std::string compiler = FindCompiler();
  if (compiler.empty()) return absl::UnavailableError("there is no C compiler: install one (cc)");
  const TemporaryFolder folder;
  if (folder.path().empty()) return absl::UnavailableError("cannot make a temporary folder");
  const std::string at = Quoted(folder.path().string());
  std::string sources;
  for (const SourceFile& file : files) {
    const absl::Status status =
        WriteFileAtomically((folder.path() / file.name).string(), file.text);
    if (!status.ok()) return status;
    if (file.name.size() > 2 && file.name.substr(file.name.size() - 2) == ".c") {
      absl::StrAppend(&sources, " ", Quoted(file.name));
    }
  }
  const absl::Status status = WriteFileAtomically((folder.path() / "input").string(), input);
  if (!status.ok()) return status;
  const std::string compile = absl::StrCat("cd ", at, " && ", Quoted(compiler), " ", flags,
                                           " -o program", sources, " -lm >messages 2>&1");
  if (std::system(compile.c_str()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(compiler, " ", flags, ":\n", Tail(folder.path() / "messages")));
  }
  const std::string run = absl::StrCat("cd ", at, " && ./program <input >output 2>messages");
  const int result = std::system(run.c_str());
  if (result != 0) {
    return absl::InternalError(absl::StrCat("the program ended with status ", result, ":\n",
                                            Tail(folder.path() / "messages")));
  }
  return ReadFile((folder.path() / "output").string());
}

}  // namespace lamina
