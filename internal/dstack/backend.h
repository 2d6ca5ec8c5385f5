// Whether the DStack VMM of a host is there, and which GPUs it has to give.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/fetch/client.h"

namespace gpumon::dstack {

// Where a VMM answers.
struct Address {
  std::string url;          // http or https, no trailing slash; may hold credentials
  std::string unix_socket;  // path; "": by TCP
};
// "http://host:19060/", "https://host/base", "unix:///run/vmm.sock", "unix:./vmm.sock". Nothing
// when it is none of these.
std::optional<Address> ParseAddress(std::string_view text);

struct Options {
  Address address;
  Millis interval{10'000};  // between two probes
  Millis timeout{5'000};    // of one
  // Begin with the first Tick; else with the first question.
  bool at_once = false;
};

struct Availability {
  bool available = false;
  // Of the GPUs (MetadataOf), or why not: "Connection error: ...", "HTTP error: 500 Internal Server
  // Error", "Parse error: ...".
  std::string metadata;
};

// Probes again and again, one probe at a time, once it has begun; each change is a line in the log.
// Thread-safe.
class Backend {
 public:
  using MakeFetch = std::function<Result<std::unique_ptr<fetch::Client>>()>;
  // Called once: from inside Get when a probe has ended before, else on an I/O thread.
  using Got = std::function<void(const Availability&)>;

  // `make_fetch` is called when the first probe begins. `clock` must outlive it.
  Backend(Options options, const Clock& clock, MakeFetch make_fetch);
  ~Backend() { Stop(); }
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // Begins a probe that is due. Call a few times a second.
  void Tick();
  // What the last probe saw, unless that is older than three intervals; the first one is waited
  // for.
  void Get(Got done);
  // A probe under way ends with an error, and none begins any more. Idempotent.
  void Stop();

 private:
  void Begin();
  // What keeps it from being asked at all.
  std::optional<Status> Ask() REQUIRES(mutex_);
  void End(Availability seen);
  Availability Of(const Result<fetch::Response>& response) const;
  // Logged when it is another one.
  void Say(const Availability& seen, bool was_known, bool was_available) const;

  const Options options_;
  const Clock& clock_;
  const MakeFetch make_fetch_;

  Mutex mutex_;
  std::unique_ptr<fetch::Client> fetch_ GUARDED_BY(mutex_);
  bool began_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool probing_ GUARDED_BY(mutex_) = false;
  SteadyTime begun_at_ GUARDED_BY(mutex_);
  std::optional<Availability> last_ GUARDED_BY(mutex_);
  SteadyTime last_at_ GUARDED_BY(mutex_);
  std::vector<Got> waiting_ GUARDED_BY(mutex_);
};

}  // namespace gpumon::dstack
