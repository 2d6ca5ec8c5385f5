// NVML, loaded at run time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "internal/base/result.h"
#include "internal/nvml/gpu.h"
#include "internal/nvml/symbols.h"
#include "internal/nvml/xid_events.h"

namespace gpumon::nvml {

inline constexpr const char* kLibraryVariable = "NVML_LIBRARY";
inline constexpr const char* kLibraryName = "libnvidia-ml.so.1";

// NVML from its start to its end. One thread at a time. A call blocks for as long as the driver
// takes: milliseconds, but of a GPU that hangs it may be for ever, so have a thread that may be
// left behind.
class Library {
 public:
  // Loads `path`; when empty what NVML_LIBRARY names, else libnvidia-ml.so.1.
  // kNotFound: no library, no driver or no GPU, that is: nothing of NVIDIA's to look at.
  // kForbidden: no rights. kUnavailable: it is there and does not work (a driver of another
  // version, a broken library). The message says what, and the next step.
  static Result<std::unique_ptr<Library>> Open(const std::string& path = {});
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  Software ReadSoftware() const;
  // Of GPUs that the driver counts, lost ones too. Errors as Open.
  Result<unsigned> Count() const;
  // `index` counts from 0 in the driver's order, which is that of nvidia-smi. What cannot be read
  // is absent and says why; what a MIG instance shares with its GPU stands in the GPU.
  Gpu Read(unsigned index) const;

  // The driver or a GPU went away under it, as one of the calls before found: what it tells from
  // now on is worth nothing until it was closed and opened again.
  bool MustReopen() const { return must_reopen_; }

  // From now on, of the first `count` GPUs.
  void WatchXids(unsigned count);
  // Whether that GPU's are watched; those since the last call.
  bool WatchesXids(unsigned index) const { return xids_ && xids_->Watches(index); }
  std::vector<Xid> TakeXids();

 private:
  explicit Library(Symbols symbols) : symbols_(std::move(symbols)) {}
  Return Note(Return answer) const;

  Symbols symbols_;
  std::unique_ptr<XidEvents> xids_;
  mutable bool must_reopen_ = false;
  // Drivers 535.43 to 535.86 give the newest list of processes another layout.
  bool has_odd_processes_ = false;
};

}  // namespace gpumon::nvml
