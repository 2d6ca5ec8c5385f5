// What the probes of servers that do not speak HTTP share. Thread-safe, all of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

// The numeric addresses of `host`, in the order to try them; never empty. Waits for a name server
// until the deadline and no longer. kUpstreamUnreachable when there are none, kUpstreamTimeout; the
// message is a clause: "the name db has no address: Name or service not known".
Result<std::vector<std::string>> AddressesOf(const std::string& host, const Clock& clock,
                                             Deadline deadline);

// Waits until `fd` has one of `events` (POLLIN, POLLOUT), or has failed, which its next use tells.
// False when the deadline has passed, whatever there is.
bool AwaitSocket(int fd, short events, const Clock& clock, Deadline deadline);

// The one line of a password file, without its end. kInvalidParameter, naming the file and never
// what is in it.
Result<std::string> ReadPasswordFile(const std::string& path);

// What a server said, fit to be a part of one line: no `secret` (unless ""), one space for each run
// of spaces and line ends, nothing that a terminal acts on, UTF-8, 300 characters at most.
std::string Quotable(std::string_view said, std::string_view secret);

// Degrades a healthy outcome that `took` longer than `slow_after`; zero switches that off.
void JudgePace(std::string_view name, Millis took, Millis slow_after, Outcome& outcome);

// "127.0.0.1:8101", "[::1]:8101", or the path of a Unix socket as it is.
std::string PlaceOf(const std::string& host, int port);

// What to do when another program listens at a server's port.
inline constexpr std::string_view kSomebodyElse =
    "another program listens there: see which with `ss -ltnp`, and correct the port";

}  // namespace gpumon::checks
