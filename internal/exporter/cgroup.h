// Which container a process is in, by its control groups.
#pragma once

#include <string>
#include <string_view>

namespace gpumon::exporter {

// "" for what is not known; both are lower case.
struct ContainerIds {
  std::string pod_uid;    // "0123abcd-...", or 32 digits of a static pod
  std::string container;  // 64 digits
};

// Of the text of /proc/PID/cgroup: version 1 and 2, with the cgroupfs and the systemd driver, also
// relative to the namespace of the reader. Of a process outside of pods the pod_uid is "".
ContainerIds ReadCgroups(std::string_view text);

}  // namespace gpumon::exporter
