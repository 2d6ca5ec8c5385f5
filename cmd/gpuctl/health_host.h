// What gpuctl health says of a machine itself, beside its GPUs.
#pragma once

#include <string>

#include "cmd/gpuctl/health_report.h"
#include "internal/json/document.h"
#include "internal/json/writer.h"

namespace gpumon::ctl {

// Of a row of the API's nodes.
HostLoad HostOf(const json::Value& row);
// "CPU 23.5 %, memory 52.7 of 128.0 GiB (41.2 %), hottest sensor 66.0 C"; "-" is not known.
std::string HostText(const HostLoad& host);
// {hostname,cpu_percent,...}, with HakuRiver's names; null is not known.
void WriteHost(const HostLoad& host, json::Writer& writer);

// "23.5 %", or "-".
std::string AmountText(std::optional<double> value, const char* unit);
// "52.7 of 128.0 GiB", each "-" where it is not known.
std::string UsedText(std::optional<double> used_bytes, std::optional<double> total_bytes);

}  // namespace gpumon::ctl
