// What a client sends, through the connection to an application that answers at once: whole, and in
// pieces whose sizes the first byte chooses.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "internal/http/connection.h"
#include "internal/http/core.h"
#include "internal/http/server.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

using http::Request;
using http::Response;

class Echo final : public http::Application {
 public:
  void Handle(Request request, http::Match match,
              std::shared_ptr<http::Responder> responder) override {
    Require(match.route >= 0, "a request that is handled has a route");
    Require(request.body.size() <= 64U << 10U, "no body is larger than is allowed");
    Require(request.path.starts_with('/'), "a path starts with a slash");
    handled +=
        request.method + ' ' + request.path + '?' + request.query + ' ' + request.body + '\n';
    responder->Send({200, {}, http::MakeBody(std::to_string(request.body.size()))});
  }
  Response Refuse(const Status& status, const Request* /*request*/,
                  const std::string& /*allow*/) override {
    RequireMessage(status.message);
    return {status.http_status(), {}, http::MakeBody("{}")};
  }
  Response Options(const Request& /*request*/, const std::string& allow) override {
    return {204, {{"Allow", allow}}, nullptr};
  }
  void Done(const http::Access& /*access*/) override { ++done; }

  std::string handled;
  std::size_t done = 0;
};

http::ServerOptions Options() {
  http::ServerOptions options;
  options.routes = {{{"GET"}, "/a"}, {{"GET", "POST"}, "/b/{name}"}};
  return options;
}

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  Require(end != std::string_view::npos, "a head ends");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

// The status of every answer, in order. 100 is left out: whether there is one depends on when the
// body comes.
std::string Statuses(std::string_view sent) {
  std::string all;
  while (!sent.empty()) {
    const std::string_view status = TakeLine(sent);
    Require(status.starts_with("HTTP/1.1 ") && status.size() > 13, "an answer has a status line");
    std::size_t length = 0;
    for (std::string_view line = TakeLine(sent); !line.empty(); line = TakeLine(sent)) {
      constexpr std::string_view kLength = "Content-Length: ";
      if (!line.starts_with(kLength)) continue;
      line.remove_prefix(kLength.size());
      std::from_chars(line.data(), line.data() + line.size(), length);
    }
    const std::string_view code = status.substr(9, 3);
    if (code == "100") continue;
    all.append(code).append(" ");
    // HEAD has a length and no body: all bodies here begin with a digit or a brace.
    const bool body = !sent.empty() && sent.front() != 'H';
    if (body) {
      Require(length <= sent.size(), "a body is whole");
      sent.remove_prefix(length);
    }
  }
  return all;
}

std::string ReadAll(int fd) {
  std::string all;
  std::array<char, 16384> buffer{};
  for (ssize_t got = 0; (got = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return all;
}

struct Outcome {
  std::string handled;
  std::string statuses;
};

Outcome Send(std::string_view bytes, std::size_t piece) {
  Echo application;
  const auto core = std::make_shared<http::Core>(Options(), application);
  std::array<int, 2> ends{};
  Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0, "a socket");
  auto connection = std::make_shared<http::Connection>(core, 1, ends[0],
                                                       http::Connection::Client{"127.0.0.1", true});
  core->flusher.Add(1, connection);
  std::string sent;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    connection->OnInput(bytes.substr(at, piece));
    sent += ReadAll(ends[1]);
  }
  connection->OnEnd();
  sent += ReadAll(ends[1]);
  connection->Abort();
  core->flusher.Forget(1);
  connection.reset();
  close(ends[1]);
  Outcome outcome{std::move(application.handled), Statuses(sent)};
  Require(outcome.statuses.size() / 4 == application.done, "each answer is reported, once");
  core->application.Close();
  return outcome;
}

}  // namespace

void HttpConnection(std::string_view input) {
  if (input.empty()) return;
  const std::size_t piece = 1 + static_cast<unsigned char>(input.front()) % 64;
  const std::string_view bytes = input.substr(1, 16U << 10U);
  const Outcome whole = Send(bytes, std::max<std::size_t>(1, bytes.size()));
  const Outcome pieces = Send(bytes, piece);
  Require(whole.handled == pieces.handled, "the same requests however they were cut");
  Require(whole.statuses == pieces.statuses, "the same answers however they were cut");
}

}  // namespace gpumon::fuzz
