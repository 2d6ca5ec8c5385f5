#include "tests/fakes/servers/unpacked.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace gpumon::servers {
namespace {

constexpr uid_t kNobodyId = 65534;

bool ChangesUser(User user) {
  return user == User::kNobody && geteuid() == 0;
}

std::string Tools() {
  const char* const given = std::getenv("GPUMON_TOOLS");
  return given == nullptr ? GPUMON_TOOLS : given;
}

std::string LibraryPath() {
  std::string path;
  for (const char* below : {"/usr/lib", "/lib"}) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(Tools() + below, none)) {
      const std::string folder = entry.path().string();
      if (folder.find("-linux-gnu") == std::string::npos) continue;
      path += (path.empty() ? "" : ":") + folder;
    }
  }
  return path;
}

}  // namespace

std::uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::string ProgramOf(const std::string& path) {
  const std::string program = Tools() + '/' + path;
  if (access(program.c_str(), X_OK) == 0) return program;
  throw std::runtime_error(program +
                           " is missing; unpack it with `scripts/deps.sh test`, or name another "
                           "folder of unpacked packages in GPUMON_TOOLS");
}

void HandTo(User user, const std::string& path) {
  const bool done = chmod(path.c_str(), 0700) == 0 &&
                    (!ChangesUser(user) || chown(path.c_str(), kNobodyId, kNobodyId) == 0);
  if (!done) throw std::runtime_error("cannot hand over " + path);
}

std::unique_ptr<process::ChildProcess> StartUnpacked(const std::string& path,
                                                     std::vector<std::string> arguments, User user,
                                                     process::Environment environment) {
  std::vector<std::string> all = {"--pdeathsig=KILL"};
  if (ChangesUser(user)) {
    const std::string id = std::to_string(kNobodyId);
    // The folders above the programs may be closed to others.
    all.insert(all.end(), {"--reuid=" + id, "--regid=" + id, "--clear-groups",
                           "--inh-caps=+dac_override", "--ambient-caps=+dac_override"});
  }
  all.push_back(ProgramOf(path));
  all.insert(all.end(), arguments.begin(), arguments.end());
  const std::string libraries = LibraryPath();
  if (!libraries.empty()) environment["LD_LIBRARY_PATH"] = libraries;
  return std::make_unique<process::ChildProcess>("/usr/bin/setpriv", std::move(all), environment);
}

std::uint16_t StartOnFreePort(const std::function<bool(std::uint16_t)>& start,
                              const std::function<std::string()>& said) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    const std::uint16_t port = FreePort();
    if (start(port)) return port;
    if (said().find("ddress already in use") == std::string::npos) break;
  }
  throw std::runtime_error("the server did not start: " + said());
}

}  // namespace gpumon::servers
