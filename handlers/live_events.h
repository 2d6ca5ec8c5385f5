// The events of GET /api/v1/gpu/stream as text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/live_rows.h"

namespace gpumon::handlers {

// What a client is told of the data beside its rows.
struct LiveState {
  bool stale = false;           // the rows are not of the present
  bool expired = false;         // and older than MAX_STALE: the lists show none
  std::string_view code;        // wire name of why; "" when fresh
  std::optional<double> as_of;  // Unix seconds; nothing before the first snapshot
  bool partial = false;
  std::vector<std::string> warnings;
  std::vector<std::string> sources;

  // Of `status`.
  bool SameStatus(const LiveState& o) const {
    return stale == o.stale && expired == o.expired && code == o.code;
  }
  // Of what stands beside the rows and is no time.
  bool SameNotes(const LiveState& o) const {
    return partial == o.partial && warnings == o.warnings && sources == o.sources;
  }
};

// The first event of a client: every row of the selection.
std::string SnapshotEvent(std::string_view id, const LiveState& state, const LiveRows& live,
                          const std::vector<std::uint32_t>& rows);
// The rows that changed. `reasons`: with the reasons that rows share, which have changed too.
std::string ChangesEvent(std::string_view id, const LiveState& state, const LiveRows& live,
                         const LiveSelection::Changes& changes, bool reasons);
std::string StatusEvent(const LiveState& state);

// What each stream begins with: how long to wait before coming back.
std::string_view Prelude();
std::string_view Heartbeat();
// The last words: the server ends, the client did not keep up. Clients come back at several times,
// of which `which` is one.
std::string EndEvent(std::size_t which);
std::string LagEvent();

}  // namespace gpumon::handlers
