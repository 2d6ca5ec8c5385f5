// A prom::Client without a server, and builders for the values it answers.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/executor.h"
#include "internal/base/mutex.h"
#include "internal/prom/client.h"

namespace gpumon::prom {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct FakeSample {
  Labels labels;
  double value = 0;
  double at = 0;  // Unix seconds
};
struct FakeSeries {
  Labels labels;
  std::vector<Point> points;
};

// As decoded from a real answer: label texts live in the value's own backing, labels are sorted by
// name.
InstantVector MakeInstantVector(const std::vector<FakeSample>& samples);
RangeVector MakeRangeVector(const std::vector<FakeSeries>& series);
QueryResult MakeResult(const std::vector<FakeSample>& samples);
QueryResult MakeRangeResult(const std::vector<FakeSeries>& series);

// Thread-safe. Answers on worker threads of its own, never inside Query, and pays no heed to
// deadlines: it records them. A query nobody told it about is answered by the function, or with an
// empty vector (an empty matrix for a range) when there is none.
class FakePromClient final : public Client {
 public:
  using Answer = Result<QueryResult>;

  // One query as it came. An instant query has start == end == its time and step 0.
  struct Call {
    std::string promql;
    double start = 0;
    double end = 0;
    double step = 0;
    Deadline deadline;
    bool is_range() const { return step != 0; }
  };
  using Function = std::function<Answer(const Call&)>;

  explicit FakePromClient(std::size_t threads = 2);
  // Held queries are ended with kDraining.
  ~FakePromClient() override;

  void Query(InstantQuery query, Deadline deadline, Done done) override;
  void QueryRange(RangeQuery query, Deadline deadline, Done done) override;

  // The answer to this text, instant or range, from now on. It wins over the function.
  void SetAnswer(const std::string& promql, Answer answer);
  void SetAnswer(const std::string& promql, const std::vector<FakeSample>& samples);
  void SetError(const std::string& promql, Code code, const std::string& message = "fake error");
  // Runs on the worker threads, several at once.
  void SetFunction(Function function);
  // Every query fails with this code, whatever was set; kOk ends that.
  void FailAll(Code code);
  void ClearAnswers();

  // From now on answers wait until Release; with a text, those to that query only.
  void Hold();
  void Hold(const std::string& promql);
  // Answers what waits (with what is set now) and holds no more.
  void Release();
  // Ends what waits as a client would at its deadline: kUpstreamTimeout. Still holds.
  void TimeOutHeld();

  std::vector<Call> calls() const;
  std::size_t call_count() const;
  std::size_t call_count(const std::string& promql) const;
  std::size_t held_count() const;
  // Waits until that many queries came (since the last Forget), 10 s at most; false when not.
  bool WaitForCalls(std::size_t count) const;
  void ForgetCalls();

 private:
  struct Held {
    Call call;
    Done done;
  };
  void Take(Call call, Done done);
  Answer AnswerTo(const Call& call) const;
  std::vector<Held> TakeHeld();

  mutable Mutex mutex_;
  mutable CondVar called_;
  std::map<std::string, Answer> answers_ GUARDED_BY(mutex_);
  Function function_ GUARDED_BY(mutex_);
  Code fail_all_ GUARDED_BY(mutex_) = Code::kOk;
  bool hold_all_ GUARDED_BY(mutex_) = false;
  std::vector<std::string> hold_ GUARDED_BY(mutex_);
  std::vector<Held> held_ GUARDED_BY(mutex_);
  std::vector<Call> calls_ GUARDED_BY(mutex_);
  ThreadPool workers_;  // last: its threads use everything above
};

}  // namespace gpumon::prom
