// Asks the GPUd of a host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"
#include "internal/gpud/answers.h"

namespace gpumon::gpud {

// All that one GPUd says at one time.
struct Host {
  Machine machine;
  std::vector<State> states;
  std::vector<Event> events;
  std::vector<Metric> metrics;
  // What it did not tell, and why: "events: it answered 500".
  std::vector<std::string> missing;
};

// Of a GPUd that is not on this machine. kSigned: its certificate must be good, which GPUd's own
// never is. kAnyone: any will do, so whoever is on the way can answer in its place; for people who
// ask by hand.
enum class Trust : std::uint8_t { kSigned, kAnyone };

// GPUd speaks HTTPS with a certificate that nobody signed; what stands before it may speak HTTP.
// Both are tried, what worked last first; the certificate is not looked at where the address is
// one of loopback. One thread at a time; blocks it.
class Client {
 public:
  // `bind` as GPUd's own option says it: an address of all interfaces is asked on loopback.
  Client(fetch::Client& client, std::string bind, std::uint16_t port, Trust trust = Trust::kSigned);

  // Events since `since`. The error is a sentence that begins with the address, for people: GPUd
  // does not answer there, or is something else. Without states there is no host; the rest may be
  // missing.
  Result<Host> Ask(WallTime since, Deadline deadline);

  // The GPUs' utilization, a value a minute, of the last hour; that of the GPU of each value is in
  // its uuid. Behind Ask; empty where there is none to be had.
  std::vector<Metric> AskUsage(Deadline deadline);

  // The body of one answer, whatever it is. Errors as Ask's, and of a status that is not 200.
  Result<std::string> GetRaw(const std::string& target, Deadline deadline);

  const std::string& address() const { return address_; }

 private:
  Result<std::string> Get(const std::string& target, Deadline deadline);
  // Finds out which of the two it speaks.
  Result<std::string> GetFirst(const std::string& target, Deadline deadline);
  Status Failure(const Status& why) const;
  static Result<std::string> BodyOf(const Result<fetch::Response>& response);
  fetch::Request RequestOf(const std::string& target) const;

  fetch::Client& client_;
  std::string address_;  // "127.0.0.1:15132"
  Trust trust_;
  std::string scheme_ = "https";
};

}  // namespace gpumon::gpud
