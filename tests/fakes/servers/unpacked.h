// Real servers that scripts/deps.sh unpacked, as children of a test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/process/child_process.h"

namespace gpumon::servers {

// A loopback port that was free a moment ago.
std::uint16_t FreePort();

// The program at `path` ("usr/bin/etcd") below the folder of unpacked packages, or below the one
// that GPUMON_TOOLS names. Throws std::runtime_error, saying what to do, when it is missing.
std::string ProgramOf(const std::string& path);

// Whose the process is. kNobody is for programs that refuse to be root's: when the test is root's
// they run as nobody, who may read everything; else as the test's own user.
enum class User { kOwn, kNobody };

// Makes `path` the property of that user, and open to nobody else.
void HandTo(User user, const std::string& path);

// Starts a program of ProgramOf with the libraries unpacked beside it and this environment. The
// kernel ends it when the thread that started it ends, however that comes.
std::unique_ptr<process::ChildProcess> StartUnpacked(const std::string& path,
                                                     std::vector<std::string> arguments,
                                                     User user = User::kOwn,
                                                     process::Environment environment = {});

// `start` is given a free port and says whether the server came up there; tried again for as long
// as it lost the port to somebody, up to 5 times. Returns the port. Throws std::runtime_error with
// what `said` returns when it does not come up.
std::uint16_t StartOnFreePort(const std::function<bool(std::uint16_t)>& start,
                              const std::function<std::string()>& said);

}  // namespace gpumon::servers
