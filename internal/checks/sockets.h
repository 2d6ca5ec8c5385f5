// Who listens on this machine, as /proc tells it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "internal/base/clock.h"

namespace gpumon::checks {

// Ports of listening TCP sockets, each with the inodes of its sockets.
using Listeners = std::map<std::uint16_t, std::set<std::uint64_t>>;

// Adds what the text of /proc/net/tcp or tcp6 has.
void ReadListeners(std::string_view text, Listeners& listeners);

// "python3 (pid 1234)" for each of the sockets whose owner may be seen: without root those of one's
// own processes. Looks until the deadline.
std::map<std::uint64_t, std::string> OwnersOf(const std::string& proc,
                                              const std::set<std::uint64_t>& inodes,
                                              const Clock& clock, Deadline deadline);

}  // namespace gpumon::checks
