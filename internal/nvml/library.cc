#include "internal/nvml/library.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "internal/nvml/read.h"

namespace gpumon::nvml {
namespace {

constexpr std::size_t kNameSize = 128;  // NVML's longest is 96

std::string PathOf(const std::string& path) {
  if (!path.empty()) return path;
  const char* const named = std::getenv(kLibraryVariable);
  return named != nullptr && *named != '\0' ? named : kLibraryName;
}

// "535.54.03": 535 and 54.
std::pair<int, int> FrontOf(std::string_view version) {
  std::pair<int, int> front{0, 0};
  const char* const end = version.data() + version.size();
  const auto major = std::from_chars(version.data(), end, front.first);
  if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.') {
    std::from_chars(major.ptr + 1, end, front.second);
  }
  return front;
}

Reading<std::string> ReadCudaVersion(const Symbols& nvml) {
  int version = 0;
  const Return answer = nvml.Call<int*>(
      {"nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"}, &version);
  if (answer != Return::kSuccess) return AbsentOf(answer);
  return std::to_string(version / 1000) + '.' + std::to_string(version % 1000 / 10);
}

}  // namespace

Result<std::unique_ptr<Library>> Library::Open(const std::string& path) {
  const std::string from = PathOf(path);
  auto symbols = Symbols::Load(from);
  if (!symbols) return Error(symbols.error());
  if (!symbols->Has("nvmlInit_v2") && !symbols->Has("nvmlInit")) {
    return Error(Code::kUnavailable, "NVML: " + from +
                                         " has no nvmlInit: it is another library; see what " +
                                         kLibraryVariable + " names");
  }
  const Return answer = symbols->Call({"nvmlInit_v2", "nvmlInit"});
  if (answer != Return::kSuccess) return Error(StatusOf(answer, "NVML does not start"));
  std::unique_ptr<Library> library(new Library(*std::move(symbols)));
  const auto [major, minor] =
      FrontOf(ReadText(library->symbols_, "nvmlSystemGetDriverVersion").ValueOr(""));
  library->has_odd_processes_ = major == 535 && minor >= 43 && minor <= 86;
  return library;
}

Library::~Library() {
  xids_.reset();
  symbols_.Call({"nvmlShutdown"});
}

Software Library::ReadSoftware() const {
  Software software;
  software.driver_version = ReadText(symbols_, "nvmlSystemGetDriverVersion");
  software.nvml_version = ReadText(symbols_, "nvmlSystemGetNVMLVersion");
  software.cuda_version = ReadCudaVersion(symbols_);
  return software;
}

Result<unsigned> Library::Count() const {
  unsigned count = 0;
  const Return answer =
      Note(symbols_.Call<unsigned*>({"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}, &count));
  if (answer != Return::kSuccess) return Error(StatusOf(answer, "NVML counts no GPUs"));
  return count;
}

Return Library::Note(Return answer) const {
  if (AsksForANewStart(answer)) must_reopen_ = true;
  return answer;
}

void Library::WatchXids(unsigned count) {
  xids_.reset();
  xids_ = std::make_unique<XidEvents>(symbols_, count);
}

std::vector<Xid> Library::TakeXids() {
  return xids_ ? xids_->Take() : std::vector<Xid>();
}

Gpu Library::Read(unsigned index) const {
  Gpu gpu;
  gpu.index = index;
  Device device = nullptr;
  Return answer = Note(symbols_.Call<unsigned, Device*>(
      {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}, index, &device));
  if (answer == Return::kSuccess) {
    // A handle may be had of a driver that was loaded again.
    std::array<char, kNameSize> uuid{};
    const Return named = symbols_.Call<Device, char*, unsigned>(
        {"nvmlDeviceGetUUID"}, device, uuid.data(), static_cast<unsigned>(uuid.size()));
    if (AsksForANewStart(Note(named))) answer = named;
  }
  if (answer != Return::kSuccess) {
    gpu.unreadable = AbsentOf(answer);
    return gpu;
  }
  gpu.name = ReadText(symbols_, "nvmlDeviceGetName", device);
  gpu.uuid = ReadText(symbols_, "nvmlDeviceGetUUID", device);
  gpu.serial = ReadText(symbols_, "nvmlDeviceGetSerial", device);
  gpu.pci_bus_id = ReadBusId(symbols_, device);
  ReadValues(symbols_, device, gpu);
  ReadMemory(symbols_, device, gpu.values);
  ReadFields(symbols_, device, gpu);
  gpu.processes = ReadProcesses(symbols_, device, has_odd_processes_);
  ReadMig(symbols_, device, gpu);
  if (IsLost(gpu)) must_reopen_ = true;
  return gpu;
}

bool IsLost(const Gpu& gpu) {
  if (gpu.unreadable) return true;
  for (const models::Quantity q :
       {models::Quantity::kTemperature, models::Quantity::kMemoryTotal}) {
    if (!gpu.values[q] && gpu.values[q].absent().why == Absence::kGpuLost) return true;
  }
  return false;
}

}  // namespace gpumon::nvml
