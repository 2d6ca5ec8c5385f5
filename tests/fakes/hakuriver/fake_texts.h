// The JSON of a fake HakuRiver host.
#pragma once

#include <string>

#include "tests/fakes/hakuriver/fake_host.h"

namespace gpumon::hakuriver {

// The host's own local time, without a zone, so many seconds after its start.
std::string NaiveTime(int second);
std::string NodesText(Generation generation, int second);
// One of the two nodes, as a sample of health has it.
std::string SampleText(bool online, int second);
std::string AggregateText(int second);
std::string TaskText(Generation generation, const FakeTask& task, bool of_list);
std::string VpsText(Generation generation, const FakeTask& task, bool of_active_list);

}  // namespace gpumon::hakuriver
