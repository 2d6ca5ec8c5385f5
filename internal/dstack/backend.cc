#include "internal/dstack/backend.h"

#include <utility>

#include "internal/base/log.h"
#include "internal/dstack/gpus.h"
#include "internal/fetch/url.h"
#include "internal/http/message.h"

namespace gpumon::dstack {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kTarget = "/prpc/ListGpus?json";
constexpr std::string_view kStopping = "the server is stopping";
// A host has a few GPUs.
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

Availability Unavailable(std::string_view kind, std::string_view why) {
  return {false, std::string(kind).append(" error: ").append(why)};
}

}  // namespace

std::optional<Address> ParseAddress(std::string_view text) {
  if (text.starts_with(kUnix)) {
    text.remove_prefix(kUnix.size());
    if (text.starts_with("//")) text.remove_prefix(2);
    while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    // As long as the kernel takes.
    if (text.empty() || text.size() > 107) return std::nullopt;
    return Address{"http://localhost", std::string(text)};
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  if (!fetch::IsHttpUrl(text)) return std::nullopt;
  if (text.find_first_of("?# \t\r\n") != std::string_view::npos) return std::nullopt;
  return Address{std::string(text), {}};
}

Backend::Backend(Options options, const Clock& clock, MakeFetch make_fetch)
    : options_(std::move(options)), clock_(clock), make_fetch_(std::move(make_fetch)) {}

void Backend::Tick() {
  {
    const MutexLock lock(mutex_);
    if (!began_ && !options_.at_once) return;
    if (began_ && clock_.Steady() - begun_at_ < options_.interval) return;
  }
  Begin();
}

void Backend::Begin() {
  std::optional<Status> failed;
  {
    const MutexLock lock(mutex_);
    if (probing_ || stopped_) return;
    began_ = probing_ = true;
    begun_at_ = clock_.Steady();
    failed = Ask();
  }
  if (failed) End(Unavailable("Connection", failed->message));
}

std::optional<Status> Backend::Ask() {
  if (fetch_ == nullptr) {
    auto made = make_fetch_();
    if (!made) return made.error();
    fetch_ = *std::move(made);
  }
  fetch_->Fetch({.url = options_.address.url + std::string(kTarget),
                 .headers = {{"Accept", "application/json"}},
                 .max_response_bytes = kMostBytes,
                 .unix_socket = options_.address.unix_socket},
                Deadline::After(clock_, options_.timeout),
                [this](const Result<fetch::Response>& response) { End(Of(response)); });
  return std::nullopt;
}

Availability Backend::Of(const Result<fetch::Response>& response) const {
  if (!response) {
    const bool parse = response.error().code == Code::kUpstreamTooLarge;
    return Unavailable(parse ? "Parse" : "Connection", response.error().message);
  }
  if (response->status < 200 || response->status > 299) {
    return Unavailable(
        "HTTP",
        std::to_string(response->status).append(" ").append(http::ReasonPhrase(response->status)));
  }
  const auto list = ParseGpuList(response->body);
  if (!list) return Unavailable("Parse", list.error().message);
  return {true, MetadataOf(*list)};
}

void Backend::Say(const Availability& seen, bool was_known, bool was_available) const {
  if (was_known && was_available == seen.available) return;
  const std::string where = options_.address.unix_socket.empty()
                                ? fetch::RedactUrl(options_.address.url)
                                : "unix:" + options_.address.unix_socket;
  if (seen.available) {
    log::Info("DStack is available", {{"url", where}});
  } else {
    log::Warning("DStack is unavailable", {{"url", where}, {"reason", seen.metadata}});
  }
}

void Backend::End(Availability seen) {
  std::vector<Got> waiting;
  bool was_known = false;
  bool was_available = false;
  bool stopped = false;
  {
    const MutexLock lock(mutex_);
    probing_ = false;
    stopped = stopped_;
    was_known = last_.has_value();
    was_available = was_known && last_->available;
    last_ = seen;
    last_at_ = clock_.Steady();
    waiting.swap(waiting_);
  }
  if (!stopped) Say(seen, was_known, was_available);
  for (const Got& got : waiting) got(seen);
}

void Backend::Get(Got done) {
  Availability seen;
  bool known = false;
  {
    const MutexLock lock(mutex_);
    known = last_.has_value() || stopped_;
    if (!known) {
      waiting_.push_back(std::move(done));
    } else if (stopped_) {
      seen = Unavailable("Connection", kStopping);
    } else if (clock_.Steady() - last_at_ > 3 * options_.interval) {
      seen = Unavailable("Connection", "no probe has ended for three intervals");
    } else {
      seen = *last_;
    }
  }
  if (known) return done(seen);
  Begin();
}

void Backend::Stop() {
  std::unique_ptr<fetch::Client> client;
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    client = std::move(fetch_);
  }
  // Outside the lock: it ends what is under way, which calls End.
  client.reset();
  std::vector<Got> waiting;
  {
    const MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const Got& got : waiting) got(Unavailable("Connection", kStopping));
}

}  // namespace gpumon::dstack
