#include "framework/io/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace lamina::internal {
namespace {

// What exec takes. `strings` must live as long.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// The file of a command; "" where PATH has none. posix_spawnp would search by the variables of the
// process.
std::string Find(const std::string& command, const std::vector<std::string>& environment) {
  constexpr std::string_view kName = "PATH=";
  if (command.find('/') != std::string::npos) return command;
  std::string folders = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string& variable : environment) {
    if (variable.rfind(kName, 0) == 0) folders = variable.substr(kName.size());
  }
  for (const auto folder : absl::StrSplit(folders, ':')) {
    const std::string file = absl::StrCat(folder.empty() ? "." : folder, "/", command);
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> CurrentEnvironment() {
  std::vector<std::string> variables;
  for (char** v = environ; v != nullptr && *v != nullptr; ++v) variables.emplace_back(*v);
  return variables;
}

absl::StatusOr<int> ChildProcess::Run(const std::vector<std::string>& arguments,
                                      const std::vector<std::string>& environment,
                                      const std::string& output) {
  const std::vector<char*> argv = Pointers(arguments), variables = Pointers(environment);
  const std::string file = Find(arguments[0], environment);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  // A group of its own: a compiler's driver starts others, and Kill ends them all.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = 0;
  int error = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    error = killed_ ? ECANCELED
                    : posix_spawn(&pid, file.c_str(), &files, &attributes, argv.data(),
                                  variables.data());
    if (error == 0) running_ = pid;
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error == ECANCELED) return absl::CancelledError("the program is ending");
  if (error != 0) {
    const std::string text =
        absl::StrCat("cannot start '", arguments[0], "': ", std::strerror(error));
    return error == ENOENT || error == EACCES ? absl::NotFoundError(text)
                                              : absl::UnavailableError(text);
  }
  // First wait without taking the status, so that the number stays the child's until `running_` is
  // cleared: Kill never meets a stranger.
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  running_ = 0;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return absl::UnavailableError("the end of a program was not seen");
  }
  if (killed_) return absl::CancelledError("the program is ending");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ChildProcess::Kill() {
  const std::lock_guard<std::mutex> lock(mutex_);
  killed_ = true;
  if (running_ > 0) kill(-running_, SIGKILL);
}

}  // namespace lamina::internal
