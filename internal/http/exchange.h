// The application's ends of one request and its answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "internal/http/server.h"

namespace gpumon::http {

class Connection;

// Turns of a connection are numbered; a call for a turn that is over does nothing.
class Exchange final : public Responder {
 public:
  Exchange(std::shared_ptr<Connection> connection, std::uint64_t turn);
  ~Exchange() override;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void Send(Response response) override;
  std::shared_ptr<Stream> StartStream(Response head) override;
  bool Alive() const override;

 private:
  bool Claim();  // true for the first answer only

  const std::shared_ptr<Connection> connection_;
  const std::uint64_t turn_;
  std::atomic<bool> answered_{false};
};

}  // namespace gpumon::http
