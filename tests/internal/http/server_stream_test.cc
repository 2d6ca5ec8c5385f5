// Answers without an end: events, clients that are slow, and clients that leave.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "tests/internal/http/serving.h"

namespace gpumon::http {
namespace {

TEST(ServerStreamTest, SendsChunksAsTheyAreWritten) {
  Serving serving;
  RawClient client(serving.port);
  client.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0]->Write(MakeBody("one,")), Stream::Written::kQueued);
  EXPECT_EQ(streams[0]->Write(MakeBody("")), Stream::Written::kQueued);
  EXPECT_EQ(streams[0]->Write(MakeBody("two")), Stream::Written::kQueued);
  EXPECT_TRUE(streams[0]->Alive());
  streams[0]->End();
  streams[0]->End();
  EXPECT_EQ(streams[0]->Write(MakeBody("three")), Stream::Written::kGone);
  const auto answer = client.Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Value("Transfer-Encoding"), "chunked");
  EXPECT_EQ(answer->body, "one,two");
  EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello");
}

TEST(ServerStreamTest, EndsWithTheConnectionOnHttp10AndHasNoBodyOnHead) {
  Serving serving;
  RawClient old(serving.port);
  old.Send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  streams[0]->Write(MakeBody("plain"));
  streams.clear();  // destroying it ends it
  const auto answer = old.Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Value("Transfer-Encoding"), "");
  EXPECT_EQ(answer->Value("Connection"), "close");
  EXPECT_EQ(answer->body, "plain");
  RawClient head(serving.port);
  EXPECT_EQ(head.Ask("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n", true)->status, 200);
  streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0]->Write(MakeBody("x")), Stream::Written::kGone);
  EXPECT_EQ(head.Ask(Get("/hello"))->body, "hello");
}

// Fills what the client's kernel and ours hold; the number of events that were queued.
int WriteUntilBehind(Stream& stream, const Body& event) {
  int queued = 0;
  while (queued < 1000 && stream.Write(event) == Stream::Written::kQueued) ++queued;
  return queued;
}

TEST(ServerStreamTest, TellsThatAClientIsTooFarBehindAndStillGivesItTheLastWords) {
  Limits limits;
  limits.stream_buffer_bytes = 100'000;
  Serving serving(limits);
  RawClient slow(serving.port, 4096);
  slow.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  const Body piece = MakeBody(std::string(50'000, 'p'));
  const int queued = WriteUntilBehind(*streams[0], piece);
  ASSERT_LT(queued, 1000);
  EXPECT_EQ(streams[0]->Write(piece), Stream::Written::kBehind);
  EXPECT_TRUE(streams[0]->Alive());
  streams[0]->End(MakeBody("lag"));
  EXPECT_EQ(streams[0]->Write(piece), Stream::Written::kGone);
  const auto answer = slow.Read();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->complete);
  EXPECT_EQ(answer->body.size(), static_cast<std::size_t>(queued) * piece->size() + 3);
  EXPECT_TRUE(answer->body.ends_with("plag"));
  EXPECT_EQ(slow.Ask(Get("/hello"))->body, "hello");
}

TEST(ServerStreamTest, WhoReadsSlowlyButSteadilyGetsTheLastWords) {
  Limits limits;
  limits.write_stall = Millis(500);
  limits.least_rate = 100'000;
  Serving serving(limits);
  RawClient slow(serving.port, 64 * 1024);
  slow.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  WriteUntilBehind(*streams[0], MakeBody(std::string(50'000, 'p')));
  streams[0]->End(MakeBody("lag"));
  std::string read;
  std::array<char, 20'000> some{};
  ssize_t size = 0;
  while ((size = recv(slow.fd(), some.data(), some.size(), 0)) > 0) {
    read.append(some.data(), static_cast<std::size_t>(size));
    if (read.ends_with("\r\n0\r\n\r\n")) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(read.ends_with("lag\r\n0\r\n\r\n")) << size << " after " << read.size();
}

TEST(ServerStreamTest, AFirstEventLargerThanTheBufferLeavesRoomForAnother) {
  Limits limits;
  limits.stream_buffer_bytes = 1000;
  Serving serving(limits);
  RawClient slow(serving.port, 4096);
  slow.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0]->Write(MakeBody(ScriptedApplication::BigBody())), Stream::Written::kQueued);
  EXPECT_EQ(streams[0]->Write(MakeBody("second")), Stream::Written::kQueued);
  streams[0]->End();
  const auto answer = slow.Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, ScriptedApplication::BigBody() + "second");
}

TEST(ServerStreamTest, SharesEventsRatherThanCopyingThem) {
  Serving serving;
  RawClient slow(serving.port, 4096);
  slow.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  const Body event = MakeBody(ScriptedApplication::BigBody());
  EXPECT_EQ(streams[0]->Write(event), Stream::Written::kQueued);
  EXPECT_EQ(event.use_count(), 2);
  // Let go with the connection.
  slow.Reset();
  EXPECT_TRUE(Eventually([&] { return event.use_count() == 1; }));
}

TEST(ServerStreamTest, AClientThatReadsByteByByteGetsEveryByteOnce) {
  Serving serving;
  RawClient client(serving.port, 4096);
  client.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    const std::string event(static_cast<std::size_t>(i * 7), static_cast<char>('a' + i % 26));
    EXPECT_EQ(streams[0]->Write(MakeBody(event)), Stream::Written::kQueued) << i;
    sent += event;
  }
  streams[0]->End();
  std::string raw;
  char byte = 0;
  while (!raw.ends_with("\r\n0\r\n\r\n") && recv(client.fd(), &byte, 1, 0) == 1) raw += byte;
  std::string body;
  for (std::size_t at = raw.find("\r\n\r\n") + 4; at < raw.size();) {
    const std::size_t size = std::stoul(raw.substr(at), nullptr, 16);
    at = raw.find("\r\n", at) + 2;
    body += raw.substr(at, size);
    at += size + 2;
  }
  EXPECT_EQ(body, sent);
}

TEST(ServerStreamTest, ARequestBehindAStreamIsAnsweredAfterIt) {
  Serving serving;
  RawClient client(serving.port);
  client.Send(Get("/stream") + Get("/hello"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(serving.app.AwaitDone(1, Millis(150)).size(), 0U);
  streams[0]->End(MakeBody("stream"));
  EXPECT_EQ(client.Read()->body, "stream");
  EXPECT_EQ(client.Read()->body, "hello");
}

TEST(ServerStreamTest, TimeOutsOfRequestsAndIdleConnectionsAreNotItsOwn) {
  Limits limits;
  limits.head_timeout = limits.idle_timeout = limits.handler_timeout = Millis(40);
  limits.write_stall = Millis(40);
  Serving serving(limits);
  RawClient client(serving.port);
  client.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  // Another client is closed for being idle: all those times have passed.
  RawClient idle(serving.port);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(RawClient(serving.port).IsClosed());
  EXPECT_EQ(streams[0]->Write(MakeBody("still here")), Stream::Written::kQueued);
  streams[0]->End();
  EXPECT_EQ(client.Read()->body, "still here");
}

TEST(ServerStreamTest, DropsAClientThatTakesNothing) {
  Limits limits;
  limits.write_stall = Millis(100);
  Serving serving(limits);
  RawClient stalled(serving.port, 4096);
  stalled.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0]->Write(MakeBody(ScriptedApplication::BigBody())), Stream::Written::kQueued);
  const auto done = serving.app.AwaitDone(1);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].complete);
  EXPECT_FALSE(streams[0]->Alive());
  EXPECT_EQ(streams[0]->Write(MakeBody("x")), Stream::Written::kGone);
}

// Takes a mebibyte of an ended stream, pauses, and so on, up to its end or that of the connection:
// how much it got.
std::size_t TakeSlowly(RawClient& client) {
  std::string piece(64 * 1024, ' ');
  std::size_t all = 0;
  for (std::size_t pause = 1U << 20U;; pause += 1U << 20U) {
    while (all < pause) {
      const auto got = recv(client.fd(), piece.data(), piece.size(), 0);
      if (got <= 0) return all;
      all += static_cast<std::size_t>(got);
      if (piece.substr(0, static_cast<std::size_t>(got)).ends_with("\r\n0\r\n\r\n")) return all;
    }
    std::this_thread::sleep_for(Millis(150));
  }
}

TEST(ServerStreamTest, ASlowClientHasTimeForTheRestAsLongAsItIsSteady) {
  const Body event = MakeBody(ScriptedApplication::BigBody());
  for (const bool enough : {true, false}) {
    Limits limits;
    limits.write_stall = Millis(500);
    limits.least_rate = enough ? 1024 : 1U << 30U;
    Serving serving(limits);
    RawClient slow(serving.port, 256 * 1024);
    slow.Send(Get("/stream"));
    auto streams = serving.app.AwaitStreams(1);
    ASSERT_EQ(streams.size(), 1U);
    EXPECT_EQ(streams[0]->Write(event), Stream::Written::kQueued);
    streams[0]->End(MakeBody("the end"));
    const std::size_t taken = TakeSlowly(slow);
    EXPECT_EQ(taken > event->size(), enough) << taken;
    EXPECT_EQ(serving.app.AwaitDone(1).at(0).complete, enough);
  }
}

TEST(ServerStreamTest, EndsWhenItsConnectionIsOldEnough) {
  Limits limits;
  limits.connection_max_age = Millis(200);
  Serving serving(limits);
  RawClient client(serving.port);
  client.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0]->Write(MakeBody("event")), Stream::Written::kQueued);
  const auto answer = client.Read();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->complete);
  EXPECT_EQ(answer->body, "event");
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(streams[0]->Write(MakeBody("late")), Stream::Written::kGone);
  EXPECT_TRUE(serving.app.AwaitDone(1).at(0).complete);
}

TEST(ServerStreamTest, AClientThatEndsItsHalfIsGone) {
  Serving serving;
  RawClient client(serving.port);
  client.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  client.EndSending();
  EXPECT_TRUE(Eventually([&] { return !streams[0]->Alive(); }));
  EXPECT_EQ(streams[0]->Write(MakeBody("x")), Stream::Written::kGone);
  streams.clear();
  EXPECT_EQ(client.Read()->body, "");
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections == 0; }));
}

// Under a sanitizer: writers, a client that leaves and the end of the stream meet.
TEST(ServerStreamTest, ClientsThatLeaveAmidEventsHarmNobody) {
  Serving serving;
  const Body event = MakeBody(std::string(20'000, 'e'));
  for (int round = 0; round < 30; ++round) {
    RawClient client(serving.port, 4096);
    client.Send(Get("/stream"));
    auto streams = serving.app.AwaitStreams(1);
    ASSERT_EQ(streams.size(), 1U);
    std::thread one([&] {
      while (streams[0]->Write(event) != Stream::Written::kGone) {
      }
    });
    std::thread two([&] {
      for (int i = 0; i < round; ++i) streams[0]->Write(event);
      if (round % 3 == 0) streams[0]->End(event);
    });
    if (round % 2 == 0) {
      client.Reset();
    } else {
      client.Close();
    }
    one.join();
    two.join();
  }
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections == 0; }));
  EXPECT_EQ(serving.server().stats().in_flight, 0U);
}

TEST(ServerStreamTest, NoticesThatTheClientWentAway) {
  Serving serving;
  auto client = std::make_unique<RawClient>(serving.port);
  client->Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  client->Reset();
  EXPECT_TRUE(
      Eventually([&] { return streams[0]->Write(MakeBody("tick")) == Stream::Written::kGone; }));
  EXPECT_FALSE(streams[0]->Alive());
  EXPECT_EQ(serving.app.AwaitDone(1).size(), 1U);
}

}  // namespace
}  // namespace gpumon::http
