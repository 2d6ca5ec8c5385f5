// A real server on a port of its own, for tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "internal/http/server.h"
#include "tests/fakes/http/raw_client.h"
#include "tests/fakes/http/scripted_application.h"

namespace gpumon::http {

class Serving {
 public:
  explicit Serving(Limits limits = {}, std::string base_path = "", int threads = 2) {
    ServerOptions options;
    options.address = "127.0.0.1";
    options.threads = threads;
    options.base_path = std::move(base_path);
    options.limits = limits;
    options.routes = ScriptedApplication::Routes();
    server_ = MakeServer(std::move(options), app);
    const auto port_or = server_->Start();
    EXPECT_TRUE(port_or.has_value());
    port = port_or.value_or(0);
  }

  Server& server() { return *server_; }

  ScriptedApplication app;
  std::uint16_t port = 0;

 private:
  std::unique_ptr<Server> server_;
};

// Waits on the server's own counters: they have no event.
inline bool Eventually(const std::function<bool()>& condition) {
  const SteadyTime until = std::chrono::steady_clock::now() + Millis(20'000);
  for (; std::chrono::steady_clock::now() < until; std::this_thread::yield()) {
    if (condition()) return true;
  }
  return condition();
}

inline std::string Get(const std::string& path, const std::string& headers = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

}  // namespace gpumon::http
