#include "internal/http/application_guard.h"

#include <exception>
#include <string_view>
#include <utility>

#include "internal/base/log.h"

namespace gpumon::http {

template <class Call>
ApplicationGuard::Ran ApplicationGuard::Run(const Call& call, std::string& thrown) {
  {
    MutexLock lock(mutex_);
    if (closed_) return Ran::kClosed;
    ++inside_;
  }
  Ran ran = Ran::kThrew;
  try {
    call();
    ran = Ran::kReturned;
  } catch (const std::exception& e) {
    thrown = e.what();
  } catch (...) {
    thrown = "not a std::exception";
  }
  MutexLock lock(mutex_);
  if (--inside_ == 0 && closed_) left_.NotifyAll();
  return ran;
}

template <class Call>
bool ApplicationGuard::RunLogged(std::string_view what, const Call& call) {
  std::string thrown;
  const Ran ran = Run(call, thrown);
  if (ran == Ran::kThrew) {
    log::Error("the application threw", {{"call", what}, {"exception", thrown}});
  }
  return ran == Ran::kReturned;
}

std::optional<std::string> ApplicationGuard::Handle(Request request, Match match,
                                                    const std::shared_ptr<Responder>& responder) {
  std::string thrown;
  const Ran ran =
      Run([&] { application_.Handle(std::move(request), std::move(match), responder); }, thrown);
  return ran == Ran::kThrew ? std::optional<std::string>(std::move(thrown)) : std::nullopt;
}

Response ApplicationGuard::Refuse(const Status& status, const Request* request,
                                  const std::string& allow) {
  Response response;
  if (!RunLogged("Refuse", [&] { response = application_.Refuse(status, request, allow); })) {
    response = Response{500, {}, nullptr};
  }
  return response;
}

Response ApplicationGuard::Options(const Request& request, const std::string& allow) {
  Response response;
  if (!RunLogged("Options", [&] { response = application_.Options(request, allow); })) {
    response = Refuse({Code::kInternal, "the server failed to answer", {}, 0}, &request, "");
  }
  return response;
}

void ApplicationGuard::Done(const Access& access) {
  RunLogged("Done", [&] { application_.Done(access); });
}

void ApplicationGuard::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  while (inside_ > 0) left_.Wait(mutex_);
}

}  // namespace gpumon::http
