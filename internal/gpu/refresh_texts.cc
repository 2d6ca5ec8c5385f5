#include "internal/gpu/refresh_texts.h"

#include <cmath>

#include "internal/base/log.h"
#include "internal/base/text.h"
#include "internal/gpu/command.h"

namespace gpumon::gpu {
namespace {

constexpr double kWorthTelling = 0.05;  // seconds
// What others say is as long as that at most.
constexpr std::size_t kMaxWarningBytes = 256;

std::string ForPeople(double seconds) {
  return FormatNumber(std::round(seconds * 100) / 100);
}

}  // namespace

std::string PassedOn(std::string_view text) {
  // A proxy in front of Prometheus may name its back ends, with their credentials.
  const auto warning = "Prometheus: " + ShowCommand(text, CommandStyle::kRedacted);
  return std::string(Front(warning, kMaxWarningBytes));
}

void TakeWarnings(const prom::QueryResult& result, models::Snapshot& snapshot) {
  for (const auto* texts : {&result.warnings, &result.infos}) {
    for (const auto& text : *texts) snapshot.warnings.push_back(PassedOn(text));
  }
  snapshot.upstream_warned |= result.partial || !result.warnings.empty();
  if (!result.partial) return;
  snapshot.partial = true;
  snapshot.warnings.emplace_back("Prometheus says that its answer is partial");
}

void TellOfWaiting(Status& status, double seconds, double waited) {
  if (status.code != Code::kUpstreamTimeout || waited <= kWorthTelling) return;
  status.message = "Prometheus did not answer within " + ForPeople(seconds) + " s, of which " +
                   ForPeople(waited) +
                   " s went to waiting for other queries to end; it may be overloaded or "
                   "PROMETHEUS_MAX_CONCURRENCY too low";
}

std::string NothingOf(models::Part part) {
  return part == models::Part::kGpus
             ? "Prometheus has no series of a known GPU exporter at this instant"
             : "Prometheus has no series of GPU processes at this instant: no GPU has a process, "
               "or no exporter tells of them";
}

void WarnOfClock(double offset, models::Snapshot& snapshot) {
  if (std::abs(offset) <= kClockWorthTelling) return;
  snapshot.warnings.push_back(
      "Prometheus says that its clock is " + FormatNumber(std::round(std::abs(offset))) +
      (offset > 0 ? " s ahead of ours" : " s behind ours") +
      " (the Date header of its answers), and is asked for that time; where a proxy writes "
      "that header and is wrong, rows are old or missing");
}

Status TooManyPastInstants() {
  return {
      Code::kOverloaded, "too many past instants are being asked for at once; retry in 1 s", {}, 1};
}

Status PastInstantsTakeTooLong() {
  return {Code::kOverloaded,
          "Prometheus does not answer past instants as fast as they are asked for; retry in 1 s",
          {},
          1};
}

void LogFailure(bool partial, models::Part part, std::string_view queries, const Status& error) {
  log::Warning(partial ? "refresh partial" : "refresh failed", {{"part", models::NameOf(part)},
                                                                {"queries", queries},
                                                                {"code", error.wire_name()},
                                                                {"error", error.message},
                                                                {"detail", error.detail}});
}

}  // namespace gpumon::gpu
