#include "framework/parallel/testing/run_ranks.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "framework/dlarray/error.h"
#include "framework/io/temporary_folder.h"

namespace lamina::parallel::testing {
namespace {

constexpr unsigned kSecondsAtMost = 120;

std::string FileOf(const TemporaryFolder& folder, const std::string& what, int rank) {
  return folder.path() + "/" + what + std::to_string(rank);
}

void RunOne(int rank, int size, const TemporaryFolder& folder,
            const std::function<std::string(Communicator&)>& function) {
  setenv("LAMINA_RANK", std::to_string(rank).c_str(), 1);
  setenv("LAMINA_RANKS", std::to_string(size).c_str(), 1);
  setenv("LAMINA_RENDEZVOUS", (folder.path() + "/rendezvous").c_str(), 1);
  alarm(kSecondsAtMost);
  std::string text, error;
  try {
    const std::shared_ptr<Communicator> ranks = RanksOfProcess();
    text = function(*ranks);
  } catch (const Error& e) {
    text = e.what();
    error = e.identifier();
  } catch (const std::exception& e) {
    text = e.what();
    error = "exception";
  }
  std::ofstream(FileOf(folder, "text", rank)) << text;
  std::ofstream(FileOf(folder, "error", rank)) << error;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::vector<RankResult> RunRanks(int size,
                                 const std::function<std::string(Communicator&)>& function) {
  const TemporaryFolder folder("ranks");
  std::cout.flush();
  const auto start = std::chrono::steady_clock::now();
  std::vector<pid_t> processes;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t process = fork();
    if (process == 0) {
      RunOne(rank, size, folder, function);
      std::cout.flush();
      _exit(0);  // Nothing of the test's is cleaned up twice.
    }
    processes.push_back(process);
  }
  std::vector<RankResult> results(processes.size());
  for (size_t left = processes.size(); left > 0; --left) {
    int status = 0;
    const pid_t ended = wait(&status);
    const auto found = std::find(processes.begin(), processes.end(), ended);
    if (found == processes.end()) break;
    const int rank = static_cast<int>(found - processes.begin());
    RankResult& r = results[static_cast<size_t>(rank)];
    r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    r.crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    r.text = Contents(FileOf(folder, "text", rank));
    r.error = Contents(FileOf(folder, "error", rank));
  }
  return results;
}

}  // namespace lamina::parallel::testing
