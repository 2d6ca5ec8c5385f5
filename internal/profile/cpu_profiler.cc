#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "internal/profile/profile.h"

#if GPUMON_HAS_GPERFTOOLS
#include <gperftools/profiler.h>
#endif

namespace gpumon::profile {
namespace {

// gperftools writes to a path. A file in memory needs no writable folder and leaves nothing behind.
int NewMemoryFile() {
  return memfd_create("cpu-profile", MFD_CLOEXEC);
}

bool StartSampling(int file) {
#if GPUMON_HAS_GPERFTOOLS
  return ProfilerStart(("/proc/self/fd/" + std::to_string(file)).c_str()) != 0;
#else
  static_cast<void>(file);
  return false;
#endif
}

void StopSampling() {
#if GPUMON_HAS_GPERFTOOLS
  ProfilerStop();
#endif
}

Result<std::string> ReadAll(int file) {
  struct stat about {};
  if (fstat(file, &about) != 0) {
    return Error(Code::kInternal, "the CPU profile could not be read", std::strerror(errno));
  }
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error(Code::kInternal, "the CPU profile could not be read");
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

constexpr bool kHasProfiler =
#if GPUMON_HAS_GPERFTOOLS
    true;
#else
    false;
#endif

// Whether somebody still wants the profile.
constexpr Millis kLookAgain{250};

constexpr const char* kNobodyWaits =
    "CPU profile: ended early, since whoever asked has closed the connection or their half of it; "
    "keep both open until the answer comes";
constexpr const char* kShuttingDown = "CPU profile: the server is shutting down";

}  // namespace

CpuProfiler::CpuProfiler() = default;

CpuProfiler::~CpuProfiler() {
  Cancel();
  std::thread thread;
  {
    MutexLock lock(mutex_);
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void CpuProfiler::Start(Millis duration, Profiled done, std::function<bool()> wanted) {
  Status refusal;
  {
    MutexLock lock(mutex_);
    if (!kHasProfiler) {
      refusal = {Code::kUnavailable, "CPU profile: this build has no gperftools profiler"};
    } else if (cancelled_) {
      refusal = {Code::kDraining, kShuttingDown};
    } else if (job_) {
      refusal = {Code::kTooManyRequests, "a profile is running; ask again when it has ended"};
    } else if (const int file = NewMemoryFile(); file < 0) {
      refusal = {Code::kInternal, "CPU profile: no memory file", std::strerror(errno)};
    } else if (!StartSampling(file)) {
      close(file);
      refusal = {Code::kInternal, "CPU profile: the profiler did not start"};
    } else {
      job_ = Job{std::chrono::steady_clock::now() + duration, file, std::move(done),
                 std::move(wanted)};
      if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
      changed_.NotifyAll();
      return;
    }
  }
  done(Error(std::move(refusal)));
}

void CpuProfiler::Run() {
  while (true) {
    Job job;
    Result<std::string> profile;
    {
      MutexLock lock(mutex_);
      while (!job_ && !cancelled_) changed_.Wait(mutex_);
      if (!job_) return;
      const SteadyTime until = job_->until;
      bool wanted = true;
      for (auto now = std::chrono::steady_clock::now(); !cancelled_ && now < until;
           now = std::chrono::steady_clock::now()) {
        wanted = !job_->wanted || job_->wanted();
        if (!wanted) break;
        changed_.WaitUntil(mutex_, std::min<SteadyTime>(until, now + kLookAgain));
      }
      StopSampling();
      profile = ReadAll(job_->file);
      close(job_->file);
      if (!wanted) profile = Error(Code::kBadRequest, kNobodyWaits);
      if (cancelled_) profile = Error(Code::kDraining, kShuttingDown);
      job = *std::move(job_);
      job_.reset();
    }
    job.done(std::move(profile));
  }
}

void CpuProfiler::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  changed_.NotifyAll();
}

}  // namespace gpumon::profile
