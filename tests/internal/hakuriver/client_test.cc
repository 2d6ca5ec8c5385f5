#include "internal/hakuriver/client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/hakuriver/fake_host.h"

namespace gpumon::hakuriver {
namespace {

constexpr Generation kAll[] = {Generation::kA, Generation::kB, Generation::kC};

class HakuClient : public ::testing::Test {
 protected:
  Client To(const FakeHost& host) { return Client(*fetch_, still_, {.base_url = host.url()}); }
  Deadline In10Seconds() const { return Deadline::After(clock_, Millis(10'000)); }

  Result<std::vector<Node>> Nodes(Client& client) {
    return Await<std::vector<Node>>([&](auto got) { client.GetNodes(In10Seconds(), got); });
  }
  Result<Health> AskHealth(Client& client, const HealthQuestion& question = {}) {
    return Await<Health>([&](auto got) { client.GetHealth(question, In10Seconds(), got); });
  }
  Result<Task> OneTask(Client& client, const std::string& id) {
    return Await<Task>([&](auto got) { client.GetTask(id, In10Seconds(), got); });
  }
  Result<TaskList> Tasks(Client& client, const TaskQuestion& question = {}) {
    return Await<TaskList>([&](auto got) { client.GetTasks(question, In10Seconds(), got); });
  }
  Result<std::vector<Vps>> AllVps(Client& client, VpsScope scope) {
    return Await<std::vector<Vps>>([&](auto got) { client.GetVps(scope, In10Seconds(), got); });
  }
  Result<Log> OneLog(Client& client, const LogQuestion& question) {
    return Await<Log>([&](auto got) { client.GetLog(question, In10Seconds(), got); });
  }
  Result<void> Do(Client& client, Action action, const std::string& id) {
    return Await<void>([&](auto got) { client.Act(action, id, In10Seconds(), got); });
  }

  const SystemClock clock_{};
  FakeClock still_;
  std::unique_ptr<fetch::Client> fetch_ = std::move(*fetch::MakeClient({}, clock_));
};

TEST_F(HakuClient, EachGenerationTellsItsNodes) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto nodes = Nodes(client);
    ASSERT_TRUE(nodes) << nodes.error().message;
    ASSERT_EQ(nodes->size(), 2U);
    const Node& first = (*nodes)[0];
    EXPECT_EQ(first.hostname, "gn01");
    EXPECT_TRUE(first.online());
    EXPECT_EQ(first.cores_in_use, 8);
    EXPECT_TRUE(first.last_heartbeat.no_zone());
    ASSERT_EQ(first.gpus.size(), 2U);
    EXPECT_EQ(first.gpus[0].power_watts, 231.45);
    ASSERT_EQ(first.numa.size(), 2U);
    EXPECT_EQ(first.numa[1].memory_bytes, std::nullopt);
    EXPECT_EQ(first.load.cpu_percent.has_value(), generation != Generation::kA);
    EXPECT_EQ(first.runner_version, generation == Generation::kC ? "0.8.1" : "");
    EXPECT_EQ((*nodes)[1].cores_in_use, std::nullopt);
  }
}

TEST_F(HakuClient, TheGenerationIsFoundOutOnce) {
  FakeHost host(Generation::kB);
  Client client = To(host);
  ASSERT_TRUE(Nodes(client));
  const std::size_t first = host.server().request_count();
  ASSERT_TRUE(Nodes(client));
  EXPECT_EQ(host.server().request_count(), first + 1);
}

TEST_F(HakuClient, AHostWithoutNodesIsKnownByItsOtherWords) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    host.RemoveNodes();
    Client client = To(host);
    const auto raw = Await<RawAnswer>(
        [&](auto got) { client.GetRaw({.what = What::kNodes}, In10Seconds(), got); });
    ASSERT_TRUE(raw) << raw.error().message;
    EXPECT_EQ(raw->generation, generation);
    EXPECT_EQ(raw->body, "[]");
  }
}

TEST_F(HakuClient, AnotherGenerationIsNoticedWhenAnswersNoLongerFit) {
  FakeHost host(Generation::kA);
  Client client = To(host);
  const LogQuestion question{.id = kRunningTask};
  for (const Generation generation :
       {Generation::kA, Generation::kB, Generation::kC, Generation::kA}) {
    SCOPED_TRACE(LetterOf(generation));
    host.Become(generation);
    const auto log = OneLog(client, question);
    ASSERT_TRUE(log) << log.error().message;
    EXPECT_EQ(log->text, "epoch 1\nepoch 2\nepoch 3\n");
  }
  host.Become(Generation::kC);
  EXPECT_TRUE(Nodes(client));
  EXPECT_TRUE(Do(client, Action::kPause, kRunningTask));
  host.Become(Generation::kB);
  EXPECT_TRUE(Do(client, Action::kResume, kRunningTask));
  EXPECT_EQ(host.StatusOf(kRunningTask), "running");
}

TEST_F(HakuClient, APathBeforeAndASlashBehindAreTolerated) {
  FakeHost host(Generation::kC);
  host.SetPrefix("/haku");
  const auto base = ParseBaseUrl(host.url() + "//");
  ASSERT_TRUE(base);
  EXPECT_EQ(*base, host.url());
  Client client(*fetch_, still_, {.base_url = *base});
  EXPECT_TRUE(Nodes(client));
  for (const char* const bad : {"gn01:8000", "ftp://gn01", "http://", "http://gn01/?a=b", ""}) {
    EXPECT_FALSE(ParseBaseUrl(bad)) << bad;
  }
}

TEST_F(HakuClient, ATaskIsWholeInEachGeneration) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto task = OneTask(client, kFailedTask);
    ASSERT_TRUE(task) << task.error().message;
    EXPECT_EQ(task->id, kFailedTask);
    EXPECT_EQ(task->batch_id, kFailedTask);
    EXPECT_EQ(task->status, "failed");
    EXPECT_EQ(task->exit_code, 1);
    EXPECT_EQ(task->error_message, "Container exited with code 1");
    EXPECT_EQ(task->arguments, (std::vector<std::string>{"train.py", "--epochs", "3"}));
    EXPECT_EQ(task->container_name, generation == Generation::kA ? "" : "pytorch-2.4");
    EXPECT_EQ(task->owner, generation == Generation::kC ? "ada" : "");
    EXPECT_TRUE(task->completed_at.no_zone());
  }
}

TEST_F(HakuClient, TheSshPortOfAVpsIsKnownInEachGeneration) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto task = OneTask(client, kRunningVps);
    ASSERT_TRUE(task) << task.error().message;
    EXPECT_EQ(task->type, "vps");
    EXPECT_EQ(task->ssh_port, 40022);
    const auto active = AllVps(client, VpsScope::kActive);
    ASSERT_TRUE(active);
    ASSERT_EQ(active->size(), 1U);
    EXPECT_EQ(active->front().id, kRunningVps);
    EXPECT_EQ(active->front().ssh_port, 40022);
    const auto all = AllVps(client, VpsScope::kAll);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].ssh_port, 40022);
    EXPECT_EQ((*all)[1].status, "stopped");
  }
}

TEST_F(HakuClient, TasksAreFilteredAndLimitedInEachGeneration) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto all = Tasks(client);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->tasks.size(), 4U);
    EXPECT_FALSE(all->more);
    const auto some = Tasks(client, {.limit = 3});
    ASSERT_TRUE(some);
    EXPECT_EQ(some->tasks.size(), 3U);
    EXPECT_TRUE(some->more);
    const auto exact = Tasks(client, {.limit = 4});
    ASSERT_TRUE(exact);
    EXPECT_FALSE(exact->more);
    const auto failed = Tasks(client, {.status = "failed"});
    ASSERT_TRUE(failed);
    ASSERT_EQ(failed->tasks.size(), 1U);
    EXPECT_EQ(failed->tasks[0].id, kFailedTask);
  }
}

TEST_F(HakuClient, LogsAreCutToTheirEnd) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto tail = OneLog(client, {.id = kRunningTask, .lines = 2});
    ASSERT_TRUE(tail);
    EXPECT_EQ(tail->text, "epoch 2\nepoch 3\n");
    EXPECT_FALSE(tail->truncated);
    const auto end = OneLog(client, {.id = kRunningTask, .most_bytes = 12});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->text, "epoch 3\n");
    EXPECT_TRUE(end->truncated);
    const auto error = OneLog(client, {.id = kFailedTask, .stream = Stream::kStderr, .lines = 1});
    ASSERT_TRUE(error);
    EXPECT_EQ(error->text, "ValueError: no data\n");
  }
}

TEST_F(HakuClient, ALogThatIsNotThereYetIsNoUnknownTask) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto none = OneLog(client, {.id = kPendingTask});
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_TRUE(none->none_yet);
    const auto unknown = OneLog(client, {.id = kUnknownTask});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Code::kNotFound);
    EXPECT_EQ(unknown.error().message,
              std::string("the HakuRiver host has no task ") + kUnknownTask);
    const auto vps = OneLog(client, {.id = kRunningVps, .stream = Stream::kStderr});
    ASSERT_FALSE(vps);
    EXPECT_EQ(vps.error().code, Code::kInvalidParameter);
    EXPECT_EQ(vps.error().message,
              std::string("task ") + kRunningVps +
                  " is a VPS, which writes no log: what it prints goes to whoever is connected to "
                  "it by ssh");
  }
}

TEST_F(HakuClient, ALogTooLargeToBeSentIsAskedForByItsEnd) {
  FakeHost host(Generation::kB);
  std::string text;
  for (int i = 0; i < 15'000; ++i) text += "line " + std::to_string(i) + '\n';
  host.AddTask({.id = "77", .out = text});
  Client client(*fetch_, still_, {.base_url = host.url(), .most_bytes = 120'000});
  const auto log = OneLog(client, {.id = "77"});
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_TRUE(log->truncated);
  EXPECT_TRUE(log->text.starts_with("line 5000\n")) << log->text.substr(0, 20);
  EXPECT_TRUE(log->text.ends_with("line 14999\n"));
  host.Become(Generation::kA);
  // Which sends all of it, however little is asked for.
  const auto old = OneLog(client, {.id = "77"});
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_TRUE(old->truncated);
  EXPECT_GT(old->text.size(), 110'000U);
  EXPECT_LE(old->text.size(), 120'000U);
  EXPECT_TRUE(old->text.starts_with("line ")) << old->text.substr(0, 20);
  EXPECT_TRUE(old->text.ends_with("line 14999\n"));
  const auto tail = OneLog(client, {.id = "77", .lines = 2});
  ASSERT_TRUE(tail) << tail.error().message;
  EXPECT_EQ(tail->text, "line 14998\nline 14999\n");
  EXPECT_FALSE(tail->truncated);
}

TEST_F(HakuClient, ALogWhoseEndDoesNotComeInTimeIsTooLarge) {
  FakeHost host(Generation::kA);
  Client client(*fetch_, still_, {.base_url = host.url(), .most_bytes = 120'000});
  ASSERT_TRUE(OneLog(client, {.id = kRunningTask}));
  host.server().Enqueue(fault::Huge(130'000));
  host.server().Enqueue(fault::Broken(fault::Reply::Fault::kHang));
  const auto log = Await<Log>([&](auto got) {
    client.GetLog({.id = kRunningTask}, Deadline::After(clock_, Millis(500)), got);
  });
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Code::kUpstreamTooLarge);
  EXPECT_NE(log.error().message.find("its end did not come in time"), std::string::npos);
}

TEST_F(HakuClient, ActionsChangeTheState) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    EXPECT_TRUE(Do(client, Action::kPause, kRunningTask));
    EXPECT_EQ(host.StatusOf(kRunningTask), "paused");
    EXPECT_TRUE(Do(client, Action::kResume, kRunningTask));
    EXPECT_EQ(host.StatusOf(kRunningTask), "running");
    EXPECT_TRUE(Do(client, Action::kKill, kRunningTask));
    EXPECT_EQ(host.StatusOf(kRunningTask), "killed");
  }
}

TEST_F(HakuClient, AnActionThatTheStateForbidsSaysTheState) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto kill = Do(client, Action::kKill, kCompletedTask);
    ASSERT_FALSE(kill);
    EXPECT_EQ(kill.error().code, Code::kBadRequest);
    EXPECT_EQ(kill.error().message,
              std::string("task ") + kCompletedTask + " cannot be killed in its state (completed)");
    const auto pause = Do(client, Action::kPause, kFailedTask);
    ASSERT_FALSE(pause);
    EXPECT_EQ(pause.error().message,
              std::string("task ") + kFailedTask + " cannot be paused in its state (failed)");
    const auto unknown = Do(client, Action::kKill, kUnknownTask);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Code::kNotFound);
  }
}

TEST_F(HakuClient, WhatIsNoIdIsNeverSent) {
  FakeHost host(Generation::kA);
  Client client = To(host);
  for (const char* const bad : {"", "x", "-1", "1/../kill/2", "12345678901234567890"}) {
    const auto task = OneTask(client, bad);
    ASSERT_FALSE(task);
    EXPECT_EQ(task.error().code, Code::kInvalidParameter);
    EXPECT_FALSE(Do(client, Action::kKill, bad));
  }
  EXPECT_EQ(host.server().request_count(), 0U);
}

TEST_F(HakuClient, LastValuesOfAnOfflineNodeAreNotFresh) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto health = AskHealth(client);
    ASSERT_TRUE(health) << health.error().message;
    EXPECT_EQ(health->samples.size(), 3U);
    EXPECT_EQ(health->aggregates.size(), 3U);
    EXPECT_FALSE(health->stale);
    ASSERT_EQ(health->newest().size(), 2U);
    EXPECT_TRUE(health->newest()[0].fresh);
    EXPECT_EQ(health->newest()[1].load.cpu_percent, 97);
    EXPECT_FALSE(health->newest()[1].fresh);
    EXPECT_FALSE(health->samples[0][0].fresh);
  }
}

TEST_F(HakuClient, HealthOfOneNodeIsThatNodesInEachGeneration) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    Client client = To(host);
    const auto one = AskHealth(client, {.hostname = "gn02"});
    ASSERT_TRUE(one) << one.error().message;
    ASSERT_EQ(one->samples.size(), 1U);
    ASSERT_EQ(one->newest().size(), 1U);
    EXPECT_EQ(one->newest()[0].hostname, "gn02");
    const auto past = AskHealth(client, {.hostname = "gn01", .past = true});
    ASSERT_TRUE(past);
    EXPECT_EQ(past->samples.size(), 3U);
    EXPECT_TRUE(past->newest()[0].fresh);
    const auto none = AskHealth(client, {.hostname = "gn9"});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::kNotFound);
    EXPECT_EQ(none.error().message, "the HakuRiver host has no health of a node gn9");
  }
}

TEST_F(HakuClient, AHostThatStoppedSamplingIsSeenAtTheFirstLook) {
  for (const Generation generation : kAll) {
    SCOPED_TRACE(LetterOf(generation));
    FakeHost host(generation);
    host.StopSampling();
    Client client = To(host);
    for (int i = 0; i < 30; ++i) host.Tick();
    const auto health = AskHealth(client);
    ASSERT_TRUE(health);
    EXPECT_TRUE(health->stale);
    EXPECT_FALSE(health->newest()[0].fresh);
  }
}

TEST_F(HakuClient, SamplesThatDoNotMoveBetweenLooksAreStale) {
  FakeHost host(Generation::kB);
  Client client = To(host);
  EXPECT_FALSE(AskHealth(client)->stale);
  still_.Advance(Millis(9'000));
  EXPECT_FALSE(AskHealth(client)->stale);
  still_.Advance(Millis(2'000));
  EXPECT_TRUE(AskHealth(client)->stale);
  host.Tick();
  EXPECT_FALSE(AskHealth(client)->stale);
}

TEST_F(HakuClient, ATokenOfAFileIsSent) {
  FakeHost host(Generation::kC);
  host.SetToken("kr_s3cret");
  Client nobody = To(host);
  const auto refused = Tasks(nobody);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUpstreamAuth);
  EXPECT_TRUE(Nodes(nobody));
  const std::string file = ::testing::TempDir() + "haku_token_" + std::to_string(::getpid());
  std::ofstream(file) << "kr_s3cret\n";
  fetch::ClientOptions options;
  options.bearer_token_file = file;
  const auto fetch = fetch::MakeClient(options, clock_);
  ASSERT_TRUE(fetch);
  Client client(**fetch, still_, {.base_url = host.url()});
  EXPECT_TRUE(Tasks(client));
  host.SetToken("another");
  const auto wrong = Tasks(client);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kUpstreamAuth);
  EXPECT_EQ(wrong.error().message.find("kr_s3cret"), std::string::npos);
  std::remove(file.c_str());
}

TEST_F(HakuClient, AnswersAreReadOnTheExecutor) {
  FakeHost host(Generation::kB);
  ThreadPool pool(1, "haku");
  std::promise<std::thread::id> pool_thread;
  pool.Post([&] { pool_thread.set_value(std::this_thread::get_id()); });
  Client client(*fetch_, still_, {.base_url = host.url(), .executor = &pool});
  std::promise<std::thread::id> seen;
  client.GetNodes(In10Seconds(), [&seen](const Result<std::vector<Node>>&) {
    seen.set_value(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.get_future().get(), pool_thread.get_future().get());
}

TEST_F(HakuClient, ACallOutlivesTheClient) {
  FakeHost host(Generation::kB);
  host.server().Enqueue(fault::HttpStatus(404).Held());
  std::promise<bool> good;
  {
    Client client = To(host);
    client.GetNodes(In10Seconds(), [&good](const Result<std::vector<Node>>& nodes) {
      good.set_value(nodes.has_value());
    });
    ASSERT_TRUE(host.server().WaitForRequests(1));
  }
  host.server().Release();
  EXPECT_TRUE(good.get_future().get());
}

}  // namespace
}  // namespace gpumon::hakuriver
