#include "framework/acceleration/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace lamina::internal {

absl::StatusOr<int> ChildProcess::Run(const std::vector<std::string>& arguments,
                                      const std::string& output) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);

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
                    : posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), environ);
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
