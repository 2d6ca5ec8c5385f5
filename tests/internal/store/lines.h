// Snapshots for tests of the store.
#pragma once

#include <string>
#include <vector>

#include "internal/base/text.h"
#include "internal/store/reader.h"
#include "internal/store/snapshot.h"
#include "internal/store/writer.h"

namespace gpumon::store {

inline WallTime At(const std::string& time) {
  return *ParseTime(time);
}

inline Line LineOf(const std::string& time, const std::string& task = "a/b", double score = 1,
                   bool error = false, std::size_t gpus = 1) {
  Snapshot snapshot;
  snapshot.id = NewId();
  snapshot.task_id = task;
  snapshot.instance_id = "node-" + task;
  snapshot.timestamp = At(time);
  snapshot.gpu_metrics.resize(gpus);
  snapshot.health_score = score;
  if (error) snapshot.events = {{snapshot.timestamp, "xid", "error", "XID 79"}};
  return {snapshot.timestamp, EncodeLine(snapshot)};
}

// The times of the lines of that window, as they come.
inline std::string Times(const std::string& folder, const std::string& from, const std::string& to,
                         ReadReport* report = nullptr) {
  std::string times;
  const auto read = ReadLines(
      folder, At(from), At(to), "", [] { return true; },
      [&](const LineHead& head) {
        times += FormatTime(head.time) + ' ';
        return true;
      });
  if (!read) return "error: " + read.error().message;
  if (report != nullptr) *report = *read;
  return times;
}

}  // namespace gpumon::store
