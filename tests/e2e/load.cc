#include "tests/e2e/load.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {
using Steady = std::chrono::steady_clock;
constexpr std::chrono::seconds kLastAnswers{15};
}  // namespace

struct Load::Client {
  enum class State { kPausing, kConnecting, kWaiting, kGone };
  State state = State::kPausing;
  int fd = -1;
  bool kept = false;  // the connection has brought an answer before
  std::string buffer;
  Steady::time_point since{};  // of the pause or the request
};

std::size_t LoadReport::total() const {
  std::size_t sum = 0;
  for (const auto& row : answers) sum += row.second;
  return sum;
}

double LoadReport::Percentile(double share) {
  if (seconds.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1));
  const auto at = seconds.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(seconds.begin(), at, seconds.end());
  return *at;
}

std::string LoadReport::Text() const {
  std::string text;
  for (const auto& [status, count] : answers) {
    text += std::to_string(status) + ": " + std::to_string(count) + ", ";
  }
  return text + "wrong: " + std::to_string(wrong) + ", dropped: " + std::to_string(dropped) +
         ", asked again: " + std::to_string(asked_again) + ", refused: " + std::to_string(refused);
}

Load::Load(LoadOptions options)
    : options_(std::move(options)), request_(RequestText("GET", options_.target)) {
  thread_ = std::thread([this] { Run(); });
}

Load::~Load() {
  if (thread_.joinable()) Stop();
}

LoadReport Load::Stop() {
  stopping_ = true;
  thread_.join();
  return std::move(report_);
}

void Load::Connect(Client& client) {
  if (!may_connect_) {
    client.state = Client::State::kGone;
    return;
  }
  client.fd = StartConnecting(options_.port);
  client.kept = false;
  client.buffer.clear();
  client.state = Client::State::kConnecting;
  if (client.fd >= 0) return;
  ++report_.refused;
  client.state = Client::State::kGone;
}

void Load::Send(Client& client) {
  client.since = Steady::now();
  client.state = Client::State::kWaiting;
  const ssize_t sent = send(client.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request_.size())) Lost(client);
}

void Load::Lost(Client& client) {
  close(client.fd);
  client.fd = -1;
  if (client.kept && client.buffer.empty()) {
    ++report_.asked_again;
    Connect(client);
    return;
  }
  ++report_.dropped;
  client.state = Client::State::kGone;
}

void Load::Receive(Client& client) {
  std::array<char, 65536> block;
  const ssize_t got = recv(client.fd, block.data(), block.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) client.buffer.append(block.data(), static_cast<std::size_t>(got));
  Answer answer;
  const std::size_t taken = ParseAnswer(client.buffer, false, got <= 0, answer);
  if (taken == 0 || !answer.complete) {
    if (got <= 0) Lost(client);
    return;
  }
  const auto now = Steady::now();
  report_.seconds.push_back(std::chrono::duration<double>(now - client.since).count());
  ++report_.answers[answer.status];
  if (answer.status == 200 && options_.right && !options_.right(answer)) ++report_.wrong;
  if (options_.seen) options_.seen(answer, client.since);
  ++answered_;
  client.buffer.erase(0, taken);
  client.kept = true;
  client.since = now;
  client.state = Client::State::kPausing;
  if (answer.Header("Connection") == "close" || got <= 0) {
    close(client.fd);
    client.fd = -1;
  }
}

// Milliseconds.
int Load::LeftOfPause(const Client& client) const {
  const auto left = std::chrono::ceil<Millis>(client.since + options_.pause - Steady::now());
  return static_cast<int>(std::max<Millis::rep>(0, left.count()));
}

// False when the client has nothing to wait for any more.
bool Load::Advance(Client& client, short events) {
  switch (client.state) {
    case Client::State::kGone:
      return false;
    case Client::State::kPausing:
      if (stopping_) {
        client.state = Client::State::kGone;
        return false;
      }
      if (Steady::now() - client.since < options_.pause) return true;
      if (client.fd < 0) {
        Connect(client);
      } else {
        Send(client);
      }
      return true;
    case Client::State::kConnecting: {
      if (events == 0) return true;
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(client.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) {
        Send(client);
        return true;
      }
      close(client.fd);
      client.fd = -1;
      ++report_.refused;
      client.state = Client::State::kGone;
      return false;
    }
    case Client::State::kWaiting:
      if (events != 0) Receive(client);
      return true;
  }
  return false;
}

void Load::Run() {
  std::vector<Client> clients(options_.clients);
  std::vector<pollfd> waiting(clients.size());
  auto give_up = Steady::time_point::max();
  while (Steady::now() < give_up) {
    if (stopping_ && give_up == Steady::time_point::max()) {
      give_up = Steady::now() + kLastAnswers;
    }
    bool busy = false;
    int patience_ms = 20;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      busy |= Advance(clients[i], waiting[i].revents);
      const auto state = clients[i].state;
      const bool pausing = state == Client::State::kPausing;
      if (pausing) patience_ms = std::min(patience_ms, LeftOfPause(clients[i]));
      waiting[i] = {pausing ? -1 : clients[i].fd,
                    static_cast<short>(state == Client::State::kConnecting ? POLLOUT : POLLIN), 0};
    }
    if (!busy) break;
    poll(waiting.data(), waiting.size(), patience_ms);
  }
  for (Client& client : clients) {
    if (client.fd < 0) continue;
    if (client.state == Client::State::kWaiting) ++report_.dropped;
    close(client.fd);
  }
}

std::vector<Answer> FetchAtOnce(std::uint16_t port, std::size_t clients,
                                const std::string& target) {
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::size_t i = 0; i < clients; ++i) {
    connections.push_back(std::make_unique<Connection>(port));
  }
  const std::string request = RequestText("GET", target);
  for (auto& connection : connections) connection->Send(request);
  std::vector<Answer> answers;
  for (auto& connection : connections) answers.push_back(connection->Read());
  return answers;
}

}  // namespace gpumon::e2e
