// HTTP asked by another machine: curl there, started through ssh.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/fetch/client.h"

namespace gpumon::ctl {

// How ssh gets to a machine.
struct SshWay {
  std::string host;         // "", or [USER@]HOST
  std::string port;         // "": what ssh's configuration says
  std::string config_file;  // instead of ~/.ssh/config; "": that one

  std::string name() const;  // as ParseSshHost reads it
  // `ssh` and what brings it there, to be typed by hand: "ssh -p 2222 gn07".
  std::string command() const;
};

// Reads [USER@]HOST[:PORT]; an IPv6 address with a port stands in brackets. kInvalidParameter when
// it is none that may be given to ssh; the message continues a sentence.
Result<SshWay> ParseSshHost(const std::string& text);

// Each request is one `ssh HOST curl`, without questions asked (BatchMode) and whatever the
// certificate of the other end: the way there is ssh's. Only GET; errors are those of
// fetch::Client, begin with the host and say what ssh said.
class SshClient final : public fetch::Client {
 public:
  // `clock` must outlive it.
  SshClient(SshWay way, const Clock& clock) : way_(std::move(way)), clock_(clock) {}
  ~SshClient() override;  // waits for what is under way
  SshClient(const SshClient&) = delete;
  SshClient& operator=(const SshClient&) = delete;

  void Fetch(fetch::Request request, Deadline deadline, fetch::Done done) override EXCLUDES(mutex_);

 private:
  Result<fetch::Response> Ask(const fetch::Request& request, Deadline deadline) const;

  const SshWay way_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::ctl
