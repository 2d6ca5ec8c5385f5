// The calls of a HakuRiver host, as each of its generations spells them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "internal/fetch/client.h"
#include "internal/hakuriver/models.h"

namespace gpumon::hakuriver {

enum class What : std::uint8_t {
  kNodes,
  kHealth,
  kTask,
  kTasks,
  kVps,
  kActiveVps,
  kStdout,
  kStderr,
  kKill,
  kPause,
  kResume,
};

struct Call {
  What what = What::kNodes;
  std::string subject = {};  // a task's id; of kHealth a hostname, or "" for all
  std::string status = {};   // kTasks: those alone; "" for all. Generation A gives all anyway
  std::size_t limit = 0;     // kTasks: so many at most; 0: the host's own limit. Likewise
  std::size_t lines = 0;     // kStdout, kStderr: the last so many; 0: all. Likewise
};

// Changes something.
bool IsAction(What what);
// Answers plain text; all others JSON.
bool IsLog(What what);
// "/api/tasks/7/stdout?lines=10".
std::string TargetOf(Generation generation, const Call& call);
// Whether a 404 with this `detail` is a host's own word that there is no such task, node or file of
// a log; else it is that of a path without a route, or of another server.
bool SaysNoSuch(const Call& call, std::string_view detail);
// A log of generation A that is not written yet.
bool SaysNoFileYet(const Call& call, std::string_view detail);
// False when `response` is none that this generation gives to `call`: a route that it does not
// have, or a web page in the place of JSON or of a log. Another generation may answer there by now.
bool Fits(const Call& call, const fetch::Response& response);
// What FastAPI says in the `detail` of an error; "" when it is no text.
std::string DetailOf(const std::string& body);

}  // namespace gpumon::hakuriver
