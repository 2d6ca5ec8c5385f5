// What refreshes say of themselves, to clients and in the log.
#pragma once

#include <string>
#include <string_view>

#include "internal/base/result.h"
#include "internal/prom/value.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// `text` is a warning or an info of Prometheus's answer.
std::string PassedOn(std::string_view text);
// What Prometheus says of its answer, into the snapshot.
void TakeWarnings(const prom::QueryResult& result, models::Snapshot& snapshot);
// Adds how long a set of queries waited before it was asked, where that is worth telling.
void TellOfWaiting(Status& status, double seconds, double waited);
// The warning of a part without a series.
std::string NothingOf(models::Part part);
// A larger difference of the clocks, in seconds, is told: either is wrong, or the header that says
// so is not Prometheus's own.
inline constexpr double kClockWorthTelling = 60;
// Warns where Prometheus's clock less ours, in seconds, is worth telling.
void WarnOfClock(double offset, models::Snapshot& snapshot);
Status TooManyPastInstants();
// Beside others it could not be answered in time.
Status PastInstantsTakeTooLong();
void LogFailure(bool partial, models::Part part, std::string_view queries, const Status& error);

}  // namespace gpumon::gpu
