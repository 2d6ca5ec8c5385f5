#include "internal/nvml/nvidia_smi.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/program.h"
#include "internal/base/text.h"
#include "internal/nvml/process_name.h"
#include "internal/nvml/returns.h"

namespace gpumon::nvml {
namespace {

using models::Quantity;

constexpr double kMiB = 1024.0 * 1024.0;
constexpr const char* kFormat = "--format=csv,noheader,nounits";

// Where a column goes: the first member that is set.
struct Column {
  std::string_view name;
  Reading<std::string> Gpu::*text = nullptr;
  Reading<double> Gpu::*clock = nullptr;
  Quantity quantity = Quantity::kCount;
  double scale = 1;
};
constexpr Column Text(std::string_view name, Reading<std::string> Gpu::*to) {
  return {name, to, nullptr, Quantity::kCount, 1};
}
constexpr Column Megahertz(std::string_view name, Reading<double> Gpu::*to) {
  return {name, nullptr, to, Quantity::kCount, 1};
}
constexpr Column Value(std::string_view name, Quantity to, double scale = 1) {
  return {name, nullptr, nullptr, to, scale};
}
constexpr std::string_view kIndex = "index";
constexpr std::string_view kDriver = "driver_version";
constexpr std::string_view kMigMode = "mig.mode.current";
// Of two for one quantity the first that is known counts.
constexpr std::array kColumns = {
    Column{kIndex},
    Column{kDriver},
    Column{kMigMode},
    Text("name", &Gpu::name),
    Text("uuid", &Gpu::uuid),
    Text("pci.bus_id", &Gpu::pci_bus_id),
    Text("serial", &Gpu::serial),
    Value("utilization.gpu", Quantity::kUtilization),
    Value("utilization.memory", Quantity::kMemoryUtilization),
    Value("memory.total", Quantity::kMemoryTotal, kMiB),
    Value("memory.used", Quantity::kMemoryUsed, kMiB),
    Value("memory.free", Quantity::kMemoryFree, kMiB),
    Value("memory.reserved", Quantity::kMemoryReserved, kMiB),
    Value("temperature.gpu", Quantity::kTemperature),
    Value("temperature.memory", Quantity::kMemoryTemperature),
    Value("power.draw", Quantity::kPower),
    Value("enforced.power.limit", Quantity::kPowerLimit),
    Value("power.limit", Quantity::kPowerLimit),
    Value("clocks.sm", Quantity::kSmClock),
    Value("clocks.max.sm", Quantity::kSmClockMax),
    Value("clocks.mem", Quantity::kMemoryClock),
    Megahertz("clocks.max.mem", &Gpu::memory_clock_max),
    Megahertz("clocks.gr", &Gpu::graphics_clock),
    Megahertz("clocks.max.gr", &Gpu::graphics_clock_max),
    Value("pstate", Quantity::kPstate),
    Value("fan.speed", Quantity::kFan),
    Value("clocks_throttle_reasons.active", Quantity::kThrottleReasons),
    Value("ecc.errors.corrected.volatile.total", Quantity::kEccCorrectedVolatile),
    Value("ecc.errors.corrected.aggregate.total", Quantity::kEccCorrectedAggregate),
    Value("ecc.errors.uncorrected.volatile.total", Quantity::kEccUncorrectedVolatile),
    Value("ecc.errors.uncorrected.aggregate.total", Quantity::kEccUncorrectedAggregate),
};

struct AbsentWord {
  std::string_view word;
  Absence why;
};
constexpr std::array kAbsentWords = {
    AbsentWord{"n/a", Absence::kNotSupported},
    AbsentWord{"not supported", Absence::kNotSupported},
    AbsentWord{"not available", Absence::kNotSupported},
    AbsentWord{"insufficient permissions", Absence::kNoPermission},
    AbsentWord{"gpu is lost", Absence::kGpuLost},
    AbsentWord{"gpu requires reset", Absence::kGpuLost},
};

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// At most `most`, of which the last has the rest.
std::vector<std::string_view> Split(std::string_view text, char between, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t at = text.find(between);
    if (at == std::string_view::npos) break;
    parts.push_back(Trimmed(text.substr(0, at)));
    text.remove_prefix(at + 1);
  }
  parts.push_back(Trimmed(text));
  return parts;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  auto lines = Split(text, '\n', text.size() + 1);
  std::erase(lines, "");
  return lines;
}

// "45", "180.50", "0x0000000000000004", "P2".
std::optional<double> NumberOf(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.starts_with("0x")) {
    std::uint64_t mask = 0;
    const auto read = std::from_chars(text.data() + 2, end, mask, 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return static_cast<double>(mask);
  }
  double number = 0;
  const auto read = std::from_chars(text.data() + (text.starts_with('P') ? 1 : 0), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

Reading<double> ReadNumber(std::string_view cell, double scale) {
  const Reading<std::string> text = ReadSmiCell(cell);
  if (!text) return text.absent();
  const auto number = NumberOf(*text);
  if (!number) return Absent{Absence::kError, "no number: " + log::Quoted(*text)};
  return *number * scale;
}

void SetCell(const Column& column, std::string_view cell, Gpu& gpu, Software& software) {
  if (column.text != nullptr) {
    gpu.*column.text = ReadSmiCell(cell);
  } else if (column.clock != nullptr) {
    gpu.*column.clock = ReadNumber(cell, 1);
  } else if (column.quantity != Quantity::kCount) {
    Reading<double>& to = gpu.values[column.quantity];
    if (!to) to = ReadNumber(cell, column.scale);
  } else if (column.name == kDriver) {
    software.driver_version = ReadSmiCell(cell);
  } else if (column.name == kMigMode) {
    const auto mode = ReadSmiCell(cell);
    gpu.mig_mode = mode ? Reading<bool>(*mode == "Enabled") : Reading<bool>(mode.absent());
  } else {
    gpu.index = static_cast<unsigned>(NumberOf(cell).value_or(gpu.index));
  }
}

// One program, asked several times.
class Smi {
 public:
  Smi(const std::string& program, const Clock& clock, Deadline deadline,
      std::vector<std::string>& steps)
      : program_(program), clock_(clock), deadline_(deadline), steps_(steps) {}

  Result<SmiAnswer> Ask() {
    SmiAnswer answer;
    if (const auto gpus = AskGpus(answer); !gpus) return Error(gpus.error());
    AskProcesses(answer.gpus);
    answer.software.cuda_version = AskCudaVersion();
    return answer;
  }

 private:
  Result<ProgramAnswer> Run(std::vector<std::string> arguments) {
    std::string said = "ran " + program_;
    for (const std::string& argument : arguments) said += ' ' + argument;
    arguments.insert(arguments.begin(), program_);
    auto answer = RunProgram(arguments, clock_, deadline_);
    if (!answer) {
      const bool ran = answer.error().code != Code::kNotFound;
      steps_.push_back((ran ? said + ": " : std::string()) + answer.error().message);
      return answer;
    }
    said += ": exit code " + std::to_string(answer->exit_code);
    if (answer->exit_code != 0) said += ", " + log::Quoted(FirstLine(*answer));
    steps_.push_back(std::move(said));
    return answer;
  }

  static std::string FirstLine(const ProgramAnswer& answer) {
    for (const std::string* const text : {&answer.output, &answer.errors}) {
      const auto lines = LinesOf(*text);
      if (!lines.empty()) return ToValidUtf8(lines.front());
    }
    return "nothing";
  }

  // Older programs name a column that they do not have: it is left out then.
  static bool LeaveOut(const ProgramAnswer& answer, std::vector<const Column*>& columns) {
    constexpr std::string_view kSays = "is not a valid field to query";
    const std::string text = answer.output + answer.errors;
    const std::size_t at = text.find(kSays);
    if (at == std::string::npos) return false;
    return std::erase_if(columns, [&](const Column* column) {
             return text.substr(0, at).find('"' + std::string(column->name) + '"') !=
                    std::string::npos;
           }) > 0;
  }

  Result<void> AskGpus(SmiAnswer& answer) {
    std::vector<const Column*> columns;
    columns.reserve(kColumns.size());
    for (const Column& column : kColumns) columns.push_back(&column);
    for (;;) {
      std::string query = "--query-gpu=";
      for (const Column* const column : columns) {
        query.append(column == columns.front() ? "" : ",").append(column->name);
      }
      const auto ran = Run({query, kFormat});
      if (!ran) return Error(ran.error());
      ReadGpus(ran->output + '\n' + ran->errors, columns, answer);
      if (!answer.gpus.empty()) return {};
      if (ran->exit_code != 0 && LeaveOut(*ran, columns)) continue;
      return Error(WhyNone(*ran));
    }
  }

  Status WhyNone(const ProgramAnswer& ran) const {
    const std::string who = program_ + " shows no GPU";
    if (ran.output.find("No devices were found") != std::string::npos) {
      return {Code::kNotFound, who + "; look for it in lspci, or give the container the GPU"};
    }
    if (ran.exit_code == 0) {
      return {Code::kUpstreamInvalid,
              who + ", and says " + log::Quoted(FirstLine(ran)) + "; run it by hand"};
    }
    const auto code = static_cast<Return>(ran.exit_code);
    // Who has the program has a driver, and it cannot reach it.
    if (code == Return::kDriverNotLoaded) {
      return {Code::kUnavailable, who +
                                      ": it cannot communicate with the NVIDIA driver; look for "
                                      "it in lsmod and dmesg, then reinstall it or reboot"};
    }
    return StatusOf(code, who);
  }

  // Of a GPU that it cannot tell of it says so in a sentence, between the rows: "Unable to
  // determine the device handle for GPU 0000:3B:00.0: GPU is lost.  Reboot the system to recover
  // this GPU".
  static std::optional<Gpu> WithoutHandle(std::string_view line) {
    constexpr std::string_view kSays = "Unable to determine the device handle for ";
    if (!line.starts_with(kSays)) return std::nullopt;
    Gpu gpu;
    std::string_view place = line.substr(kSays.size());
    if (place.starts_with("GPU")) place = Trimmed(place.substr(3));
    place = place.substr(0, place.find(": "));
    gpu.pci_bus_id = ReadSmiCell(place);
    const bool lost = line.find("GPU is lost") != std::string_view::npos;
    gpu.unreadable =
        Absent{lost ? Absence::kGpuLost : Absence::kError, ReplaceHidden(ToValidUtf8(line), "?")};
    return gpu;
  }

  // Its cells are not quoted: a name with a comma is two. And it may end within a row.
  static std::optional<Gpu> WithOtherCells(const std::vector<std::string_view>& cells) {
    const auto index = NumberOf(cells.front());
    if (cells.size() < 3 || !index) return std::nullopt;
    Gpu gpu;
    gpu.index = static_cast<unsigned>(*index);
    gpu.unreadable =
        Absent{Absence::kError, "nvidia-smi's row of it has other cells than were asked for"};
    return gpu;
  }

  // The places that no other one has.
  static void NumberThose(std::vector<Gpu>& gpus, const std::vector<std::size_t>& without) {
    for (const std::size_t place : without) {
      const auto is_taken = [&](unsigned index) {
        return std::any_of(gpus.begin(), gpus.end(), [&](const Gpu& gpu) {
          return &gpu != &gpus[place] && gpu.index == index;
        });
      };
      gpus[place].index = 0;
      while (is_taken(gpus[place].index)) ++gpus[place].index;
    }
    std::stable_sort(gpus.begin(), gpus.end(),
                     [](const Gpu& a, const Gpu& b) { return a.index < b.index; });
  }

  static void ReadGpus(std::string_view text, const std::vector<const Column*>& columns,
                       SmiAnswer& answer) {
    constexpr unsigned kNoIndex = std::numeric_limits<unsigned>::max();
    std::vector<std::size_t> without_index;
    for (const std::string_view line : LinesOf(text)) {
      const auto cells = Split(line, ',', columns.size() + 1);
      if (cells.size() != columns.size()) {
        auto gpu = WithoutHandle(line);
        if (gpu) {
          gpu->index = kNoIndex;
          without_index.push_back(answer.gpus.size());
        } else {
          gpu = WithOtherCells(cells);
        }
        // Else a warning stands between the rows.
        if (gpu) answer.gpus.push_back(*std::move(gpu));
        continue;
      }
      Gpu gpu;
      gpu.index = static_cast<unsigned>(answer.gpus.size());
      for (std::size_t i = 0; i < cells.size(); ++i) {
        SetCell(*columns[i], cells[i], gpu, answer.software);
      }
      if (!gpu.name && gpu.name.absent().why == Absence::kGpuLost) {
        gpu.unreadable = gpu.name.absent();
      }
      answer.gpus.push_back(std::move(gpu));
    }
    NumberThose(answer.gpus, without_index);
  }

  void AskProcesses(std::vector<Gpu>& gpus) {
    const auto ran =
        Run({"--query-compute-apps=gpu_uuid,pid,used_gpu_memory,process_name", kFormat});
    for (Gpu& gpu : gpus) {
      if (!ran || ran->exit_code != 0) {
        gpu.processes = Absent{Absence::kError, "nvidia-smi lists no processes"};
      } else {
        gpu.processes = ProcessesOf(ran->output, gpu.uuid.ValueOr(""));
      }
    }
  }

  static std::vector<Process> ProcessesOf(std::string_view text, const std::string& uuid) {
    std::vector<Process> processes;
    for (const std::string_view line : LinesOf(text)) {
      const auto cells = Split(line, ',', 4);  // a name may have commas
      if (cells.size() != 4 || cells[0] != uuid) continue;
      const auto pid = NumberOf(cells[1]);
      if (!pid) continue;
      Process process;
      process.pid = static_cast<std::uint32_t>(*pid);
      process.compute = true;
      const auto memory = ReadNumber(cells[2], kMiB);
      if (memory) {
        process.used_memory = static_cast<std::uint64_t>(*memory);
      } else {
        process.used_memory = memory.absent();
      }
      process.name = ProgramNameOf(ReadSmiCell(cells[3]).ValueOr(""));
      processes.push_back(std::move(process));
    }
    return processes;
  }

  // No column has it; the smallest report does.
  Reading<std::string> AskCudaVersion() {
    const auto ran = Run({"-q", "-d", "COMPUTE"});
    const Absent none{Absence::kNotSupported, "nvidia-smi does not tell"};
    if (!ran) return none;
    for (const std::string_view line : LinesOf(ran->output)) {
      const auto parts = Split(line, ':', 2);
      if (parts.size() == 2 && parts[0] == "CUDA Version") return ReadSmiCell(parts[1]);
    }
    return none;
  }

  const std::string& program_;
  const Clock& clock_;
  const Deadline deadline_;
  std::vector<std::string>& steps_;
};

}  // namespace

Reading<std::string> ReadSmiCell(std::string_view cell) {
  const std::string_view whole = Trimmed(cell);
  std::string_view word = whole;
  const bool bracketed = word.starts_with('[') && word.ends_with(']') && word.size() > 1;
  if (bracketed) word = word.substr(1, word.size() - 2);
  for (const AbsentWord& row : kAbsentWords) {
    if (EqualsIgnoreCase(word, row.word)) return Absent{row.why, std::string(row.word)};
  }
  if (bracketed || whole.empty() || whole == "ERR!") {
    return Absent{Absence::kError, whole.empty() ? "empty" : log::Quoted(whole)};
  }
  return ReplaceHidden(ToValidUtf8(whole), "?");
}

Result<SmiAnswer> AskNvidiaSmi(const std::string& program, const Clock& clock, Deadline deadline,
                               std::vector<std::string>& steps) {
  return Smi(program, clock, deadline, steps).Ask();
}

}  // namespace gpumon::nvml
