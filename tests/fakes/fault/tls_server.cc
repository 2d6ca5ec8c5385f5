#include "tests/fakes/fault/tls_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace gpumon::fault {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

// Its standard output goes to `output`, the rest nowhere.
pid_t Spawn(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  if (posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) Die("openssl");
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

// From "ACCEPT 127.0.0.1:41003", the line s_server writes once it listens, among others.
std::uint16_t ReadPort(int output) {
  std::string text;
  std::array<char, 256> block{};
  while (true) {
    const std::size_t line = text.find("ACCEPT ");
    if (line != std::string::npos && text.find('\n', line) != std::string::npos) {
      const std::size_t port = text.find(':', line) + 1;
      return static_cast<std::uint16_t>(std::strtoul(text.c_str() + port, nullptr, 10));
    }
    const ssize_t got = read(output, block.data(), block.size());
    if (got <= 0) Die("openssl s_server");
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

TlsServer::TlsServer(const std::string& alternative_name, const std::vector<std::string>& more) {
  std::string name = (std::filesystem::temp_directory_path() / "tls-server-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) Die("mkdtemp");
  folder_ = name;
  const std::string key = folder_ + "/key.pem";
  std::array<int, 2> pipe_fds{};
  if (pipe2(pipe_fds.data(), O_CLOEXEC) != 0) Die("pipe");
  output_ = pipe_fds[0];
  const pid_t maker =
      Spawn({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
             "subjectAltName=" + alternative_name, "-keyout", key, "-out", certificate_file()},
            pipe_fds[1]);
  int status = 0;
  if (waitpid(maker, &status, 0) != maker || status != 0) Die("openssl req");
  std::vector<std::string> serve = {"openssl",          "s_server", "-accept",
                                    "127.0.0.1:0",      "-www",     "-cert",
                                    certificate_file(), "-key",     key};
  serve.insert(serve.end(), more.begin(), more.end());
  server_ = Spawn(serve, pipe_fds[1]);
  close(pipe_fds[1]);
  port_ = ReadPort(output_);
}

TlsServer::~TlsServer() {
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
  close(output_);
  std::filesystem::remove_all(folder_);
}

}  // namespace gpumon::fault
