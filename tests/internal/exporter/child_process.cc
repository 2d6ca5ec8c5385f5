#include "tests/internal/exporter/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gpumon::exporter {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int Checked(int result, const char* what) {
  if (result < 0) throw std::runtime_error(what);
  return result;
}

}  // namespace

ExporterProcess::ExporterProcess(std::vector<std::string> arguments) {
  std::string pattern = std::filesystem::temp_directory_path() / "gpu-exporter-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  directory_ = pattern;
  watch_ = Checked(inotify_init1(IN_CLOEXEC), "inotify");
  Checked(inotify_add_watch(watch_, directory_.c_str(), IN_MOVED_TO), "inotify");

  if (std::find(arguments.begin(), arguments.end(), "--demo") != arguments.end()) {
    for (const std::string& extra :
         {std::string("--port-file"), directory_ + "/port", std::string("--listen-addr"),
          std::string("127.0.0.1"), std::string("--port"), std::string("0")}) {
      arguments.push_back(extra);
    }
  }
  arguments.insert(arguments.begin(), GPU_EXPORTER_BINARY);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, 1, (directory_ + "/out").c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (directory_ + "/err").c_str(), flags, 0600);
  const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("posix_spawn " + arguments[0]);
  exited_ = Checked(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), "pidfd_open");
}

ExporterProcess::~ExporterProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
  close(watch_);
  close(exited_);
  std::filesystem::remove_all(directory_);
}

std::uint16_t ExporterProcess::AwaitPort() {
  pollfd both[2] = {{watch_, POLLIN, 0}, {exited_, POLLIN, 0}};
  Checked(poll(both, 2, -1), "poll");
  return static_cast<std::uint16_t>(std::atoi(ReadFile(directory_ + "/port").c_str()));
}

void ExporterProcess::Signal(int signal) const {
  kill(pid_, signal);
}

Ended ExporterProcess::Wait() {
  int status = 0;
  Checked(waitpid(pid_, &status, 0), "waitpid");
  pid_ = -1;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadFile(directory_ + "/out"),
          ReadFile(directory_ + "/err")};
}

std::string Fetch(std::uint16_t port, const std::string& request) {
  const int fd = Checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Checked(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  Checked(static_cast<int>(send(fd, request.data(), request.size(), MSG_NOSIGNAL)), "send");
  std::string answer;
  char chunk[65536];
  for (ssize_t n = 0; (n = recv(fd, chunk, sizeof chunk, 0)) > 0;) {
    answer.append(chunk, static_cast<std::size_t>(n));
  }
  close(fd);
  return answer;
}

std::string Get(std::uint16_t port, const std::string& path, const std::string& headers) {
  return Fetch(
      port, "GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" + headers + "\r\n");
}

}  // namespace gpumon::exporter
