#include "tests/fakes/http/scripted_application.h"

#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace gpumon::http {
namespace {

enum Row {
  kHello,
  kEcho,
  kUpload,
  kTag,
  kLater,
  kBig,
  kHold,
  kHoldUnlimited,
  kStream,
  kThrow,
  kThrowInt,
  kThrowAfter,
  kDrop,
  kTwice,
  kDropLater,
  kSplit,
  kBlock
};

Response Text(std::string text) {
  return {200, {{"Content-Type", "text/plain"}}, MakeBody(std::move(text))};
}

}  // namespace

ScriptedApplication::ScriptedApplication() = default;
ScriptedApplication::~ScriptedApplication() {
  pool_.Stop();
}

std::vector<Route> ScriptedApplication::Routes() {
  std::vector<Route> routes = {{{"GET"}, "/hello"},
                               {{"GET", "POST"}, "/echo"},
                               {{"POST"}, "/upload", true, false},
                               {{"GET"}, "/tag/{tag}"},
                               {{"GET"}, "/later/{tag}"},
                               {{"GET"}, "/big"},
                               {{"GET"}, "/hold"},
                               {{"GET"}, "/hold-unlimited", false, true},
                               {{"GET"}, "/stream", false, true}};
  for (const char* path : {"/throw", "/throw-int", "/throw-after", "/drop", "/twice", "/drop-later",
                           "/split", "/block"}) {
    routes.push_back({{"GET"}, path});
  }
  return routes;
}

const std::string& ScriptedApplication::BigBody() {
  static const std::string& body = *new std::string([] {
    std::string text(10U << 20U, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
  }());
  return body;
}

void ScriptedApplication::Handle(Request request, Match match,
                                 std::shared_ptr<Responder> responder) {
  static const Body big = std::make_shared<const std::string>(BigBody());
  switch (match.route) {
    case kHello:
      return responder->Send(Text("hello"));
    case kEcho:
      return responder->Send(Text(request.method + ' ' + request.path + '?' + request.query + ' ' +
                                  std::to_string(request.body.size()) + ' ' + request.body));
    case kUpload:
      return responder->Send(Text(std::to_string(request.body.size())));
    case kTag:
      return responder->Send(Text(match.params.at(0)));
    case kLater:
      pool_.Post([responder, tag = match.params.at(0)] { responder->Send(Text(tag)); });
      return;
    case kBig:
      return responder->Send({200, {{"Content-Type", "text/plain"}}, big});
    case kHold:
    case kHoldUnlimited: {
      MutexLock lock(mutex_);
      held_.push_back(std::move(responder));
      changed_.NotifyAll();
      return;
    }
    case kStream: {
      auto stream = responder->StartStream({200, {{"Content-Type", "text/event-stream"}}, nullptr});
      MutexLock lock(mutex_);
      streams_.push_back(std::move(stream));
      changed_.NotifyAll();
      return;
    }
    case kThrow:
      throw std::runtime_error("secret inside");
    case kThrowInt:
      throw 42;  // NOLINT: any type may be thrown
    case kThrowAfter:
      responder->Send(Text("first"));
      throw std::runtime_error("late");
    case kTwice:
      responder->Send(Text("one"));
      return responder->Send(Text("two"));
    case kDropLater:
      pool_.Post([responder] {});
      return;
    case kSplit:
      return responder->Send(
          {200,
           {{"X-Split", std::string("a\r\nX-Evil: 1\0b", 14)}, {"Content-Length", "999"}},
           MakeBody("split")});
    case kBlock: {
      {
        MutexLock lock(mutex_);
        blocked_ = true;
        changed_.NotifyAll();
        while (!unblocked_) changed_.Wait(mutex_);
      }
      return responder->Send(Text("unblocked"));
    }
    default:
      return;  // kDrop: the responder goes unanswered
  }
}

Response ScriptedApplication::Refuse(const Status& status, const Request* request,
                                     const std::string& allow) {
  Response response;
  response.status = status.http_status();
  response.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  if (!allow.empty()) response.headers.push_back({"Allow", allow});
  const std::string* id = request == nullptr ? nullptr : Find(request->headers, "X-Request-Id");
  if (id != nullptr) response.headers.push_back({"X-Request-Id", *id});
  const std::string asked = request == nullptr ? "-" : request->method + ' ' + request->path;
  response.body = MakeBody(std::string(status.wire_name()) + ' ' + status.message + '|' + asked);
  return response;
}

Response ScriptedApplication::Options(const Request& /*request*/, const std::string& allow) {
  return {204, {{"Allow", allow}}, nullptr};
}

void ScriptedApplication::Done(const Access& access) {
  MutexLock lock(mutex_);
  done_.push_back(access);
  changed_.NotifyAll();
}

std::vector<Access> ScriptedApplication::AwaitDone(std::size_t count, Millis limit) {
  const SteadyTime until = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (done_.size() < count && changed_.WaitUntil(mutex_, until)) {
  }
  return done_;
}

std::vector<std::shared_ptr<Responder>> ScriptedApplication::AwaitHeld(std::size_t count) {
  const SteadyTime until = std::chrono::steady_clock::now() + Millis(20000);
  MutexLock lock(mutex_);
  while (held_.size() < count && changed_.WaitUntil(mutex_, until)) {
  }
  return std::exchange(held_, {});
}

void ScriptedApplication::AwaitBlocked() {
  MutexLock lock(mutex_);
  while (!blocked_) changed_.Wait(mutex_);
}

void ScriptedApplication::Unblock() {
  MutexLock lock(mutex_);
  unblocked_ = true;
  changed_.NotifyAll();
}

std::vector<std::shared_ptr<Stream>> ScriptedApplication::AwaitStreams(std::size_t count) {
  const SteadyTime until = std::chrono::steady_clock::now() + Millis(20000);
  MutexLock lock(mutex_);
  while (streams_.size() < count && changed_.WaitUntil(mutex_, until)) {
  }
  return std::exchange(streams_, {});
}

}  // namespace gpumon::http
