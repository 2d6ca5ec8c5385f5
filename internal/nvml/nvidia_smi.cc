#include "internal/nvml/nvidia_smi.h"

#include <algorithm>
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

constexpr std::size_t kMostSaid = 200;  // characters of what it says instead
constexpr const char* kFormat = "--format=csv,noheader,nounits";

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

// One program, asked several times.
class Smi {
 public:
  Smi(const std::string& program, const Clock& clock, Deadline deadline,
      std::vector<std::string>& steps)
      : program_(program), clock_(clock), deadline_(deadline), steps_(steps) {}

  Result<SmiAnswer> Ask() {
    SmiAnswer answer;
    if (const auto gpus = AskGpus(SmiColumns().set(), answer); !gpus) return Error(gpus.error());
    AskProcesses(answer.gpus);
    answer.software.cuda_version = AskCudaVersion();
    return answer;
  }

  Result<std::vector<Gpu>> Ask(SmiColumns columns) {
    for (std::size_t i = 0; i < kSmiColumns.size(); ++i) {
      const std::string_view name = kSmiColumns[i].name;
      if (name == kSmiIndex || name == kSmiUuid) columns.set(i);
    }
    SmiAnswer answer;
    if (const auto gpus = AskGpus(columns, answer); !gpus) return Error(gpus.error());
    return std::move(answer.gpus);
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
      if (!lines.empty()) return ToValidUtf8(FrontCharacters(lines.front(), kMostSaid));
    }
    return "nothing";
  }

  // One that broke off may have cut a number short.
  static std::string WholeLinesOf(const ProgramAnswer& answer) {
    if (answer.exit_code == 0) return answer.output;
    return answer.output.substr(0, answer.output.rfind('\n') + 1);
  }

  // Older programs name a column that they do not have: it is left out then.
  static bool LeaveOut(const ProgramAnswer& answer, std::vector<const SmiColumn*>& columns) {
    constexpr std::string_view kSays = "is not a valid field to query";
    const std::string text = answer.output + answer.errors;
    const std::size_t at = text.find(kSays);
    if (at == std::string::npos) return false;
    return std::erase_if(columns, [&](const SmiColumn* column) {
             return text.substr(0, at).find('"' + std::string(column->name) + '"') !=
                    std::string::npos;
           }) > 0;
  }

  Result<void> AskGpus(const SmiColumns& wanted, SmiAnswer& answer) {
    std::vector<const SmiColumn*> columns;
    for (std::size_t i = 0; i < kSmiColumns.size(); ++i) {
      if (wanted[i]) columns.push_back(&kSmiColumns[i]);
    }
    for (;;) {
      std::string query = "--query-gpu=";
      for (const SmiColumn* const column : columns) {
        query.append(column == columns.front() ? "" : ",").append(column->name);
      }
      const auto ran = Run({query, kFormat});
      if (!ran) return Error(ran.error());
      ReadGpus(WholeLinesOf(*ran) + '\n' + ran->errors, columns, answer);
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
    const auto index = SmiCountOf(cells.front());
    if (cells.size() < 3 || !index) return std::nullopt;
    Gpu gpu;
    gpu.index = *index;
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

  static void ReadGpus(std::string_view text, const std::vector<const SmiColumn*>& columns,
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
        SetSmiCell(*columns[i], cells[i], gpu, answer.software);
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
      const auto pid = SmiCountOf(cells[1]);
      if (!pid) continue;
      Process process;
      process.pid = *pid;
      process.compute = true;
      const auto memory = ReadSmiNumber(cells[2], kSmiMiB);
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

Result<SmiAnswer> AskNvidiaSmi(const std::string& program, const Clock& clock, Deadline deadline,
                               std::vector<std::string>& steps) {
  return Smi(program, clock, deadline, steps).Ask();
}

Result<std::vector<Gpu>> AskNvidiaSmi(const std::string& program, const SmiColumns& columns,
                                      const Clock& clock, Deadline deadline,
                                      std::vector<std::string>& steps) {
  return Smi(program, clock, deadline, steps).Ask(columns);
}

}  // namespace gpumon::nvml
