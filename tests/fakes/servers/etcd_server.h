// A real etcd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/fakes/servers/unpacked.h"

namespace gpumon::servers {

// One member, which is its own leader, on 127.0.0.1 with a folder of its own. GET /health answers
// 200 {"health":"true"} (a text; etcd 3.4) as soon as the constructor has returned.
class EtcdServer {
 public:
  // Enough for a new one and a little more, so that Fill ends soon.
  static constexpr std::size_t kSmallQuota = 256 * 1024;

  // `quota_bytes` of its database; 0 for etcd's own 2 GB. Throws std::runtime_error, with what it
  // printed, when it does not come up.
  explicit EtcdServer(std::size_t quota_bytes = 0);
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Puts keys until it raises the NOSPACE alarm: from then on /health answers 503
  // {"health":"false"}. For a small quota. Throws std::runtime_error when it does not come to that.
  void Fill();
  // Stopped by SIGSTOP it is silent; ended it refuses.
  process::ChildProcess& process() { return *child_; }

 private:
  process::ScratchDirectory directory_;
  std::unique_ptr<process::ChildProcess> child_;
  std::uint16_t port_ = 0;
};

}  // namespace gpumon::servers
