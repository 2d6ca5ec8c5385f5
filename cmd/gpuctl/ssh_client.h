// HTTP asked by another machine: curl there, started through ssh.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/fetch/client.h"

namespace gpumon::ctl {

// kInvalidParameter when `host` is none that may be given to ssh.
Result<void> CheckSshHost(const std::string& host);

// Each request is one `ssh HOST curl`, without questions asked (BatchMode) and whatever the
// certificate of the other end: the way there is ssh's. Only GET; errors are those of
// fetch::Client, and begin with the host.
class SshClient final : public fetch::Client {
 public:
  // `clock` must outlive it.
  SshClient(std::string host, const Clock& clock) : host_(std::move(host)), clock_(clock) {}
  ~SshClient() override;  // waits for what is under way
  SshClient(const SshClient&) = delete;
  SshClient& operator=(const SshClient&) = delete;

  void Fetch(fetch::Request request, Deadline deadline, fetch::Done done) override EXCLUDES(mutex_);

 private:
  Result<fetch::Response> Ask(const fetch::Request& request, Deadline deadline) const;

  const std::string host_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::ctl
