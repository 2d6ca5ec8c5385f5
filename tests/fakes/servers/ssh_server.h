// A real sshd, and the home of somebody who uses the ssh that comes with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/servers/unpacked.h"

namespace gpumon::servers {

// Listens on 127.0.0.1 with a host key, users and rules of its own, all in a folder of its own. It
// never runs as root, so it needs no account `sshd` and no /run/sshd: kUser is who it runs as, by
// another name. The shell is bash.
class SshServer {
 public:
  static constexpr const char* kUser = "operator";

  // `settings` are further lines of sshd_config, which count more: {"SetEnv PATH=/nowhere"}.
  // Throws std::runtime_error, with what it printed, when it does not come up.
  explicit SshServer(const std::vector<std::string>& settings = {});
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string host_key() const;  // as in a known_hosts file, behind the host
  // Lets in whoever has this key ("ssh-ed25519 AAAA...").
  void Admit(const std::string& public_key) const;
  // A file in the home of kUser.
  void WriteHome(const std::string& name, const std::string& text) const;
  // Stopped by SIGSTOP it is silent to whoever comes then; ended it refuses.
  process::ChildProcess& process() { return *child_; }

 private:
  process::ScratchDirectory directory_;
  std::unique_ptr<process::ChildProcess> child_;
  std::uint16_t port_ = 0;
};

// A home with a new key in ~/.ssh. ssh takes it from the list of users, whatever HOME says.
class SshHome {
 public:
  SshHome();
  SshHome(const SshHome&) = delete;
  SshHome& operator=(const SshHome&) = delete;

  // A PATH whose first folder has an `ssh` that is at home here.
  std::string path_variable() const { return directory_.File("bin") + ":/usr/bin:/bin"; }
  std::string public_key() const;
  // The path of a file there, written anew: ".ssh/config".
  std::string Write(const std::string& name, const std::string& text) const;
  // Makes `name` a host of ~/.ssh/config, which is that server; its key is known.
  void AddHost(const std::string& name, const SshServer& server) const;
  // The host key of `server` alone.
  void Know(const SshServer& server) const;

 private:
  process::ScratchDirectory directory_;
};

}  // namespace gpumon::servers
