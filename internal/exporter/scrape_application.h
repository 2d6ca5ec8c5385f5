// What the exporter serves over HTTP: /metrics, /livez, /readyz and a page that names them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/mutex.h"
#include "internal/exporter/collector.h"
#include "internal/http/server.h"

namespace gpumon::exporter {

// Thread-safe. A scrape of a large fleet takes seconds, so it runs on `executor`; requests that
// arrive while one is being written wait for the next and share it.
class ScrapeApplication final : public http::Application {
 public:
  // All three must outlive this object and what it posted.
  ScrapeApplication(const Collector& collector, const Clock& clock, Executor& executor)
      : collector_(collector), clock_(clock), executor_(executor) {}

  // For ServerOptions::routes; Handle expects their order.
  static std::vector<http::Route> Routes();

  void Handle(http::Request request, http::Match match,
              std::shared_ptr<http::Responder> responder) override;
  http::Response Refuse(const Status& status, const http::Request* request,
                        const std::string& allow) override;
  http::Response Options(const http::Request& request, const std::string& allow) override;
  void Done(const http::Access& access) override;

 private:
  struct Waiter {
    std::shared_ptr<http::Responder> responder;
    bool gzip = false;
  };

  void Enqueue(Waiter waiter);
  void ServeWaiters();

  const Collector& collector_;
  const Clock& clock_;
  Executor& executor_;
  Mutex mutex_;
  // Not empty: a task that will answer them has been posted and has not begun.
  std::vector<Waiter> waiters_ GUARDED_BY(mutex_);
  std::size_t last_bytes_ GUARDED_BY(mutex_) = 0;  // of the last page: the next is much like it
};

}  // namespace gpumon::exporter
