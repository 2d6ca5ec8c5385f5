// An nvidia-smi program that a test writes.
#pragma once

#include <sys/stat.h>

#include <string>

#include "tests/fakes/process/wait.h"

namespace gpumon::fake_nvml {

// A branch that answers any question for columns with one GPU: `cell` in each of them.
inline std::string EachCell(const std::string& uuid, const std::string& cell) {
  return "--query-gpu=*) row=; IFS=,; for column in ${1#*=}; do case $column in index) cell=0 ;; "
         "uuid) cell='" +
         uuid + "' ;; *) cell='" + cell +
         "' ;; esac; row=\"$row${row:+,}$cell\"; done; "
         "echo \"$row\" ;;\n";
}

// A shell script at path(). What `cases` has are branches of `case "$1" in`.
class SmiScript {
 public:
  explicit SmiScript(const std::string& cases)
      : path_(folder_.Write("nvidia-smi", "#!/bin/sh\necho \"$*\" >> " + folder_.File("calls") +
                                              "\ncase \"$1\" in\n" + cases + "esac\n")) {
    chmod(path_.c_str(), 0700);
  }

  const std::string& path() const { return path_; }
  // A line for each run: its arguments.
  std::string Calls() const { return process::ReadFile(folder_.File("calls")); }
  std::string folder() const { return folder_.path(); }

 private:
  const process::ScratchDirectory folder_{};
  const std::string path_;
};

}  // namespace gpumon::fake_nvml
