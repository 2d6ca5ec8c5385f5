#include "internal/http/application_guard.h"

#include <exception>
#include <string_view>
#include <utility>

#include "internal/base/log.h"

namespace gpumon::http {

template <class Call>
bool ApplicationGuard::Run(std::string_view what, const Call& call) {
  {
    MutexLock lock(mutex_);
    if (closed_) return false;
    ++inside_;
  }
  bool returned = false;
  try {
    call();
    returned = true;
  } catch (const std::exception& e) {
    log::Error("the application threw", {{"call", what}, {"exception", e.what()}});
  } catch (...) {
    log::Error("the application threw", {{"call", what}, {"exception", "not a std::exception"}});
  }
  MutexLock lock(mutex_);
  if (--inside_ == 0 && closed_) left_.NotifyAll();
  return returned;
}

bool ApplicationGuard::Handle(Request request, Match match,
                              const std::shared_ptr<Responder>& responder) {
  const std::string what = "Handle " + request.method + ' ' + request.path.substr(0, 256);
  return Run(what, [&] { application_.Handle(std::move(request), std::move(match), responder); });
}

Response ApplicationGuard::Refuse(const Status& status, const Request* request,
                                  const std::string& allow) {
  Response response;
  if (!Run("Refuse", [&] { response = application_.Refuse(status, request, allow); })) {
    response = Response{500, {}, nullptr};
  }
  return response;
}

Response ApplicationGuard::Options(const Request& request, const std::string& allow) {
  Response response;
  if (!Run("Options", [&] { response = application_.Options(request, allow); })) {
    response = Refuse({Code::kInternal, "the server failed to answer", {}, 0}, &request, "");
  }
  return response;
}

void ApplicationGuard::Done(const Access& access) {
  Run("Done", [&] { application_.Done(access); });
}

void ApplicationGuard::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  while (inside_ > 0) left_.Wait(mutex_);
}

}  // namespace gpumon::http
