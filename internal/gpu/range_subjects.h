// Who was there in a range of time, before it is walked through.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/gpu/detector.h"
#include "internal/prom/client.h"

namespace gpumon::gpu {

// Looks at both ends, and, of exporters that are at neither, at when they were seen last in
// between: whose last target is gone has been there all the same. Kept alive by what it has under
// way; what it works with must outlive that.
class RangeSubjects : public std::enable_shared_from_this<RangeSubjects> {
 public:
  using Subjects = Result<std::vector<Subject>>;
  // Called once, on a worker thread or from inside Start. In the registry's order; the error is
  // that of the first look or query that failed: who was there is not told in part.
  using Heard = std::function<void(Subjects)>;

  // Unix seconds.
  RangeSubjects(prom::Client& client, Detector& detector, double first, double last,
                Deadline deadline, Heard heard);

  // `at_end`: what is known of the end; null: it is looked at. Once.
  void Start(const std::vector<Subject>* at_end);

 private:
  void LookAt(double time);
  void Hear(Subjects subjects);
  void AskBetween();
  void HearTimes(Result<prom::QueryResult> answer);

  prom::Client& client_;
  Detector& detector_;
  const double first_;
  const double last_;
  const Deadline deadline_;
  const Heard heard_;
  Mutex mutex_;
  std::size_t left_ GUARDED_BY(mutex_) = 2;  // looks
  bool asked_between_ GUARDED_BY(mutex_) = false;
  std::vector<Subject> found_ GUARDED_BY(mutex_);
  std::optional<Status> failed_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::gpu
