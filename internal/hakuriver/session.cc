#include "internal/hakuriver/session.h"

#include <utility>

#include "internal/base/log.h"
#include "internal/fetch/url.h"
#include "internal/hakuriver/failure.h"
#include "internal/json/document.h"

namespace gpumon::hakuriver {
namespace {

// The host samples each second; so long is no slow second of its own.
constexpr Millis kStill{10'000};
constexpr std::size_t kMostProbeBytes = std::size_t{64} << 10U;

}  // namespace

struct Session::Flight {
  Call call;
  BodyLimit limit;
  Deadline deadline;
  Got<Answer> got;
  // Set while the generation is that of an earlier call, and so may be wrong.
  bool remembered = false;
  Generation tried = Generation::kA;
  // What did not fit: the answer after all when the probe finds the same generation.
  std::optional<fetch::Response> unfit;
};

void Session::Send(Call call, BodyLimit limit, Deadline deadline, Got<Answer> got) {
  const auto flight = std::make_shared<Flight>(
      Flight{std::move(call), limit, deadline, std::move(got), false, Generation::kA, {}});
  std::optional<Generation> known;
  {
    const MutexLock lock(mutex_);
    known = generation_;
  }
  flight->remembered = known.has_value();
  if (known) return Try(flight, *known);
  Probe(flight);
}

void Session::Fetch(const FlightPtr& flight, const std::string& target, const char* method,
                    BodyLimit limit, Next next) {
  fetch::Request request;
  request.url = options_.base_url + target;
  request.headers = {{"Accept", "application/json, text/plain"}};
  request.method = method;
  request.max_response_bytes = limit.bytes;
  request.keep_end = limit.keep_end;
  const auto done = [self = shared_from_this(), flight, next,
                     target](Result<fetch::Response> response) {
    if (!response) {
      log::Debug("HakuRiver did not answer",
                 {{"target", target}, {"reason", response.error().message}});
      return self->End(flight, Error(Unreached(self->options_.name, response.error())));
    }
    log::Debug(
        "HakuRiver answered",
        {{"target", target}, {"status", response->status}, {"bytes", response->body.size()}});
    ((*self).*next)(flight, *std::move(response));
  };
  fetch_.Fetch(std::move(request), flight->deadline, done);
}

void Session::Try(const FlightPtr& flight, Generation generation) {
  flight->tried = generation;
  Fetch(flight, TargetOf(generation, flight->call), IsAction(flight->call.what) ? "POST" : "",
        flight->limit, &Session::TakeAnswer);
}

void Session::TakeAnswer(const FlightPtr& flight, fetch::Response response) {
  if (!flight->remembered || Fits(flight->call, response)) {
    return End(flight, Answer{flight->tried, std::move(response)});
  }
  flight->remembered = false;
  flight->unfit = std::move(response);
  {
    const MutexLock lock(mutex_);
    generation_.reset();
  }
  Probe(flight);
}

void Session::Probe(const FlightPtr& flight) {
  Fetch(flight, "/api/auth/status", "", {kMostProbeBytes}, &Session::TakeAuth);
}

void Session::TakeAuth(const FlightPtr& flight, fetch::Response response) {
  if (response.status == 200) {
    const auto document = json::ParseDocument(response.body);
    // Others answer a page of their own to any path.
    if (document && document->Find("auth_enabled") != nullptr) {
      return Found(flight, Generation::kC);
    }
  } else if (response.status != 404 && response.status != 405) {
    return End(flight, Error(FailureOf(options_.name, {}, response)));
  }
  Fetch(flight, "/nodes", "", {options_.most_bytes}, &Session::TakeNodes);
}

void Session::TakeNodes(const FlightPtr& flight, fetch::Response response) {
  if (response.status != 200) {
    return End(flight, Error(FailureOf(options_.name, {}, response)));
  }
  const auto document = json::ParseDocument(response.body);
  if (!document || !document->is_array()) {
    return End(flight, Error(Unreadable(options_.name, "it has no list of nodes")));
  }
  if (document->size() == 0) {
    // A host without nodes: their ways to say that there is no such task differ.
    return Fetch(flight, "/tasks/0/stdout", "", {kMostProbeBytes}, &Session::TakeLog);
  }
  const bool has_load = (*document)[0].Find("cpu_percent") != nullptr;
  Found(flight, has_load ? Generation::kB : Generation::kA);
}

void Session::TakeLog(const FlightPtr& flight, fetch::Response response) {
  const bool route = Fits({.what = What::kStdout, .subject = "0"}, response);
  Found(flight, route ? Generation::kB : Generation::kA);
}

void Session::Found(const FlightPtr& flight, Generation generation) {
  log::Debug("HakuRiver's generation", {{"url", fetch::RedactUrl(options_.base_url)},
                                        {"generation", std::string(1, LetterOf(generation))}});
  {
    const MutexLock lock(mutex_);
    generation_ = generation;
  }
  if (flight->unfit && flight->tried == generation) {
    return End(flight, Answer{generation, *std::move(flight->unfit)});
  }
  Try(flight, generation);
}

void Session::End(const FlightPtr& flight, Result<Answer> result) {
  if (options_.executor == nullptr) return flight->got(std::move(result));
  const auto carried = std::make_shared<Result<Answer>>(std::move(result));
  if (!options_.executor->Post([flight, carried] { flight->got(std::move(*carried)); })) {
    flight->got(Error(Code::kDraining, "the server is stopping"));
  }
}

bool Session::StandsStill(const std::string& last_updated) {
  if (last_updated.empty()) return false;
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.Steady();
  if (last_updated != last_updated_) {
    last_updated_ = last_updated;
    moved_at_ = now;
  }
  return now - moved_at_ > kStill;
}

}  // namespace gpumon::hakuriver
