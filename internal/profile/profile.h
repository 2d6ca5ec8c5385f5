// Profiles of this process, in the formats that `go tool pprof` opens.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"

namespace gpumon::profile {

// Called exactly once with the bytes of the profile.
using Profiled = std::function<void(Result<std::string>)>;

// CPU profiles, one at a time: the profiler of a process is one. Thread-safe.
class CpuProfiler {
 public:
  CpuProfiler();
  // Cancels what runs, and returns after its `done` has.
  ~CpuProfiler();
  CpuProfiler(const CpuProfiler&) = delete;
  CpuProfiler& operator=(const CpuProfiler&) = delete;

  // Samples every thread for `duration`; never blocks. `done` gets the profile on a thread of the
  // profiler's, where it must not destroy the profiler; the next profile may start by then. Or an
  // error, from inside Start when none could be started: kTooManyRequests (one is running),
  // kDraining (cancelled), kUnavailable (this build has no profiler), kInternal.
  // When `wanted` is given and says no, asked a few times a second, it ends early with kBadRequest:
  // a profile that is cut short says nothing of the time that was asked for.
  void Start(Millis duration, Profiled done, std::function<bool()> wanted = {});

  // Ends a running profile now with kDraining, and refuses every later one: for shutdown.
  void Cancel();

 private:
  struct Job {
    SteadyTime until;
    int file = -1;  // where the samples go
    Profiled done;
    std::function<bool()> wanted;
  };

  void Run();

  Mutex mutex_;
  CondVar changed_;
  std::optional<Job> job_ GUARDED_BY(mutex_);  // set while sampling
  bool cancelled_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);  // started by the first profile
};

// The heap as allocation sites. kUnavailable, saying how to switch it on, unless the program was
// started with TCMALLOC_SAMPLE_PARAMETER set and runs on tcmalloc.
Result<std::string> HeapProfile();

// Gives free memory back to the system, as after a refresh that needed much for a moment.
// Takes milliseconds: not for server threads.
void ReleaseMemory();

// What GET /debug/pprof/symbol answers without addresses: that it knows names.
std::string SymbolCount();
// What /debug/pprof/symbol answers to "0x401000+0x402000": a line "0x401000\tname" for each
// address. Addresses without a name stand for themselves; what is no address is left out. The
// answer ends at 4 MiB.
std::string LookUpSymbols(std::string_view addresses);

// The arguments this process was started with, the program first. They may hold secrets.
std::vector<std::string> CommandLine();

}  // namespace gpumon::profile
