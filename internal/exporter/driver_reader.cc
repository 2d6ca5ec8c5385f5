#include "internal/exporter/driver_reader.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/mutex.h"
#include "internal/nvml/library.h"
#include "internal/nvml/nvidia_smi.h"

namespace gpumon::exporter {
namespace {

constexpr Millis kFresh{1000};
constexpr Millis kEndLimit{1000};
constexpr std::chrono::minutes kStays(15);
constexpr unsigned kCleanup = 45;  // XID: the driver ends programs after errors before it

}  // namespace

// Both threads have it, so that the one left behind finds what it needs.
struct DriverReader::Shared {
  explicit Shared(ReaderOptions given) : options(std::move(given)) {}

  const ReaderOptions options;
  const std::shared_ptr<const Clock> time = std::make_shared<SystemClock>();
  const Clock& clock = *time;
  Mutex mutex;
  CondVar wake;  // of the reading thread
  CondVar told;  // of those who wait for it
  bool wanted GUARDED_BY(mutex) = false;
  bool ending GUARDED_BY(mutex) = false;
  bool ended GUARDED_BY(mutex) = false;
  bool running GUARDED_BY(mutex) = false;             // a round
  std::uint64_t rounds GUARDED_BY(mutex) = 0;         // that have ended
  DriverLook look GUARDED_BY(mutex);                  // of the last round, or as far as this one is
  std::optional<SteadyTime> whole GUARDED_BY(mutex);  // when a round without an error ended
};

// The reading thread.
class DriverReader::Rounds {
 public:
  explicit Rounds(Shared& shared)
      : shared_(shared), host_(shared.options.host), smi_(shared.options.smi, shared.time) {}

  void Run() {
    while (AwaitWish()) {
      if (!wish_) {
        CountXids();
        continue;
      }
      Begin();
      std::optional<Status> error = ReadNvml();
      if (error) error = ReadNvidiaSmi(*std::move(error));
      if (!error) DescribeProcesses();
      End(std::move(error));
    }
  }

 private:
  // False when all shall end.
  bool AwaitWish() {
    const SteadyTime until = shared_.clock.Steady() + shared_.options.xid_pause;
    MutexLock lock(shared_.mutex);
    bool in_time = true;
    while (!shared_.ending && !shared_.wanted && in_time) {
      in_time = shared_.wake.WaitUntil(shared_.mutex, until);
    }
    wish_ = shared_.wanted;
    shared_.wanted = false;
    return !shared_.ending;
  }

  void Begin() {
    MutexLock lock(shared_.mutex);
    DriverLook next;
    next.reopened = shared_.look.reopened;
    shared_.look = std::move(next);
    shared_.running = true;
  }

  void End(std::optional<Status> error) {
    MutexLock lock(shared_.mutex);
    if (!error) shared_.whole = shared_.clock.Steady();
    if (error) shared_.look.gpus.clear();
    shared_.look.error = std::move(error);
    ++shared_.rounds;
    shared_.running = false;
    shared_.told.NotifyAll();
  }

  void Publish(nvml::Software software, std::string_view source) {
    MutexLock lock(shared_.mutex);
    shared_.look.software = std::move(software);
    shared_.look.source = source;
  }

  void Publish(nvml::Gpu gpu, const nvml::SmiColumns& from_smi = {}) {
    auto seen = std::make_shared<SeenGpu>();
    seen->lost = nvml::IsLost(gpu);
    if (gpu.uuid) {
      boards_[gpu.index] = {*gpu.uuid, gpu.name.ValueOr("")};
    } else if (const auto board = boards_.find(gpu.index); board != boards_.end()) {
      gpu.uuid = board->second.uuid;
      gpu.name = board->second.name;
    }
    const auto known = xids_.find(gpu.uuid.ValueOr(""));
    if (known != xids_.end()) {
      seen->xids = known->second.count;
      seen->xid_last = known->second.last;
    } else if (library_ && library_->WatchesXids(gpu.index)) {
      seen->xids = 0;
    }
    seen->gpu = std::move(gpu);
    seen->from_smi = from_smi;
    seen->at = shared_.clock.Steady();
    MutexLock lock(shared_.mutex);
    shared_.look.gpus.push_back(std::move(seen));
  }

  Result<unsigned> Open() {
    const bool again = library_ != nullptr || opened_ != SteadyTime();
    library_.reset();  // a second start beside the first would be none
    boards_.clear();
    opened_ = shared_.clock.Steady();
    auto library = nvml::Library::Open(shared_.options.nvml_library);
    if (!library) return Error(library.error());
    library_ = *std::move(library);
    const auto count = library_->Count();
    if (!count) return Error(count.error());
    library_->WatchXids(*count);
    if (again) {
      MutexLock lock(shared_.mutex);
      ++shared_.look.reopened;
    }
    return *count;
  }

  bool MayReopen() const {
    return shared_.clock.Steady() - opened_ >= shared_.options.reopen_pause;
  }

  Result<unsigned> Count() {
    if (!library_) {
      // While nvidia-smi answers in its place it need not be tried each time.
      if (smi_error_ && !MayReopen()) return Error(*smi_error_);
      return Open();
    }
    if (library_->MustReopen() && MayReopen()) return Open();
    auto count = library_->Count();
    if (count && *count != counted_) library_->WatchXids(*count);
    if (!count && library_->MustReopen()) count = Open();
    if (!count) library_.reset();
    return count;
  }

  std::optional<Status> ReadNvml() {
    const auto count = Count();
    if (!count) return count.error();
    smi_error_.reset();
    counted_ = *count;
    if (*count == 0) return Status{Code::kNotFound, "NVML counts no GPU; look for it in lspci"};
    CountXids();
    Publish(library_->ReadSoftware(), kNvml);
    for (unsigned i = 0; i < *count; ++i) {
      nvml::Gpu gpu = library_->Read(i);
      const nvml::SmiColumns from_smi = smi_.Fill(gpu);
      Publish(std::move(gpu), from_smi);
    }
    smi_.EndCollection();
    return std::nullopt;
  }

  std::optional<Status> ReadNvidiaSmi(Status nvml) {
    const SmiOptions& options = shared_.options.smi;
    if (options.program.empty()) return nvml;
    std::vector<std::string> steps;
    auto answer = nvml::AskNvidiaSmi(options.program, shared_.clock,
                                     Deadline::After(shared_.clock, options.limit), steps);
    if (!answer) {
      smi_error_.reset();
      // What says that something is there and does not work tells more than that nothing is.
      if (nvml.code == Code::kNotFound && answer.error().code != Code::kNotFound) {
        return answer.error();
      }
      if (nvml.code == Code::kNotFound) nvml.message += "; " + answer.error().message;
      return nvml;
    }
    smi_error_ = std::move(nvml);
    Publish(std::move(answer->software), kNvidiaSmi);
    for (nvml::Gpu& gpu : answer->gpus) Publish(std::move(gpu));
    return std::nullopt;
  }

  void CountXids() {
    if (!library_) return;
    for (const nvml::Xid& xid : library_->TakeXids()) {
      const auto board = boards_.find(xid.index);
      Xids& xids = xids_[board != boards_.end() ? board->second.uuid
                                                : library_->Read(xid.index).uuid.ValueOr("")];
      ++xids.count;
      Note(xids, xid.code);
      log::Warning("XID error", {{"gpu", xid.index}, {"xid", xid.code}});
    }
  }

  struct Xids {
    std::uint64_t count = 0;
    unsigned last = 0;
    SteadyTime at{};  // when that came
  };

  // What a cleanup follows is the matter, not that it was done; so is what asks for a reset, for a
  // while, whatever its programs do then.
  void Note(Xids& xids, unsigned code) const {
    const auto& asks = shared_.options.asks_for_reset;
    const SteadyTime now = shared_.clock.Steady();
    const bool stays = asks && asks(xids.last) && !asks(code) && now - xids.at < kStays;
    if (xids.last != 0 && (code == kCleanup || stays)) return;
    xids.last = code;
    xids.at = now;
  }

  // After all GPUs: the kernel may block who asks for a process.
  void DescribeProcesses() {
    host_.Begin(shared_.clock.Steady());
    std::vector<std::shared_ptr<const SeenGpu>> gpus;
    {
      MutexLock lock(shared_.mutex);
      gpus = shared_.look.gpus;
    }
    for (auto& gpu : gpus) {
      if (!gpu->gpu.processes) continue;
      auto described = std::make_shared<SeenGpu>(*gpu);
      described->processes.emplace();
      for (const nvml::Process& process : *gpu->gpu.processes) {
        described->processes->push_back({process, host_.Describe(process.pid)});
      }
      gpu = std::move(described);
    }
    host_.End();
    MutexLock lock(shared_.mutex);
    shared_.look.gpus = std::move(gpus);
  }

  struct Board {
    std::string uuid;
    std::string name;
  };
  Shared& shared_;
  HostProcesses host_;
  SmiFallback smi_;
  std::unique_ptr<nvml::Library> library_;
  SteadyTime opened_{};               // when that was last tried
  unsigned counted_ = 0;              // GPUs, when they were last counted
  std::optional<Status> smi_error_;   // set: nvidia-smi answers, because of this
  std::map<unsigned, Board> boards_;  // by their index, since NVML was started
  std::map<std::string, Xids> xids_;  // by the UUID: an index is another GPU's when one is gone
  bool wish_ = false;
};

DriverReader::DriverReader(ReaderOptions options)
    : shared_(std::make_shared<Shared>(std::move(options))) {
  std::thread([shared = shared_] {
    Rounds(*shared).Run();
    MutexLock lock(shared->mutex);
    shared->ended = true;
    shared->told.NotifyAll();
  }).detach();
}

DriverReader::~DriverReader() {
  const SteadyTime until = shared_->clock.Steady() + kEndLimit;
  MutexLock lock(shared_->mutex);
  shared_->ending = true;
  shared_->wake.NotifyOne();
  while (!shared_->ended && shared_->told.WaitUntil(shared_->mutex, until)) {
  }
}

DriverLook DriverReader::Look(Deadline deadline) {
  Shared& shared = *shared_;
  const SteadyTime begin = shared.clock.Steady();
  MutexLock lock(shared.mutex);
  // One that has begun before may have hung until now: what it tells may be old.
  const std::uint64_t enough = shared.rounds + (shared.running ? 2 : 1);
  shared.wanted = true;
  shared.wake.NotifyOne();
  bool in_time = true;
  while (shared.rounds < enough && in_time) {
    in_time = shared.told.WaitUntil(shared.mutex, deadline.at());
  }
  DriverLook look = shared.look;
  look.hanging = shared.rounds < enough;
  if (look.hanging) shared.wanted = false;
  std::erase_if(look.gpus, [&](const auto& gpu) { return gpu->at < begin - kFresh; });
  if (shared.whole) {
    look.age = std::chrono::duration_cast<Millis>(shared.clock.Steady() - *shared.whole);
  }
  return look;
}

}  // namespace gpumon::exporter
