#include "internal/store/history.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::store {
namespace {

// More of one day are summed up in the order in which they were written.
constexpr std::size_t kMostPoints = 1'000'000;

// What is remembered of a snapshot until its day is over.
struct Point {
  WallTime time{};
  std::uint32_t task = 0;
  std::int32_t gpus = 0;
  double score = -1;  // below 0: none
};

// The newest lines.
class Page {
 public:
  explicit Page(const HistoryQuery& query) : query_(query) {}

  void Add(const LineHead& head) {
    const std::size_t most = query_.offset + query_.limit;
    if (kept_.size() >= most && !(kept_.begin()->time <= head.time)) return;
    kept_.insert({head.time, number_++, std::string(head.text)});
    bytes_ += head.text.size();
    if (kept_.size() > most) Drop();
    while (bytes_ > query_.max_bytes && kept_.size() > 1) {
      Drop();
      ++cut_;
    }
  }

  void MoveInto(History& history) {
    history.cut = cut_;
    std::size_t left = kept_.size() - std::min(kept_.size(), query_.offset);
    while (left-- > 0)
      history.lines.push_back(std::move(kept_.extract(kept_.begin()).value().text));
  }

 private:
  struct Kept {
    WallTime time{};
    std::size_t number = 0;
    std::string text;
    bool operator<(const Kept& other) const {
      return std::tie(time, number) < std::tie(other.time, other.number);
    }
  };
  void Drop() {
    bytes_ -= kept_.begin()->text.size();
    kept_.erase(kept_.begin());
  }

  const HistoryQuery& query_;
  std::set<Kept> kept_;
  std::size_t number_ = 0;
  std::size_t bytes_ = 0;
  std::size_t cut_ = 0;
};

// Sums up in the order of time: each day's snapshots are in the file of that day.
class Sums {
 public:
  explicit Sums(double healthy) : healthy_(healthy) {}

  void Add(const LineHead& head, History& history) {
    ++history.snapshot_count;
    if (head.has_error_event) ++history.critical_events;
    if (points_.size() >= kMostPoints || (!points_.empty() && day_ != DayOf(head.time))) {
      EndDay(history);
    }
    day_ = DayOf(head.time);
    const auto [task, is_new] =
        tasks_.try_emplace(std::string(head.task_id), static_cast<std::uint32_t>(tasks_.size()));
    if (is_new) well_.push_back(true);
    points_.push_back({head.time, task->second,
                       static_cast<std::int32_t>(std::min<std::int64_t>(head.gpus, 1'000'000)),
                       head.has_score ? head.score : -1});
  }

  void End(History& history) {
    EndDay(history);
    history.task_count = tasks_.size();
    if (scored_ > 0) history.average = sum_ / static_cast<double>(scored_);
    if (newest_scored_ > 0) history.current = newest_sum_ / static_cast<double>(newest_scored_);
  }

 private:
  void EndDay(History& history) {
    std::stable_sort(points_.begin(), points_.end(),
                     [](const Point& a, const Point& b) { return a.time < b.time; });
    for (const Point& point : points_) Take(point, history);
    points_.clear();
  }

  void Take(const Point& point, History& history) {
    if (point.time > newest_) {
      newest_ = point.time;
      newest_sum_ = 0;
      newest_scored_ = 0;
      gpus_ = 0;
    }
    if (point.time == newest_) gpus_ += point.gpus;
    history.gpu_count = std::max<std::int64_t>({history.gpu_count, gpus_, point.gpus});
    if (point.score < 0) return;
    if (point.time == newest_) {
      newest_sum_ += point.score;
      ++newest_scored_;
    }
    sum_ += point.score;
    ++scored_;
    history.min = std::min(history.min.value_or(point.score), point.score);
    history.max = std::max(history.max.value_or(point.score), point.score);
    // As levels are: what is 0.8 but for a rounding is 0.8.
    constexpr double kTolerance = 1e-9;
    const bool well = point.score >= healthy_ - kTolerance;
    if (!well && well_[point.task]) ++history.unhealthy_periods;
    well_[point.task] = well;
  }

  const double healthy_;
  std::map<std::string, std::uint32_t, std::less<>> tasks_;
  std::vector<bool> well_;  // by task: its last score
  std::vector<Point> points_;
  Day day_{};
  WallTime newest_{};
  double newest_sum_ = 0;
  std::size_t newest_scored_ = 0;
  std::int64_t gpus_ = 0;  // of the newest time
  double sum_ = 0;
  std::size_t scored_ = 0;
};

}  // namespace

Result<History> ReadHistory(const std::string& folder, const HistoryQuery& query,
                            const std::function<bool()>& alive) {
  History history;
  Page page(query);
  Sums sums(query.healthy);
  // An exact name stands in its line as it is, unless JSON writes it otherwise.
  const bool plain = std::all_of(query.task.begin(), query.task.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '*' && c != '\\' && c != '"';
  });
  auto report = ReadLines(folder, query.from, query.to, plain ? query.task : std::string_view(),
                          alive, [&](const LineHead& head) {
                            if (!query.task.empty() && !GlobMatch(query.task, head.task_id))
                              return true;
                            if (!query.node.empty() && !GlobMatch(query.node, head.instance_id))
                              return true;
                            sums.Add(head, history);
                            page.Add(head);
                            return true;
                          });
  if (!report) return Error(report.error());
  sums.End(history);
  page.MoveInto(history);
  history.report = *std::move(report);
  return history;
}

}  // namespace gpumon::store
