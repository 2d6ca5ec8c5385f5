// gpuctl doctor: where each number comes from, and what is wrong.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "internal/config/options.h"
#include "internal/json/document.h"

namespace gpumon::ctl {

struct Finding {
  bool warning = false;
  std::string what;
  std::string next_step;
};

// What the server said.
struct Examination {
  std::string server;
  std::string as_of;
  std::size_t gpus = 0;
  std::size_t instances = 0;      // MIG
  json::Value schema;             // data of /api/v1/gpu/schema
  json::Value join;               // data of /api/v1/debug/join; null when there was none
  bool of_one = false;            // a GPU was asked for: its samples are shown
  std::vector<Finding> findings;  // warnings first

  std::size_t warnings() const;
};

// For people: at most 80 columns.
std::string DoctorTable(const Examination& examination);
// For machines.
std::string DoctorJson(const Examination& examination);

config::Rows DoctorOptions();
// Exit codes as app.h's Exit.
int RunDoctor(const config::Values& values, std::ostream& out, std::ostream& err);

inline constexpr std::string_view kDoctorUsage =
    "[--server URL] [--node N --gpu G | --uuid U] [-f WORD]";
inline constexpr std::string_view kDoctorDetails =
    R"(Asks a running gpu-monitoring-api which exporters it found, which metric of
which exporter gives each field for how many GPUs, and what would fill the
gaps. Where the server's debug endpoints are on (DEBUG_ENDPOINTS=true), it also
asks for findings: what is wrong with scraping and relabelling, each with the
next step; and with --node and --gpu (or --uuid) for every sample that fed that
GPU's row or lost, and by which rule. Without them the findings are the
server's own warnings.

What it prints:
  EXPORTERS  who was found, and how many GPUs and processes each shows
  FIELDS     of each field: for how many rows it is known, and its sources, the
             preferred first; or why it is null, and what would fill it
  SAMPLES    of the GPU that was asked for: used, lost or dropped, and why
  FINDINGS   warnings first; "next" is what to do

Exit codes:
  0  no warning among the findings
  1  at least one warning
  2  wrong usage
  3  the server cannot be reached, or does not answer as it should
  4  not all of the output could be written

Examples:
  gpuctl doctor
  gpuctl doctor --node gpu-node-1 --gpu 0
  gpuctl doctor --server https://gpu.example --token-file token -f json

)";

}  // namespace gpumon::ctl
