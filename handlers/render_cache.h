// The whole list of a snapshot as bytes, made once and shared by every request for it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "internal/base/mutex.h"
#include "internal/gpu/source.h"
#include "internal/http/message.h"
#include "models/gpu.h"

namespace gpumon::handlers {

// One encoded list. Thread-safe.
class Rendered {
 public:
  Rendered(const gpu::Got& got, std::string_view message, bool commands_hidden);

  bool Is(const gpu::Got& got) const {
    return snapshot_ == got.snapshot && stale_ == got.stale &&
           (!stale_ || stale_code_ == got.why.code);
  }
  const http::Body& identity() const { return identity_; }
  const std::string& etag() const { return etag_; }
  // Compressed by whoever asks first, while the others wait.
  http::Body Gzip() const;
  // Null until somebody has asked for it.
  http::Body GzipIfReady() const;

 private:
  const gpu::SnapshotPtr snapshot_;
  const bool stale_;
  const Code stale_code_;
  http::Body identity_;
  std::string etag_;
  mutable Mutex mutex_;
  mutable http::Body gzip_ GUARDED_BY(mutex_);
};

// The newest Rendered of each part. Thread-safe.
class RenderCache {
 public:
  // Null when it has to be made.
  std::shared_ptr<const Rendered> Find(const gpu::Got& got) const;
  // Makes it if nobody has; callers that come meanwhile wait. Long: not on a server thread.
  // `commands_hidden` as in wire::Table.
  std::shared_ptr<const Rendered> Make(const gpu::Got& got, std::string_view message,
                                       bool commands_hidden);

 private:
  struct Slot {
    mutable Mutex mutex;  // held for a copy of the pointer only
    std::shared_ptr<const Rendered> newest GUARDED_BY(mutex);
    Mutex making;  // held while one is made
  };
  const Slot& SlotOf(models::Part part) const { return slots_[static_cast<std::size_t>(part)]; }

  std::array<Slot, models::kParts.size()> slots_;
};

}  // namespace gpumon::handlers
