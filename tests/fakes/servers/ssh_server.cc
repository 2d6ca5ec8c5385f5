#include "tests/fakes/servers/ssh_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace gpumon::servers {
namespace {

constexpr uid_t kNobodyId = 65534;
constexpr char kMe[] = "tester";

void WriteNew(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  if (!file.flush() || chmod(path.c_str(), mode) != 0) {
    throw std::runtime_error("cannot write " + path);
  }
}

// The library that answers for the list of users, and a list of one.
process::Environment Users(const process::ScratchDirectory& folder, const std::string& name,
                           uid_t user, gid_t group, const std::string& home) {
  const std::string ids = std::to_string(user) + ':' + std::to_string(group);
  return {
      {"LD_PRELOAD", "libnss_wrapper.so"},
      {"NSS_WRAPPER_PASSWD",
       folder.Write("passwd", name + ":x:" + ids + "::" + home + ":/bin/bash\n")},
      {"NSS_WRAPPER_GROUP", folder.Write("group", name + ":x:" + std::to_string(group) + ":\n")}};
}

// A pair of files, `path` and `path`.pub.
void MakeKey(const std::string& path) {
  // ssh-keygen wants to know who it is, even where nobody has a name.
  const process::ScratchDirectory folder;
  const auto made = process::Run("/usr/bin/ssh-keygen",
                                 {"-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path},
                                 Users(folder, kMe, geteuid(), getegid(), folder.path()));
  if (made.exit_code != 0) throw std::runtime_error("ssh-keygen failed: " + made.errors);
}

}  // namespace

SshServer::SshServer(const std::vector<std::string>& settings) {
  // Whoever runs it must get to its folder.
  chmod(directory_.path().c_str(), 0755);
  std::filesystem::create_directory(directory_.File("home"));
  HandTo(User::kNobody, directory_.File("home"));
  MakeKey(directory_.File("host"));
  directory_.Write("admitted", "");
  const bool root = geteuid() == 0;
  const auto users = Users(directory_, kUser, root ? kNobodyId : geteuid(),
                           root ? kNobodyId : getegid(), directory_.File("home"));
  std::string rules;
  for (const std::string& setting : settings) rules += setting + '\n';
  rules += "HostKey " + directory_.File("host") + "\nAuthorizedKeysFile " +
           directory_.File("admitted") +
           "\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
           "KbdInteractiveAuthentication no\nPidFile none\n";
  port_ = StartOnFreePort(
      [&](std::uint16_t port) {
        const std::string config = directory_.Write(
            "sshd_config", rules + "ListenAddress 127.0.0.1:" + std::to_string(port) + '\n');
        child_ = StartUnpacked("usr/sbin/sshd", {"-D", "-e", "-f", config}, User::kNobody, users);
        return child_->AwaitErrors("Server listening on", Millis(20'000));
      },
      [&] { return child_->Errors(); });
}

std::string SshServer::host_key() const {
  return process::ReadFile(directory_.File("host.pub"));
}

void SshServer::Admit(const std::string& public_key) const {
  directory_.Write("admitted", public_key);
}

void SshServer::WriteHome(const std::string& name, const std::string& text) const {
  WriteNew(directory_.File("home/" + name), text, 0644);
}

SshHome::SshHome() {
  for (const char* const folder : {"bin", ".ssh"}) {
    std::filesystem::create_directory(directory_.File(folder));
  }
  MakeKey(directory_.File(".ssh/id_ed25519"));
  std::string script = "#!/bin/sh\nexec env";
  for (const auto& [name, value] :
       Users(directory_, kMe, geteuid(), getegid(), directory_.path())) {
    script += ' ' + name + '=' + value;
  }
  WriteNew(directory_.File("bin/ssh"), script + " /usr/bin/ssh \"$@\"\n", 0755);
}

std::string SshHome::public_key() const {
  return process::ReadFile(directory_.File(".ssh/id_ed25519.pub"));
}

std::string SshHome::Write(const std::string& name, const std::string& text) const {
  WriteNew(directory_.File(name), text, 0600);
  return directory_.File(name);
}

void SshHome::AddHost(const std::string& name, const SshServer& server) const {
  Write(".ssh/config", process::ReadFile(directory_.File(".ssh/config")) + "Host " + name +
                           "\n  HostName 127.0.0.1\n  Port " + std::to_string(server.port()) +
                           "\n  User " + SshServer::kUser + '\n');
  Know(server);
}

void SshHome::Know(const SshServer& server) const {
  Write(".ssh/known_hosts", process::ReadFile(directory_.File(".ssh/known_hosts")) +
                                "[127.0.0.1]:" + std::to_string(server.port()) + ' ' +
                                server.host_key());
}

}  // namespace gpumon::servers
