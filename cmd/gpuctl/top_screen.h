// gpuctl top: a live view of the cluster that fills the terminal.
#pragma once

#include <iosfwd>
#include <string_view>

#include "internal/config/options.h"

namespace gpumon::ctl {

config::Rows TopOptions();
// Exit codes as app.h's Exit. Both standard input and output must be terminals.
int RunTop(const config::Values& values, std::ostream& out, std::ostream& err);

inline constexpr std::string_view kTopUsage = "[--interval DURATION] [flags]";
inline constexpr std::string_view kTopDetails =
    R"(Shows the cluster of a running gpu-monitoring-api, like htop: GPUs by state,
utilization, memory and power, and a list of all GPUs or nodes.

Keys:
  up, down, PgUp, PgDn, Home, End   choose a row
  Enter       the GPUs of its node; Esc or q goes back
  n           nodes, or GPUs
  u m t p     by utilization, memory, temperature, power: most first
  s           as the server sorts
  /           filter by part of a text; Enter keeps it, Esc does not
  ?           help
  q, Ctrl-C   ends

"-" is a value that nobody knows. A red line says that the numbers are old
(STALE), not whole (PARTIAL), or that the server does not answer (AWAY); what
was known last then stays. The age is by this machine's clock. It needs at
least 40 columns and 10 lines, and what it prints fits any terminal that knows
VT100's sequences.

)";

}  // namespace gpumon::ctl
