#include "internal/prom/api_client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/base/text.h"
#include "internal/fetch/url.h"
#include "internal/prom/admission.h"
#include "internal/prom/http_answer.h"

namespace gpumon::prom {
namespace {

// Of the time that is left, so much is for the answer's way back.
constexpr Millis kWayBack{200};
// A deadline nearer than this has passed.
constexpr Millis kGrain{5};

std::string Seconds(double value) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.3f", value);
  return {text.data(), static_cast<std::size_t>(std::clamp(size, 0, 63))};
}

// Whether the same server may do better when it is asked again at once.
bool MayHelpHere(Code code) {
  return code == Code::kUpstreamUnreachable || code == Code::kUpstreamError;
}

// Whether another server with the same data may do better: not with what is wrong with the query,
// with its answer's size, or with us.
bool MayHelpElsewhere(Code code) {
  switch (code) {
    case Code::kUpstreamRejectedQuery:
    case Code::kUpstreamQueryTimeout:
    case Code::kUpstreamTooLarge:
      return false;
    default:
      return RowOf(code).name.starts_with("upstream_");
  }
}

// For people: 0.6 for the 599 ms that are left of 600 when somebody looks.
std::string InSeconds(Millis time) {
  return FormatNumber(std::round(static_cast<double>(time.count()) / 10) / 100);
}

// Of a query that came when little of its request's time was left, that is what was short.
std::string NoAnswerIn(Millis budget, Millis timeout) {
  const std::string within = "Prometheus did not answer within ";
  if (budget <= Millis(0)) {
    return "the time of this request was over before Prometheus was asked all of it; too much was "
           "asked for, or REQUEST_TIMEOUT is too short";
  }
  if (budget + kGrain < timeout) {
    return within + "the " + InSeconds(budget) +
           " s that were left for this request; it may be overloaded, or too much was asked for";
  }
  return within + InSeconds(budget) + " s; it may be overloaded or PROMETHEUS_TIMEOUT too short";
}

// A fetch error's clause in a sentence of ours. `left` of `budget` was not used; no query gets more
// than `timeout`.
Status Worded(Status status, Millis budget, Millis left, Millis timeout) {
  switch (status.code) {
    case Code::kUpstreamUnreachable:
      status.message = "Prometheus cannot be reached: " + status.message +
                       "; check that it runs and that PROMETHEUS_URL is right";
      break;
    case Code::kUpstreamTimeout:
      status.message = left > kGrain ? "Prometheus cannot be reached: connecting took too long; "
                                       "check that PROMETHEUS_URL is right"
                                     : NoAnswerIn(budget, timeout);
      break;
    case Code::kUpstreamTls:
      status.message = "Prometheus cannot be trusted: " + status.message +
                       "; check PROMETHEUS_URL and PROMETHEUS_CA_FILE";
      break;
    case Code::kUpstreamAuth:
      status.message = "Prometheus could not be asked: " + status.message +
                       "; check PROMETHEUS_BEARER_TOKEN_FILE, PROMETHEUS_BASIC_AUTH_FILE and "
                       "PROMETHEUS_HEADERS_FILE, the log says which";
      break;
    case Code::kUpstreamTooLarge:
      status.message =
          "Prometheus's answer is larger than PROMETHEUS_MAX_RESPONSE_BYTES; raise it or narrow "
          "the query";
      break;
    case Code::kUpstreamInvalid:
      status.message = "Prometheus's answer cannot be used: " + status.message +
                       "; check that PROMETHEUS_URL is a Prometheus server";
      break;
    case Code::kDraining:
      return EndingStatus();
    default:
      // A file's path is for the log, not for clients.
      status.detail = status.message + (status.detail.empty() ? "" : " ") + status.detail;
      status.message = "Prometheus could not be asked; the log has the reason";
      break;
  }
  return status;
}

struct Call {
  std::string_view path;
  std::string form;  // without the timeout, which shrinks with every try
  Deadline deadline;
  Millis budget;  // what it had when it came
  Done done;
  std::size_t first_server = 0;
  std::size_t tries = 0;
};
using CallPtr = std::shared_ptr<Call>;

// Shared with the callbacks under way, so that they may outlive the client.
class Engine final : public std::enable_shared_from_this<Engine> {
 public:
  Engine(ApiClientOptions options, fetch::Client& fetch, Executor& executor, const Clock& clock)
      : options_(std::move(options)),
        fetch_(fetch),
        executor_(executor),
        clock_(clock),
        quiet_until_(options_.urls.size()),
        admission_(options_.max_concurrency, clock) {}

  void Ask(std::string_view path, std::string form, Deadline deadline, Done done) {
    auto call = std::make_shared<Call>(
        Call{path, std::move(form), deadline.Earlier(Deadline::After(clock_, options_.timeout)),
             Millis(0), std::move(done)});
    call->budget = std::chrono::ceil<Millis>(call->deadline.at() - clock_.Steady());
    const Deadline until = call->deadline;
    admission_.Enter(until, [self = shared_from_this(), call](Result<void> turn) {
      if (!turn) return self->Deliver(call, Error(std::move(turn.error())));
      call->first_server = self->good_server_.load(std::memory_order_relaxed);
      self->Send(call);
    });
  }

  // No request is started once this has returned.
  void Stop() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    admission_.Stop();
  }

 private:
  // Which server the call's try number `tries`, from 0, goes to.
  std::size_t ServerOf(const Call& call, std::size_t tries) const {
    return (call.first_server + tries) % options_.urls.size();
  }

  void Send(const CallPtr& call) {
    const std::size_t server = ServerOf(*call, call->tries);
    if (const int left = QuietFor(server); left > 0) {
      ++call->tries;
      return Post(call, Error(Throttled("url=" + fetch::RedactUrl(options_.urls[server]) +
                                            " not asked: it wants to be left alone",
                                        left)));
    }
    fetch::Request request;
    request.url = options_.urls[server] + std::string(call->path);
    request.max_response_bytes = options_.max_response_bytes;
    request.headers.emplace_back("Accept", "application/json");
    ++call->tries;
    const Deadline until = DeadlineOf(*call);
    const Millis left = until.Left(clock_);
    std::string form = call->form;
    // With little time left half of it still is worth a try.
    const Millis theirs = std::max({left - kWayBack, left / 2, Millis(1)});
    fetch::AddParam(form, "timeout", Seconds(static_cast<double>(theirs.count()) / 1000));
    if (options_.use_get) {
      request.url += '?' + form;
    } else {
      request.form = std::move(form);
    }
    const bool sent = Fetch(std::move(request), until,
                            [self = shared_from_this(), call](Result<fetch::Response> fetched) {
                              self->OnFetched(call, std::move(fetched));
                            });
    if (sent) return;
    admission_.Leave();
    Deliver(call, Error(EndingStatus()));
  }

  // Of the try under way: while there are other servers, one that hangs leaves them their share.
  Deadline DeadlineOf(const Call& call) const {
    const std::size_t others = options_.urls.size() - std::min(call.tries, options_.urls.size());
    if (others == 0) return call.deadline;
    const Millis left = call.deadline.Left(clock_);
    return Deadline::After(clock_, left / static_cast<int>(others + 1)).Earlier(call.deadline);
  }

  // False once stopping: `fetch_` may be gone. It never calls back from inside, so the lock is
  // held for a moment only.
  bool Fetch(fetch::Request request, Deadline deadline, fetch::Done done) {
    const MutexLock lock(mutex_);
    if (stopping_) return false;
    fetch_.Fetch(std::move(request), deadline, std::move(done));
    return true;
  }

  // Whole seconds for which that server has asked not to be asked.
  int QuietFor(std::size_t server) {
    const MutexLock lock(mutex_);
    const auto left = quiet_until_[server] - clock_.Steady();
    return left.count() <= 0
               ? 0
               : static_cast<int>(std::chrono::ceil<std::chrono::seconds>(left).count());
  }

  void LeaveAlone(std::size_t server, int seconds) {
    const MutexLock lock(mutex_);
    quiet_until_[server] =
        std::max(quiet_until_[server], clock_.Steady() + std::chrono::seconds(seconds));
  }

  void Post(const CallPtr& call, Result<QueryResult> result) {
    const auto shared = std::make_shared<Result<QueryResult>>(std::move(result));
    const bool posted = executor_.Post(
        [self = shared_from_this(), call, shared] { self->OnResult(call, std::move(*shared)); });
    if (!posted) Finish(call, Error(EndingStatus()));
  }

  void OnFetched(const CallPtr& call, Result<fetch::Response> fetched) {
    const auto answer = std::make_shared<Result<fetch::Response>>(std::move(fetched));
    const bool posted = executor_.Post([self = shared_from_this(), call, answer] {
      self->OnResult(call, self->Read(*call, *answer));
    });
    if (!posted) Finish(call, Error(EndingStatus()));
  }

  Result<QueryResult> Read(const Call& call, Result<fetch::Response>& answer) {
    if (!answer) {
      return Error(Worded(std::move(answer.error()), call.budget, call.deadline.Left(clock_),
                          options_.timeout));
    }
    Result<QueryResult> result = ReadHttpAnswer(std::move(*answer), clock_);
    if (!result) {
      Status& error = result.error();
      const std::size_t server = ServerOf(call, call.tries - 1);
      error.detail = "url=" + fetch::RedactUrl(options_.urls[server]) + " " + error.detail;
      if (error.code == Code::kUpstreamThrottled) LeaveAlone(server, error.retry_after_s);
    }
    return result;
  }

  void OnResult(const CallPtr& call, Result<QueryResult> result) {
    const std::size_t asked = ServerOf(*call, call->tries - 1);
    if (result) {
      good_server_.store(asked, std::memory_order_relaxed);
    } else if (WorthAnotherTry(*call, result.error().code)) {
      return Send(call);
    } else if (result.error().code == Code::kUpstreamTimeout) {
      // It cost this query all its time: the next ones start elsewhere.
      good_server_.store(ServerOf(*call, call->tries), std::memory_order_relaxed);
    }
    Finish(call, std::move(result));
  }

  bool WorthAnotherTry(const Call& call, Code code) const {
    if (call.deadline.Left(clock_) <= kGrain) return false;
    if (options_.urls.size() == 1) return call.tries < 2 && MayHelpHere(code);
    return call.tries < options_.urls.size() && MayHelpElsewhere(code);
  }

  // On a worker thread, or when there are no more.
  void Finish(const CallPtr& call, Result<QueryResult> result) {
    admission_.Leave();
    std::exchange(call->done, nullptr)(std::move(result));
  }

  // From a thread that is not ours to keep; no turn was taken.
  void Deliver(const CallPtr& call, Result<QueryResult> result) {
    const auto shared = std::make_shared<Result<QueryResult>>(std::move(result));
    const auto deliver = [call, shared] { std::exchange(call->done, nullptr)(std::move(*shared)); };
    if (!executor_.Post(deliver)) deliver();
  }

  const ApiClientOptions options_;
  fetch::Client& fetch_;
  Executor& executor_;
  const Clock& clock_;
  std::atomic<std::size_t> good_server_{0};
  Mutex mutex_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<SteadyTime> quiet_until_ GUARDED_BY(mutex_);  // by server: it said 429 until then
  Admission admission_;
};

class ApiClient final : public Client {
 public:
  explicit ApiClient(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  ~ApiClient() override { engine_->Stop(); }

  void Stop() override { engine_->Stop(); }

  void Query(InstantQuery query, Deadline deadline, Done done) override {
    std::string form;
    fetch::AddParam(form, "query", query.promql);
    fetch::AddParam(form, "time", Seconds(query.time));
    fetch::AddParam(form, "nocache", "1");
    engine_->Ask("/api/v1/query", std::move(form), deadline, std::move(done));
  }

  void QueryRange(RangeQuery query, Deadline deadline, Done done) override {
    std::string form;
    fetch::AddParam(form, "query", query.promql);
    fetch::AddParam(form, "start", Seconds(query.start));
    fetch::AddParam(form, "end", Seconds(query.end));
    fetch::AddParam(form, "step", Seconds(query.step));
    fetch::AddParam(form, "nocache", "1");
    engine_->Ask("/api/v1/query_range", std::move(form), deadline, std::move(done));
  }

 private:
  std::shared_ptr<Engine> engine_;
};

}  // namespace

Result<std::unique_ptr<Client>> MakeApiClient(const ApiClientOptions& options, fetch::Client& fetch,
                                              Executor& executor, const Clock& clock) {
  if (options.urls.empty()) {
    return Error(Code::kInvalidParameter, "PROMETHEUS_URL is empty; give http://host:9090");
  }
  ApiClientOptions ready = options;
  for (std::string& url : ready.urls) {
    if (!fetch::IsHttpUrl(url) || url.find_first_of("?# \t\r\n") != std::string::npos) {
      return Error(Code::kInvalidParameter,
                   "PROMETHEUS_URL: " + fetch::RedactUrl(url) +
                       " is not http://host:port or https://host:port with an optional path");
    }
    while (url.back() == '/') url.pop_back();
  }
  return std::unique_ptr<Client>(std::make_unique<ApiClient>(
      std::make_shared<Engine>(std::move(ready), fetch, executor, clock)));
}

}  // namespace gpumon::prom
