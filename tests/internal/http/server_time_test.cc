// Time-outs, slow and vanishing clients, draining.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/internal/http/serving.h"

namespace gpumon::http {
namespace {

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

Millis Since(SteadyTime start) {
  return std::chrono::duration_cast<Millis>(Now() - start);
}

// Instrumented code on a busy machine takes its time for the simplest answer.
#ifdef GPUMON_SANITIZED
constexpr int kSlowness = 5;
#else
constexpr int kSlowness = 1;
#endif
constexpr Millis kHandlerTimeout{200 * kSlowness};

Limits Short() {
  Limits limits;
  limits.head_timeout = Millis(150 * kSlowness);
  limits.idle_timeout = Millis(300 * kSlowness);
  limits.write_stall = Millis(200 * kSlowness);
  return limits;
}

Limits Impatient() {
  Limits limits = Short();
  limits.handler_timeout = kHandlerTimeout;
  return limits;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(ServerTimeTest, Answers408WhenARequestDoesNotArriveInTime) {
  Serving serving(Short());
  for (const std::string& part :
       {std::string("GET /hel"), std::string("GET /hello HTTP/1.1\r\nHost: h\r\nX:"),
        std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")}) {
    RawClient client(serving.port);
    const SteadyTime start = Now();
    const auto answer = client.Ask(part);
    ASSERT_TRUE(answer) << part;
    EXPECT_EQ(answer->status, 408) << part;
    EXPECT_EQ(answer->Value("Connection"), "close") << part;
    EXPECT_GE(Since(start), Millis(150)) << part;
    EXPECT_TRUE(client.IsClosed()) << part;
  }
}

TEST(ServerTimeTest, HoldsADripToTheSameTimeAndTheSecondRequestToo) {
  Limits limits = Short();
  limits.idle_timeout = Millis(5000);
  Serving serving(limits);
  RawClient client(serving.port);
  EXPECT_EQ(client.Ask(Get("/hello"))->status, 200);
  const SteadyTime start = Now();
  const std::string request = "GET /hello HTTP/1.1\r\n" + std::string(5000, 'x');
  std::optional<RawAnswer> answer;
  for (std::size_t i = 0; i < request.size() && !answer; ++i) {
    client.Send(request.substr(i, 1));
    answer = client.Read(false, Millis(10));
  }
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_LT(Since(start), Millis(10000));
}

TEST(ServerTimeTest, ClosesIdleConnectionsWithoutAWord) {
  Serving serving(Short());
  RawClient fresh(serving.port);
  RawClient used(serving.port);
  EXPECT_EQ(used.Ask(Get("/hello"))->status, 200);
  EXPECT_TRUE(used.IsClosed());
  EXPECT_TRUE(fresh.IsClosed());
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections == 0; }));
}

TEST(ServerTimeTest, AnswersForAHandlerThatIsTooLate) {
  Serving serving(Impatient());
  RawClient client(serving.port);
  const auto answer = client.Ask(Get("/hold"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  EXPECT_FALSE(held[0]->Alive());
  held[0]->Send({200, {}, MakeBody("late")});
  EXPECT_EQ(held[0]->StartStream({}), nullptr);
  EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello");
  EXPECT_EQ(serving.app.AwaitDone(2).size(), 2U);
}

TEST(ServerTimeTest, LetsSomeRoutesTakeTheirTime) {
  Serving serving(Impatient());
  RawClient client(serving.port);
  client.Send(Get("/hold-unlimited"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  EXPECT_FALSE(client.Read(false, 3 * kHandlerTimeout));
  EXPECT_TRUE(held[0]->Alive());
  held[0]->Send({200, {}, MakeBody("at last")});
  EXPECT_EQ(client.Read()->body, "at last");
}

TEST(ServerTimeTest, ClosesAtTheAgeLimitWithAnAnswerThatSaysSo) {
  Limits limits;
  limits.connection_max_age = Millis(100);
  Serving serving(limits);
  RawClient client(serving.port);
  const SteadyTime start = Now();
  std::string connection;
  while (connection != "close" && Since(start) < Millis(20000)) {
    const auto answer = client.Ask(Get("/hello"));
    ASSERT_TRUE(answer);
    connection = answer->Value("Connection");
  }
  EXPECT_EQ(connection, "close");
  EXPECT_GE(Since(start), Millis(80));
  EXPECT_TRUE(client.IsClosed());
}

TEST(ServerTimeTest, TurnsConnectionsAwayAboveTheCap) {
  Limits limits;
  limits.connections = 8;
  Serving serving(limits);
  // The first requests of each reactor are slow in instrumented code, and so near the cap a
  // connection that waits for a second counts as idle.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(RawClient(serving.port).Ask(Get("/hello"))->status, 200);
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections == 0; }));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(serving.port));
    clients.back()->Send(Get("/hold"));
  }
  auto held = serving.app.AwaitHeld(8);
  ASSERT_EQ(held.size(), 8U);
  RawClient extra(serving.port);
  const auto answer = extra.Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->Value("Connection"), "close");
  EXPECT_EQ(answer->body.substr(0, 11), "overloaded ");
  EXPECT_TRUE(extra.IsClosed());
  // The others are served on.
  for (auto& responder : held) responder->Send({200, {}, MakeBody("held")});
  for (auto& client : clients) EXPECT_EQ(client->Read()->body, "held");
}

TEST(ServerTimeTest, TurnsAwayFarAboveTheCapTooAndCountsIt) {
  Limits limits;
  limits.connections = 1;
  Serving serving(limits);
  RawClient served(serving.port);
  served.Send(Get("/hold"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  // More than may wait, told 503, until they have read it.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 400; ++i) clients.push_back(std::make_unique<RawClient>(serving.port));
  for (auto& client : clients) {
    const auto answer = client->Read();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 503);
    ASSERT_EQ(answer->body.substr(0, 11), "overloaded ");
  }
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().refused == 400; }));
  held[0]->Send({200, {}, MakeBody("held")});
  EXPECT_EQ(served.Read()->body, "held");
}

TEST(ServerTimeTest, AClientOfALongAnswerThatStopsSendingHasGone) {
  Serving serving;
  RawClient leaving(serving.port);
  leaving.Send(Get("/hold-unlimited"));
  RawClient asking(serving.port);
  asking.Send(Get("/hold"));
  auto held = serving.app.AwaitHeld(2);
  ASSERT_EQ(held.size(), 2U);
  leaving.EndSending();
  asking.EndSending();
  const auto alive = [&] {
    return std::count_if(held.begin(), held.end(), [](const auto& one) { return one->Alive(); });
  };
  EXPECT_TRUE(Eventually([&] { return alive() == 1; }));
  for (auto& responder : held) responder->Send({200, {}, MakeBody("held")});
  EXPECT_EQ(leaving.Read()->body, "held");
  EXPECT_EQ(asking.Read()->body, "held");
}

TEST(ServerTimeTest, ClosesIdleConnectionsEarlyNearTheCap) {
  Limits limits;
  limits.connections = 8;
  Serving serving(limits);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<RawClient>(serving.port));
  // Whichever thread looks first closes one of its own.
  bool closed = false;
  for (int round = 0; round < 50 && !closed; ++round) {
    for (const auto& client : clients) closed = closed || client->IsClosed(Millis(20));
  }
  EXPECT_TRUE(closed);
  RawClient next(serving.port);
  EXPECT_EQ(next.Ask(Get("/hello"))->status, 200);
}

TEST(ServerTimeTest, WhoeverWaitsForABusyThreadIsNotIdle) {
  Limits limits;
  limits.idle_timeout = Millis(1'000);
  limits.head_timeout = Millis(1'000);
  Serving serving(limits, "", 1);
  RawClient asking(serving.port);
  RawClient uploading(serving.port);
  RawClient silent(serving.port);
  uploading.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
  RawClient blocking(serving.port);
  blocking.Send(Get("/block"));
  serving.app.AwaitBlocked();
  asking.Send(Get("/hello"));
  uploading.Send("llo");
  EXPECT_TRUE(silent.IsClosed()) << "the last of the four to become idle, but for its request";
  serving.app.Unblock();
  EXPECT_EQ(blocking.Read()->body, "unblocked");
  const auto asked = asking.Read();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->body, "hello");
  const auto uploaded = uploading.Read();
  ASSERT_TRUE(uploaded);
  EXPECT_EQ(uploaded->status, 200);
}

TEST(ServerTimeTest, AtTheCapTheOldestIdleConnectionMakesRoom) {
  Limits limits;
  limits.connections = 8;
  Serving serving(limits);
  RawClient busy(serving.port);
  busy.Send(Get("/hold"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  RawClient uploading(serving.port);
  uploading.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 300; ++i) {
    idle.push_back(std::make_unique<RawClient>(serving.port));
    if (i % 3 == 1) idle.back()->Send("GET /hel");
    RawClient next(serving.port);
    const auto answer = next.Ask(Get("/hello"));
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->status, 200) << i;
  }
  EXPECT_TRUE(idle.front()->IsClosed());
  EXPECT_EQ(serving.server().stats().refused, 0U);
  held[0]->Send({200, {}, MakeBody("held")});
  EXPECT_EQ(busy.Read()->body, "held");
  uploading.Send("llo");
  EXPECT_EQ(uploading.Read()->status, 200);
}

TEST(ServerTimeTest, AFloodOfSilentConnectionsTurnsNobodyAway) {
  Limits limits;
  limits.connections = 64;
  Serving serving(limits);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 400; ++i) silent.push_back(std::make_unique<RawClient>(serving.port));
  EXPECT_EQ(RawClient(serving.port).Ask(Get("/hello"))->status, 200);
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections <= 65; }));
  EXPECT_EQ(serving.server().stats().refused, 0U);
  EXPECT_TRUE(silent.front()->IsClosed());
}

TEST(ServerTimeTest, WhatWasSentBeforeTheDrainIsAnswered) {
  Serving serving;
  RawClient client(serving.port);
  client.Send(Get("/hold") + Get("/hello") + Get("/hello"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  serving.server().BeginDrain();
  held[0]->Send({200, {}, MakeBody("held")});
  EXPECT_EQ(client.Read()->body, "held");
  EXPECT_EQ(client.Read()->Value("Connection"), "keep-alive");
  EXPECT_EQ(client.Read()->Value("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());
  EXPECT_TRUE(serving.server().AwaitDrained(Millis(20'000)));
}

TEST(ServerTimeTest, KeepsALimitedNumberOfPipelinedBytes) {
  Serving serving;
  RawClient client(serving.port);
  client.Send(Get("/hold"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  // More than the kernel holds for both ends: when it is sent, the server has read the most of it.
  std::string requests;
  while (requests.size() < 20'000'000) requests += Get("/hello");
  const std::size_t sent = requests.size() / Get("/hello").size();
  client.Send(requests);
  held[0]->Send({200, {}, MakeBody("held")});
  EXPECT_EQ(client.Read()->body, "held");
  std::size_t answers = 0;
  while (const auto answer = client.Read()) {
    EXPECT_EQ(answer->body, "hello");
    ++answers;
  }
  EXPECT_TRUE(client.end_of_stream());
  EXPECT_GT(answers, 100U);
  EXPECT_LT(answers, sent / 2);
}

TEST(ServerTimeTest, ServesOthersWhileAReaderStallsOnALargeAnswer) {
  Serving serving({}, "", 1);
  RawClient stalled(serving.port, 4096);
  stalled.Send(Get("/big"));
  RawClient other(serving.port);
  const double cpu = CpuSeconds();
  const SteadyTime start = Now();
  int served = 0;
  Millis slowest{0};
  // A second, and on a busy machine as long as a few answers take.
  while ((Since(start) < Millis(1000) || served <= 10) && Since(start) < Millis(20'000)) {
    const SteadyTime asked = Now();
    ASSERT_EQ(other.Ask(Get("/hello"))->body, "hello");
    slowest = std::max(slowest, Since(asked));
    ++served;
    // Anything that comes now is more than was asked for; this is the pause between requests.
    ASSERT_FALSE(other.Read(false, Millis(20)));
  }
  EXPECT_GT(served, 10);
  EXPECT_LT(slowest, Millis(2000) * kSlowness);
  // One thread that spins would take all of the time that it gets.
  const double seconds = std::chrono::duration<double>(Since(start)).count();
  EXPECT_LT(CpuSeconds() - cpu, seconds * (kSlowness > 1 ? 0.9 : 0.5)) << "something spins";
  const auto answer = stalled.Read(false, Millis(30000));
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->complete);
  EXPECT_TRUE(answer->body == ScriptedApplication::BigBody());
}

TEST(ServerTimeTest, GivesUpOnAReaderThatTakesNothing) {
  Serving serving(Short());
  RawClient stalled(serving.port, 4096);
  stalled.Send(Get("/big"));
  const auto done = serving.app.AwaitDone(1);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].complete);
  EXPECT_LT(done[0].bytes, ScriptedApplication::BigBody().size());
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections == 0; }));
}

TEST(ServerTimeTest, LosesNothingToClientsThatVanish) {
  Serving serving;
  for (int i = 0; i < 50; ++i) {
    RawClient gone(serving.port);
    gone.Send(Get(i % 2 == 0 ? "/hold" : "/big"));
    gone.Reset();
  }
  RawClient client(serving.port);
  EXPECT_EQ(client.Ask(Get("/hello"))->body, "hello");
  // Those that were never asked (reset first) hold nothing either.
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().connections == 1; }));
  for (auto& responder : serving.app.AwaitHeld(0)) responder->Send({200, {}, MakeBody("x")});
  EXPECT_TRUE(Eventually([&] { return serving.server().stats().in_flight == 0; }));
}

TEST(ServerDrainTest, FinishesWhatIsInFlightAndClosesIdleConnections) {
  Serving serving;
  RawClient busy(serving.port);
  busy.Send(Get("/hold"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  RawClient idle(serving.port);
  EXPECT_EQ(idle.Ask(Get("/hello"))->status, 200);
  RawClient half(serving.port);
  half.Send("GET /hel");
  const SteadyTime start = Now();
  serving.server().BeginDrain();
  EXPECT_TRUE(idle.IsClosed());
  EXPECT_LT(Since(start), Millis(3000));
  EXPECT_FALSE(serving.server().AwaitDrained(Millis(50)));
  std::thread finish([&] { held[0]->Send({200, {}, MakeBody("finished")}); });
  const auto answer = busy.Read();
  finish.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "finished");
  EXPECT_EQ(answer->Value("Connection"), "close");
  busy.Close();
  EXPECT_TRUE(serving.server().AwaitDrained(Millis(7000)));
  EXPECT_LT(Since(start), Millis(7000));
  EXPECT_EQ(half.Read()->status, 408);
  serving.server().Stop();
  EXPECT_EQ(serving.server().stats().connections, 0U);
  EXPECT_FALSE(RawClient(serving.port).connected());
}

TEST(ServerDrainTest, DoesNotWaitForClientsThatKeepTheirAnsweredConnection) {
  Serving serving;
  RawClient keeps(serving.port);
  keeps.Send(Get("/hold"));
  auto held = serving.app.AwaitHeld(1);
  ASSERT_EQ(held.size(), 1U);
  serving.server().BeginDrain();
  held[0]->Send({200, {}, MakeBody("last")});
  EXPECT_EQ(keeps.Read()->body, "last");
  // It has the answer and knows that there is no other: its end is its own affair.
  const SteadyTime start = Now();
  EXPECT_TRUE(serving.server().AwaitDrained(Millis(7000)));
  serving.server().Stop();
  EXPECT_LT(Since(start), Millis(500 * kSlowness));
  EXPECT_TRUE(keeps.IsClosed());
}

TEST(ServerDrainTest, EndsStreamsInOrder) {
  Serving serving;
  RawClient client(serving.port);
  client.Send(Get("/stream"));
  RawClient old(serving.port);
  old.Send("GET /stream HTTP/1.0\r\n\r\n");
  auto streams = serving.app.AwaitStreams(2);
  ASSERT_EQ(streams.size(), 2U);
  for (const auto& stream : streams)
    EXPECT_EQ(stream->Write(MakeBody("one")), Stream::Written::kQueued);
  const SteadyTime start = Now();
  serving.server().BeginDrain();
  for (RawClient* reader : {&client, &old}) {
    const auto answer = reader->Read();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->complete);
    EXPECT_EQ(answer->body, "one");
    EXPECT_TRUE(reader->IsClosed());
  }
  for (const auto& stream : streams) {
    EXPECT_FALSE(stream->Alive());
    EXPECT_EQ(stream->Write(MakeBody("two")), Stream::Written::kGone);
  }
  EXPECT_TRUE(serving.server().AwaitDrained(Millis(7000)));
  EXPECT_LT(Since(start), Millis(1000 * kSlowness));
  const auto done = serving.app.AwaitDone(2);
  ASSERT_EQ(done.size(), 2U);
  EXPECT_TRUE(done[0].complete && done[1].complete);
}

TEST(ServerDrainTest, DoesNotWaitForAStreamWhoseReaderTakesNothing) {
  Serving serving;
  RawClient stalled(serving.port, 4096);
  stalled.Send(Get("/stream"));
  auto streams = serving.app.AwaitStreams(1);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0]->Write(MakeBody(ScriptedApplication::BigBody())), Stream::Written::kQueued);
  const SteadyTime start = Now();
  serving.server().BeginDrain();
  EXPECT_TRUE(serving.server().AwaitDrained(Millis(15'000)));
  EXPECT_LT(Since(start), Millis(8000));
  EXPECT_FALSE(serving.app.AwaitDone(1).at(0).complete);
}

TEST(ServerDrainTest, StopsWithRequestsUnansweredAndRespondersAlive) {
  auto serving = std::make_unique<Serving>();
  RawClient client(serving->port);
  client.Send(Get("/hold"));
  RawClient streaming(serving->port);
  streaming.Send(Get("/stream"));
  auto held = serving->app.AwaitHeld(1);
  auto streams = serving->app.AwaitStreams(1);
  ASSERT_EQ(held.size(), 1U);
  ASSERT_EQ(streams.size(), 1U);
  serving->server().Stop();
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(serving->server().stats().in_flight, 0U);
  serving.reset();
  EXPECT_FALSE(held[0]->Alive());
  held[0]->Send({200, {}, MakeBody("nobody hears")});
  EXPECT_EQ(streams[0]->Write(MakeBody("nor this")), Stream::Written::kGone);
}

}  // namespace
}  // namespace gpumon::http
