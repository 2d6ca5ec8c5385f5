#include <curl/curl.h>
#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/fetch/client.h"
#include "internal/fetch/credentials.h"
#include "internal/fetch/transfer.h"
#include "internal/fetch/url.h"

namespace gpumon::fetch {
namespace {

constexpr int kPollMs = 1000;

struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using CurlMulti = std::unique_ptr<CURLM, CurlMultiDeleter>;

struct Pending {
  Request request;
  Deadline deadline;
  Done done;
};

class CurlClient final : public Client {
 public:
  CurlClient(const ClientOptions& options, const Clock& clock, CredentialFiles files,
             CurlMulti multi)
      : options_(options),
        clock_(clock),
        files_(std::move(files)),
        room_(options.shared_body_bytes),
        multi_(std::move(multi)),
        thread_([this] { Run(); }) {
    pthread_setname_np(thread_.native_handle(), "fetch");
  }

  ~CurlClient() override {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  void Fetch(Request request, Deadline deadline, Done done) override {
    bool was_empty = false;
    {
      const MutexLock lock(mutex_);
      was_empty = queue_.empty();
      queue_.push_back({std::move(request), deadline, std::move(done)});
    }
    if (was_empty) curl_multi_wakeup(multi_.get());
  }

 private:
  void Run() {
    while (true) {
      std::vector<Pending> fresh;
      bool stopping = false;
      {
        const MutexLock lock(mutex_);
        fresh.swap(queue_);
        stopping = stopping_;
      }
      if (stopping) {
        EndAll();
        for (Pending& pending : fresh) End(std::move(pending), StoppingStatus());
        if (fresh.empty()) return;
        continue;  // a callback may have asked again
      }
      for (Pending& pending : fresh) Start(std::move(pending));
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      TakeFinished();
      curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
    }
  }

  static Status StoppingStatus() { return {Code::kDraining, "the client is stopping"}; }

  void Start(Pending pending) {
    const Millis budget = pending.deadline.Left(clock_);
    if (budget.count() <= 0) {
      return End(std::move(pending), {Code::kUpstreamTimeout, "no time was left to ask"});
    }
    if (!IsHttpUrl(pending.request.url)) {
      Status status{Code::kInternal, "its URL is neither http nor https",
                    "url=" + RedactUrl(pending.request.url)};
      return End(std::move(pending), std::move(status));
    }
    Result<std::shared_ptr<const Credentials>> credentials = files_.Get();
    if (!credentials) return End(std::move(pending), Unusable(std::move(credentials.error())));
    CurlEasy easy = TakeEasy();
    if (easy == nullptr) {
      return End(std::move(pending), {Code::kInternal, "no handle for another request"});
    }
    auto transfer = std::make_unique<Transfer>(std::move(easy), std::move(pending.request),
                                               std::move(pending.done), &room_);
    if (Result<void> ready = transfer->Prepare(options_, std::move(*credentials), budget); !ready) {
      return transfer->Finish(Error(std::move(ready.error())));
    }
    if (curl_multi_add_handle(multi_.get(), transfer->easy()) != CURLM_OK) {
      return transfer->Finish(Error(Code::kInternal, "the request could not be started"));
    }
    if (transfers_.empty()) transfer->BecomeFirst();
    transfers_.emplace(++started_, std::move(transfer));
  }

  // What a file is called and holds is for the log.
  static Status Unusable(Status file) {
    file.detail = std::move(file.message);
    file.message = file.code == Code::kUpstreamTls ? "the CA file cannot be used"
                                                   : "a file with its credentials cannot be used";
    return file;
  }

  static void End(Pending pending, Status status) {
    Transfer(nullptr, {}, std::move(pending.done)).Finish(Error(std::move(status)));
  }

  CurlEasy TakeEasy() {
    if (idle_.empty()) return CurlEasy(curl_easy_init());
    CurlEasy easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }

  void TakeFinished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      auto node = transfers_.extract(std::find_if(
          transfers_.begin(), transfers_.end(),
          [&](const auto& started) { return started.second->easy() == message->easy_handle; }));
      Transfer& transfer = *node.mapped();
      Result<Response> outcome = transfer.Outcome(code);
      curl_multi_remove_handle(multi_.get(), transfer.easy());
      // One that failed before it had a connection refuses some options later.
      if (code == CURLE_OK && idle_.size() < options_.max_connections_per_host) {
        idle_.push_back(transfer.TakeEasy());
      }
      transfer.Finish(std::move(outcome));
      node = {};
      ShareRoom();
    }
  }

  // After one has ended.
  void ShareRoom() {
    if (transfers_.empty()) return;
    transfers_.begin()->second->BecomeFirst();
    for (const auto& [number, transfer] : transfers_) transfer->Resume();
  }

  void EndAll() {
    while (!transfers_.empty()) {
      auto node = transfers_.extract(transfers_.begin());
      curl_multi_remove_handle(multi_.get(), node.mapped()->easy());
      node.mapped()->Finish(Error(StoppingStatus()));
    }
  }

  const ClientOptions options_;
  const Clock& clock_;

  Mutex mutex_;
  std::vector<Pending> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;

  // The I/O thread's own, but for curl_multi_wakeup. Handles go before the multi handle.
  CredentialFiles files_;
  BodyRoom room_;
  CurlMulti multi_;
  std::map<std::uint64_t, std::unique_ptr<Transfer>> transfers_;  // in the order of their start
  std::uint64_t started_ = 0;
  std::vector<CurlEasy> idle_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Client>> MakeClient(const ClientOptions& options, const Clock& clock) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CredentialFiles files(options, clock);
  if (Result<std::shared_ptr<const Credentials>> now = files.Get(); !now) {
    return Error(Code::kInvalidParameter, now.error().message);
  }
  if (!options.bearer_token_file.empty() && !options.basic_auth_file.empty()) {
    return Error(Code::kInvalidParameter,
                 "bearer_token_file and basic_auth_file exclude each other; set one");
  }
  CurlMulti multi(initialised == CURLE_OK ? curl_multi_init() : nullptr);
  if (multi == nullptr) return Error(Code::kInternal, "libcurl could not be started");
  const auto connections = static_cast<long>(options.max_connections_per_host);
  curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS, connections);
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, connections * 4);
  return std::unique_ptr<Client>(
      std::make_unique<CurlClient>(options, clock, std::move(files), std::move(multi)));
}

}  // namespace gpumon::fetch
