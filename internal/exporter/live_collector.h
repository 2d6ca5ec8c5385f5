// The GPUs of this machine as a Collector.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/exporter/collector.h"
#include "internal/exporter/driver_reader.h"
#include "models/device_holder.h"

namespace gpumon::exporter {

// What the kubelet tells by `deadline`; kNotFound where there is none. Thread-safe.
using ListHolders = std::function<Result<std::vector<models::DeviceHolder>>(Deadline deadline)>;

struct LiveOptions {
  std::string node;
  std::string version;
  ReaderOptions reader;
  Millis read_limit{5000};  // for the driver, in one scrape
  ListHolders holders;      // or none
  std::string pod_logs;     // the folder that names pods by their UIDs; "": none
};

class LiveCollector final : public Collector {
 public:
  explicit LiveCollector(LiveOptions options);

  // Looks once, so that a machine without GPUs is found out at the start. kNotFound, kForbidden:
  // there is nothing to publish, and what to do about it. What is there and does not work, and a
  // driver that hangs, are no error: they may come back.
  Result<void> FindGpus() const;

  // Never fails: what could not be read has no samples, and gpu_exporter_up says so. Numbers of
  // before are never shown, but for those that NVML lacks (smi_fallback.h).
  Result<void> Collect(WallTime at, std::string& out) const override;

 private:
  DriverLook Look() const;
  void Note(const DriverLook& look) const;
  void NoteKubelet(const Result<std::vector<models::DeviceHolder>>& told) const;

  const LiveOptions options_;
  const SystemClock clock_;
  mutable DriverReader reader_;
  mutable Mutex mutex_;
  mutable std::string trouble_ GUARDED_BY(mutex_);          // as it was logged last
  mutable std::string kubelet_trouble_ GUARDED_BY(mutex_);  // likewise
};

}  // namespace gpumon::exporter
