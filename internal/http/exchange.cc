#include "internal/http/exchange.h"

#include <utility>

#include "internal/base/log.h"
#include "internal/http/connection.h"

namespace gpumon::http {
namespace {

class TurnStream final : public Stream {
 public:
  TurnStream(std::shared_ptr<Connection> connection, std::uint64_t turn)
      : connection_(std::move(connection)), turn_(turn) {}
  ~TurnStream() override { connection_->EndStream(turn_, nullptr); }
  TurnStream(const TurnStream&) = delete;
  TurnStream& operator=(const TurnStream&) = delete;

  Written Write(Body data) override { return connection_->WriteStream(turn_, data); }
  void End(Body last) override { connection_->EndStream(turn_, last); }
  bool Alive() const override { return connection_->Alive(turn_); }

 private:
  const std::shared_ptr<Connection> connection_;
  const std::uint64_t turn_;
};

}  // namespace

Exchange::Exchange(std::shared_ptr<Connection> connection, std::uint64_t turn)
    : connection_(std::move(connection)), turn_(turn) {}

Exchange::~Exchange() {
  if (!answered_.load()) connection_->Fail(turn_, "the handler gave no answer");
}

bool Exchange::Claim() {
  if (!answered_.exchange(true)) return true;
  log::Warning("a second answer to one request was ignored");
  return false;
}

void Exchange::Send(Response response) {
  if (Claim()) connection_->Send(turn_, response);
}

std::shared_ptr<Stream> Exchange::StartStream(Response head) {
  if (!Claim()) return nullptr;
  auto stream = std::make_shared<TurnStream>(connection_, turn_);
  return connection_->StartStream(turn_, head) ? stream : nullptr;
}

bool Exchange::Alive() const {
  return connection_->Alive(turn_);
}

}  // namespace gpumon::http
