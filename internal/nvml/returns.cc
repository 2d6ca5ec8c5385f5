#include "internal/nvml/returns.h"

#include <array>

namespace gpumon::nvml {
namespace {

constexpr std::string_view kReboot = "reboot the machine, and look for Xid errors in dmesg";

struct Row {
  int code;
  std::string_view text;
  Absence absence;
  Code status;
  std::string_view next_step;
};
constexpr std::array kRows = {
    Row{0, "success", Absence::kError, Code::kInternal, ""},
    Row{1, "NVML is not initialised", Absence::kError, Code::kUnavailable, "try again"},
    Row{2, "invalid argument", Absence::kError, Code::kUnavailable, "update the driver"},
    Row{3, "not supported", Absence::kNotSupported, Code::kUnavailable, "update the driver"},
    Row{4, "no permission", Absence::kNoPermission, Code::kForbidden,
        "run as a user that may open /dev/nvidia*, or give the container the GPU"},
    Row{5, "already initialised", Absence::kError, Code::kUnavailable, "try again"},
    Row{6, "not found", Absence::kError, Code::kUnavailable, "update the driver"},
    Row{7, "insufficient size", Absence::kError, Code::kUnavailable, "try again"},
    Row{8, "insufficient external power", Absence::kError, Code::kUnavailable,
        "connect the GPU's power cables"},
    Row{9, "the NVIDIA driver is not loaded", Absence::kError, Code::kNotFound,
        "load it (modprobe nvidia), or give the container the GPU"},
    Row{10, "time-out", Absence::kError, Code::kUnavailable, "try again"},
    Row{11, "the kernel found an interrupt problem", Absence::kError, Code::kUnavailable,
        "look for NVRM messages in dmesg"},
    Row{12, "NVML library not found", Absence::kError, Code::kNotFound,
        "install the NVIDIA driver"},
    Row{13, "the driver has no such function", Absence::kNotSupported, Code::kUnavailable,
        "update the driver"},
    Row{14, "corrupted infoROM", Absence::kError, Code::kUnavailable,
        "have the GPU looked at: its infoROM is corrupted"},
    Row{15, "GPU is lost", Absence::kGpuLost, Code::kUnavailable, kReboot},
    Row{16, "GPU requires reset", Absence::kGpuLost, Code::kUnavailable,
        "reset it (nvidia-smi --gpu-reset) or reboot the machine"},
    Row{17, "the operating system refused", Absence::kError, Code::kUnavailable,
        "look for NVRM messages in dmesg, and at the container's rights"},
    Row{18, "driver/library version mismatch", Absence::kError, Code::kUnavailable,
        "reboot, or reload the nvidia kernel modules: they are older than the library"},
    Row{19, "in use", Absence::kError, Code::kUnavailable, "try again"},
    Row{20, "insufficient memory", Absence::kError, Code::kUnavailable, "try again"},
    Row{21, "no data", Absence::kError, Code::kUnavailable, "try again"},
    Row{22, "not supported by the vGPU", Absence::kNotSupported, Code::kUnavailable,
        "update the driver"},
    Row{23, "insufficient resources", Absence::kError, Code::kUnavailable, "try again"},
    Row{24, "frequency not supported", Absence::kNotSupported, Code::kUnavailable,
        "update the driver"},
    Row{25, "argument version mismatch", Absence::kNotSupported, Code::kUnavailable,
        "update the driver"},
    Row{26, "deprecated", Absence::kNotSupported, Code::kUnavailable, "update this program"},
    Row{27, "not ready", Absence::kError, Code::kUnavailable, "try again"},
    Row{28, "no GPU was found", Absence::kError, Code::kNotFound,
        "look for the GPU in lspci, or give the container the GPU"},
    Row{29, "invalid state", Absence::kError, Code::kUnavailable, "try again"},
    Row{30, "reset type not supported", Absence::kNotSupported, Code::kUnavailable,
        "update the driver"},
    Row{999, "unknown error", Absence::kError, Code::kUnavailable,
        "look for NVRM messages in dmesg"},
};

const Row& RowOf(Return code) {
  for (const Row& row : kRows) {
    if (row.code == static_cast<int>(code)) return row;
  }
  return kRows.back();
}

constexpr std::array kNames = {
    std::pair{Absence::kNotAsked, std::string_view("not_asked")},
    std::pair{Absence::kNotSupported, std::string_view("not_supported")},
    std::pair{Absence::kNoPermission, std::string_view("no_permission")},
    std::pair{Absence::kGpuLost, std::string_view("gpu_lost")},
    std::pair{Absence::kError, std::string_view("error")},
};
static_assert(kNames.size() == static_cast<std::size_t>(Absence::kCount));

}  // namespace

std::string_view NameOf(Absence why) {
  return kNames[static_cast<std::size_t>(why)].second;
}

std::string_view TextOf(Return code) {
  return RowOf(code).text;
}

Absent AbsentOf(Return code) {
  const Row& row = RowOf(code);
  return {row.absence, std::string(row.text)};
}

bool AsksForANewStart(Return code) {
  return code == Return::kUninitialized || code == Return::kDriverNotLoaded ||
         code == Return::kGpuIsLost || code == Return::kResetRequired;
}

Status StatusOf(Return code, std::string_view where) {
  const Row& row = RowOf(code);
  return {row.status, std::string(where) + ": " + std::string(row.text) + " (code " +
                          std::to_string(static_cast<int>(code)) + "); " +
                          std::string(row.next_step)};
}

}  // namespace gpumon::nvml
