#include "internal/dstack/backend.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::dstack {
namespace {

constexpr std::string_view kNone = R"({"gpus":[],"allow_attach_all":true})";
constexpr std::string_view kNoneSaid = R"({"gpu_count":0,"gpus":[],"allow_attach_all":true})";

class BackendTest : public testing::Test {
 protected:
  // Of the server, unless another address is given.
  Backend& Make(bool at_once = false, std::string_view url = {}) {
    Options options;
    options.address = *ParseAddress(url.empty() ? server_.url() + "/" : url);
    options.at_once = at_once;
    backend_ = std::make_unique<Backend>(options, clock_, [this] {
      ++made_;
      return fetch::MakeClient({}, clock_);
    });
    return *backend_;
  }
  Availability Get() {
    std::promise<Availability> said;
    backend_->Get([&](const Availability& seen) { said.set_value(seen); });
    return said.get_future().get();
  }
  std::string Said() {
    const Availability seen = Get();
    return (seen.available ? "+ " : "- ") + seen.metadata;
  }

  FakeClock clock_;
  fault::FaultServer server_{[](const fault::Request&) { return fault::Json(std::string(kNone)); }};
  int made_ = 0;
  std::unique_ptr<Backend> backend_;
};

TEST_F(BackendTest, TheFirstQuestionWaitsForItsProbeAndOthersForNone) {
  Backend& backend = Make();
  backend.Tick();
  EXPECT_EQ(made_, 0) << "nobody asked";
  EXPECT_EQ(Said(), "+ " + std::string(kNoneSaid));
  EXPECT_EQ(Said(), "+ " + std::string(kNoneSaid));
  ASSERT_EQ(server_.request_count(), 1U);
  EXPECT_EQ(server_.requests()[0].method, "GET");
  EXPECT_EQ(server_.requests()[0].target, "/prpc/ListGpus?json");
}

TEST_F(BackendTest, OnceBegunItProbesEachInterval) {
  Backend& backend = Make(true);
  backend.Tick();
  ASSERT_TRUE(server_.WaitForRequests(1));
  Get();
  clock_.Advance(Millis(9'999));
  backend.Tick();
  EXPECT_EQ(server_.request_count(), 1U);
  clock_.Advance(Millis(1));
  backend.Tick();
  EXPECT_TRUE(server_.WaitForRequests(2));
}

TEST_F(BackendTest, WhatIsOlderThanThreeIntervalsIsNotTold) {
  Make();
  Get();
  clock_.Advance(Millis(30'000));
  EXPECT_EQ(Said(), "+ " + std::string(kNoneSaid));
  clock_.Advance(Millis(1));
  EXPECT_EQ(Said(), "- Connection error: no probe has ended for three intervals");
}

TEST_F(BackendTest, EachFailureHasItsWord) {
  using fault::Reply;
  const std::pair<Reply, std::string> kCases[] = {
      {fault::HttpStatus(500), "- HTTP error: 500 Internal Server Error"},
      {fault::HttpStatus(401), "- HTTP error: 401 Unauthorized"},
      {fault::HttpStatus(302), "- HTTP error: 302 Found"},
      {fault::HttpStatus(599), "- HTTP error: 599 Unknown"},
      {fault::Json("<html>"), "- Parse error: the answer is no JSON"},
      {fault::Json(R"({"gpus":[]})"),
       "- Parse error: allow_attach_all is missing or no true or false"},
  };
  for (const auto& [reply, said] : kCases) {
    server_.SetReply(reply);
    Make();
    EXPECT_EQ(Said(), said);
  }
  server_.Refuse();
  Make();
  EXPECT_EQ(Said(), "- Connection error: the connection was refused");
}

TEST_F(BackendTest, OneThatComesBackIsAvailableWithTheNextProbe) {
  server_.SetReply(fault::HttpStatus(503));
  Backend& backend = Make();
  EXPECT_FALSE(Get().available);
  server_.SetReply(fault::Json(std::string(kNone)));
  clock_.Advance(Millis(10'000));
  backend.Tick();
  ASSERT_TRUE(server_.WaitForRequests(2));
  while (!Get().available) std::this_thread::yield();
}

TEST_F(BackendTest, WhoWaitsIsToldOfTheEnd) {
  server_.SetReply(fault::Json(std::string(kNone)).Held());
  Make();
  std::promise<Availability> said;
  backend_->Get([&](const Availability& seen) { said.set_value(seen); });
  ASSERT_TRUE(server_.WaitForRequests(1));
  backend_->Stop();
  EXPECT_FALSE(said.get_future().get().available);
  EXPECT_EQ(Said(), "- Connection error: the server is stopping");
}

TEST_F(BackendTest, AsksThroughAUnixSocket) {
  const std::string path = testing::TempDir() + "vmm-" + std::to_string(getpid()) + ".sock";
  unlink(path.c_str());
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  std::string head;
  std::thread vmm([&] {
    const int fd = accept(listener, nullptr, nullptr);
    std::string piece(1024, ' ');
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto got = recv(fd, piece.data(), piece.size(), 0);
      if (got <= 0) break;
      head.append(piece, 0, static_cast<std::size_t>(got));
    }
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kNone.size()) + "\r\n\r\n" +
        std::string(kNone);
    EXPECT_EQ(send(fd, answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
    close(fd);
  });
  Make(false, "unix://" + path);
  EXPECT_EQ(Said(), "+ " + std::string(kNoneSaid));
  vmm.join();
  EXPECT_TRUE(head.starts_with("GET /prpc/ListGpus?json HTTP/1.1\r\n")) << head;
  close(listener);
  unlink(path.c_str());
}

TEST_F(BackendTest, ASocketThatIsNotThereIsAConnectionError) {
  Make(false, "unix:/no/such/vmm.sock");
  EXPECT_EQ(Said(), "- Connection error: the connection was refused");
}

TEST(DstackAddressTest, HasFewForms) {
  EXPECT_EQ(ParseAddress("http://localhost:19060/")->url, "http://localhost:19060");
  EXPECT_EQ(ParseAddress("https://vmm.example/base//")->url, "https://vmm.example/base");
  EXPECT_EQ(ParseAddress("unix:///run/vmm.sock")->unix_socket, "/run/vmm.sock");
  EXPECT_EQ(ParseAddress("unix:./vmm.sock")->unix_socket, "./vmm.sock");
  EXPECT_EQ(ParseAddress("unix:/run/vmm.sock")->unix_socket, "/run/vmm.sock");
  EXPECT_EQ(ParseAddress("unix:/run/vmm.sock//")->unix_socket, "/run/vmm.sock");
  for (const std::string text : {"", "localhost:19060", "ftp://x", "unix:", "unix://", "http://",
                                 "http://h/?x", "http://h#x"}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
  EXPECT_FALSE(ParseAddress("unix:" + std::string(108, 'x')));
}

}  // namespace
}  // namespace gpumon::dstack
