#include "framework/emit/c_compiler.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "framework/io/file.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string Tail(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return "";
  return text->size() > 4000 ? text->substr(0, 4000) + "..." : *text;
}

// The environment's choice, or the usual one.
std::string Chosen(const char* variable, const char* usual) {
  const char* const chosen = std::getenv(variable);
  return chosen != nullptr && *chosen != '\0' ? chosen : usual;
}

// The command; empty where there is no such program.
std::string Found(const std::string& command) {
  const std::string probe = absl::StrCat("command -v ", Quoted(command), " >/dev/null 2>&1");
  return std::system(probe.c_str()) == 0 ? command : "";
}

bool EndsIn(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() && name.substr(name.size() - ending.size()) == ending;
}

}  // namespace

std::string CompilerCommand() { return Chosen("CC", "cc"); }

std::string FindCompiler() { return Found(CompilerCommand()); }

absl::StatusOr<std::string> CompileAndRun(const std::vector<SourceFile>& files,
                                          const std::string& flags, const std::string& input) {
  const bool is_cpp = std::any_of(files.begin(), files.end(),
                                  [](const SourceFile& file) { return EndsIn(file.name, ".cc"); });
  const std::string compiler = is_cpp ? Found(Chosen("CXX", "c++")) : FindCompiler();
  if (compiler.empty()) {
    return absl::UnavailableError(is_cpp ? "there is no C++ compiler: install one (c++)"
                                         : "there is no C compiler: install one (cc)");
  }
  const TemporaryFolder folder("lamina_c_");
  if (folder.path().empty()) return absl::UnavailableError("cannot make a temporary folder");
  const std::string at = Quoted(folder.path());
  std::string sources;
  for (const SourceFile& file : files) {
    const absl::Status status =
        WriteFileAtomically(absl::StrCat(folder.path(), "/", file.name), file.text);
    if (!status.ok()) return status;
    if (EndsIn(file.name, is_cpp ? ".cc" : ".c")) {
      absl::StrAppend(&sources, " ", Quoted(file.name));
    }
  }
  const absl::Status status = WriteFileAtomically(folder.path() + "/input", input);
  if (!status.ok()) return status;
  const std::string compile = absl::StrCat("cd ", at, " && ", Quoted(compiler), " ", flags,
                                           " -o program", sources, " -lm >messages 2>&1");
  if (std::system(compile.c_str()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(compiler, " ", flags, ":\n", Tail(folder.path() + "/messages")));
  }
  const std::string run = absl::StrCat("cd ", at, " && ./program <input >output 2>messages");
  const int result = std::system(run.c_str());
  if (result != 0) {
    return absl::InternalError(absl::StrCat("the program ended with status ", result, ":\n",
                                            Tail(folder.path() + "/messages")));
  }
  return ReadFile(folder.path() + "/output");
}

}  // namespace lamina
