#include <vector>

#include "cmd/gpuctl/doctor.h"
#include "cmd/gpuctl/server_flags.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr OptionRow kRows[] = {
    OptionRow{.flag = "--node", .help = "The GPU's node, as node_name has it; with --gpu."},
    OptionRow{.flag = "--gpu", .help = "The GPU's gpu_id on that node; with --node."},
    OptionRow{.flag = "--uuid", .help = "The GPU's or MIG instance's uuid, instead of both."},
    OptionRow{.flag = "-f",
              .fallback = "table",
              .kind = Kind::kWord,
              .help = "What to print: a table of at most 80 columns, or JSON.",
              .allowed = "table|json"},
};

}  // namespace

config::Rows DoctorOptions() {
  static const std::vector<OptionRow> kAll = WithServerFlags(kRows);
  return kAll;
}

}  // namespace gpumon::ctl
