#include "tests/fakes/prom/fake_prom_client.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>

namespace gpumon::prom {
namespace {

// Collects label texts and makes them views only once their place is final.
class LabelPool {
 public:
  std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size() / 2); }
  void Add(Labels labels) {
    std::sort(labels.begin(), labels.end());
    for (const auto& [name, value] : labels) {
      text_ += name;
      ends_.push_back(text_.size());
      text_ += value;
      ends_.push_back(text_.size());
    }
  }
  void MoveInto(Backing& backing, std::vector<Label>& pool) {
    backing = std::make_shared<const std::string>(std::move(text_));
    const std::string_view text = *backing;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < ends_.size(); i += 2) {
      pool.push_back(
          {text.substr(at, ends_[i] - at), text.substr(ends_[i], ends_[i + 1] - ends_[i])});
      at = ends_[i + 1];
    }
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

}  // namespace

InstantVector MakeInstantVector(const std::vector<FakeSample>& samples) {
  InstantVector vector;
  LabelPool pool;
  for (const FakeSample& sample : samples) {
    vector.samples.push_back({pool.size(), static_cast<std::uint32_t>(sample.labels.size()),
                              Point{sample.at, sample.value}});
    pool.Add(sample.labels);
  }
  pool.MoveInto(vector.backing, vector.labels_pool);
  return vector;
}

RangeVector MakeRangeVector(const std::vector<FakeSeries>& series) {
  RangeVector matrix;
  LabelPool pool;
  for (const FakeSeries& one : series) {
    matrix.series.push_back({pool.size(), static_cast<std::uint32_t>(one.labels.size()),
                             matrix.points_pool.size(), one.points.size()});
    matrix.points_pool.insert(matrix.points_pool.end(), one.points.begin(), one.points.end());
    pool.Add(one.labels);
  }
  pool.MoveInto(matrix.backing, matrix.labels_pool);
  return matrix;
}

QueryResult MakeResult(const std::vector<FakeSample>& samples) {
  QueryResult result;
  result.value = MakeInstantVector(samples);
  return result;
}

QueryResult MakeRangeResult(const std::vector<FakeSeries>& series) {
  QueryResult result;
  result.value = MakeRangeVector(series);
  return result;
}

FakePromClient::FakePromClient(std::size_t threads) : workers_(threads, "fake-prom") {}

FakePromClient::~FakePromClient() {
  for (Held& held : TakeHeld()) held.done(Error(Code::kDraining, "the fake client is stopping"));
  workers_.Stop();
}

void FakePromClient::Query(InstantQuery query, Deadline deadline, Done done) {
  Take(Call{std::move(query.promql), query.time, query.time, 0, deadline}, std::move(done));
}

void FakePromClient::QueryRange(RangeQuery query, Deadline deadline, Done done) {
  Take(Call{std::move(query.promql), query.start, query.end, query.step, deadline},
       std::move(done));
}

void FakePromClient::Take(Call call, Done done) {
  {
    const MutexLock lock(mutex_);
    calls_.push_back(call);
    called_.NotifyAll();
    if (hold_all_ || std::find(hold_.begin(), hold_.end(), call.promql) != hold_.end()) {
      held_.push_back({std::move(call), std::move(done)});
      return;
    }
  }
  workers_.Post([this, c = std::move(call), d = std::move(done)] { d(AnswerTo(c)); });
}

FakePromClient::Answer FakePromClient::AnswerTo(const Call& call) const {
  Function function;
  {
    const MutexLock lock(mutex_);
    if (fail_all_ != Code::kOk) return Error(fail_all_, "every query fails");
    if (const auto found = answers_.find(call.promql); found != answers_.end()) {
      return found->second;
    }
    function = function_;
  }
  if (function) return function(call);
  return call.is_range() ? MakeRangeResult({}) : MakeResult({});
}

void FakePromClient::SetAnswer(const std::string& promql, Answer answer) {
  const MutexLock lock(mutex_);
  answers_.insert_or_assign(promql, std::move(answer));
}

void FakePromClient::SetAnswer(const std::string& promql, const std::vector<FakeSample>& samples) {
  SetAnswer(promql, Answer(MakeResult(samples)));
}

void FakePromClient::SetError(const std::string& promql, Code code, const std::string& message) {
  SetAnswer(promql, Answer(Error(code, message)));
}

void FakePromClient::SetFunction(Function function) {
  const MutexLock lock(mutex_);
  function_ = std::move(function);
}

void FakePromClient::FailAll(Code code) {
  const MutexLock lock(mutex_);
  fail_all_ = code;
}

void FakePromClient::ClearAnswers() {
  const MutexLock lock(mutex_);
  answers_.clear();
  function_ = nullptr;
}

void FakePromClient::Hold() {
  const MutexLock lock(mutex_);
  hold_all_ = true;
}

void FakePromClient::Hold(const std::string& promql) {
  const MutexLock lock(mutex_);
  hold_.push_back(promql);
}

std::vector<FakePromClient::Held> FakePromClient::TakeHeld() {
  const MutexLock lock(mutex_);
  return std::exchange(held_, {});
}

void FakePromClient::Release() {
  {
    const MutexLock lock(mutex_);
    hold_all_ = false;
    hold_.clear();
  }
  for (Held& held : TakeHeld()) {
    workers_.Post([this, h = std::move(held)] { h.done(AnswerTo(h.call)); });
  }
}

void FakePromClient::TimeOutHeld() {
  for (Held& held : TakeHeld()) {
    workers_.Post([h = std::move(held)] {
      h.done(Error(Code::kUpstreamTimeout, "the query was not answered in time"));
    });
  }
}

std::vector<FakePromClient::Call> FakePromClient::calls() const {
  const MutexLock lock(mutex_);
  return calls_;
}

std::size_t FakePromClient::call_count() const {
  const MutexLock lock(mutex_);
  return calls_.size();
}

std::size_t FakePromClient::call_count(const std::string& promql) const {
  const MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(),
                                                [&](const Call& c) { return c.promql == promql; }));
}

std::size_t FakePromClient::held_count() const {
  const MutexLock lock(mutex_);
  return held_.size();
}

bool FakePromClient::WaitForCalls(std::size_t count) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const MutexLock lock(mutex_);
  while (calls_.size() < count) {
    if (!called_.WaitUntil(mutex_, until)) return calls_.size() >= count;
  }
  return true;
}

void FakePromClient::ForgetCalls() {
  const MutexLock lock(mutex_);
  calls_.clear();
}

}  // namespace gpumon::prom
