// gpuctl check, gpuctl monitor: whether what stands around the GPUs works.
#pragma once

#include <iosfwd>
#include <string_view>

#include "internal/config/options.h"

namespace gpumon::ctl {

// What both exit with: the worst single check says it.
enum CheckExit : int {
  kAllHealthy = 0,
  kDegraded = 1,  // a check is degraded or unknown
  kUnhealthy = 2,
  kCheckUsage = 3,  // wrong arguments
};

config::Rows CheckOptions();
config::Rows GpuCheckOptions();
config::Rows MonitorOptions();
int RunCheckAll(const config::Values& values, std::ostream& out, std::ostream& err);
int RunCheckDocker(const config::Values& values, std::ostream& out, std::ostream& err);
int RunCheckInfrastructure(const config::Values& values, std::ostream& out, std::ostream& err);
int RunCheckServices(const config::Values& values, std::ostream& out, std::ostream& err);
int RunCheckGpu(const config::Values& values, std::ostream& out, std::ostream& err);
int RunCheckSystem(const config::Values& values, std::ostream& out, std::ostream& err);
// Until it has made --max-checks rounds, or SIGINT or SIGTERM comes.
int RunMonitor(const config::Values& values, std::ostream& out, std::ostream& err);

inline constexpr std::string_view kCheckUsageText = "[-f WORD] [-v] [-t SECONDS] [flags]";
inline constexpr std::string_view kGpuCheckUsageText = "[-f WORD] [-d] [-v] [-t SECONDS] [flags]";
inline constexpr std::string_view kMonitorUsageText = "[-i SECONDS] [-m COUNT] [flags]";
inline constexpr std::string_view kCheckDetails =
    R"(All checks run beside each other, each for at most --timeout; one that fails
or hangs ends none of the others. What is checked comes from --preset; an
option like --postgres or --containers replaces that part of it, and a file
named by --config may hold them all:

  check_preset: none
  check_containers: [my-db, my-cache]
  check_postgres: [127.0.0.1:5432]
  check_prometheus: ["Prometheus A=http://a:9090", "Prometheus B=http://b:9090"]
  check_agent: off

A container is named as Docker names it, or by its service of Docker Compose.

Exit codes, by the worst single check:
  0  all are healthy (with --exit-zero: whatever they are)
  1  one is degraded or unknown
  2  one is unhealthy
  3  wrong usage
  4  not all of the output could be written

)";
inline constexpr std::string_view kMonitorDetails =
    R"(Runs all checks again and again, one round every --interval seconds, and prints
each round's summary; -f json prints one line a round. Ctrl-C ends it with 0;
after --max-checks rounds it exits with the code of the last one, as check
does. Every other option is that of check.

)";

}  // namespace gpumon::ctl
