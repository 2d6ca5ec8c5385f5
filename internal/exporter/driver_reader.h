// Reads the driver on a thread of its own, which may hang with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "internal/base/clock.h"
#include "internal/exporter/driver_look.h"
#include "internal/exporter/host_processes.h"
#include "internal/exporter/smi_fallback.h"

namespace gpumon::exporter {

struct ReaderOptions {
  std::string nvml_library;  // as nvml::Library::Open has it
  SmiOptions smi;            // asked where NVML cannot be had, and for what it lacks
  HostOptions host;
  // From one new start of NVML, for a GPU that was lost, to the next: it disturbs the others.
  Millis reopen_pause{60'000};
  Millis xid_pause{1000};  // from one question for XID errors to the next
  // Of XID codes: the GPU needs a reset. For a quarter of an hour a code that is none of them does
  // not take the place of one that is; not set: the last one is shown, whichever.
  std::function<bool(unsigned code)> asks_for_reset = {};
};

// Thread-safe. The destructor waits a little for the thread, and leaves one behind that hangs in
// the driver: nothing can end that.
class DriverReader {
 public:
  explicit DriverReader(ReaderOptions options);
  ~DriverReader();
  DriverReader(const DriverReader&) = delete;
  DriverReader& operator=(const DriverReader&) = delete;

  // Has everything read anew, or, while the driver hangs, waits for what was begun before. What
  // was not read since the call, but for a second, is not in the answer.
  DriverLook Look(Deadline deadline);

 private:
  struct Shared;
  class Rounds;
  std::shared_ptr<Shared> shared_;
};

}  // namespace gpumon::exporter
