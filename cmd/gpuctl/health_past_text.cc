#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>

#include "cmd/gpuctl/health_report.h"
#include "cmd/gpuctl/page.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

constexpr double kHealthy = 0.8;
constexpr double kTolerance = 1e-9;
constexpr std::size_t kMostTasks = 20;

// The snapshots of one task, the newest last.
struct TaskPast {
  std::vector<const store::Snapshot*> snapshots;

  // From healthy, or the start, to not.
  std::size_t unhealthy_periods() const {
    std::size_t periods = 0;
    bool well = true;
    for (const store::Snapshot* const one : snapshots) {
      if (!one->health_score) continue;
      const bool is_well = *one->health_score >= kHealthy - kTolerance;
      if (well && !is_well) ++periods;
      well = is_well;
    }
    return periods;
  }
};

// The newest first, by name where they are alike.
std::vector<TaskPast> TasksOf(const HealthPast& past) {
  std::map<std::string_view, TaskPast> by_name;
  for (const store::Snapshot& one : past.snapshots) by_name[one.task_id].snapshots.push_back(&one);
  std::vector<TaskPast> tasks;
  for (auto& [name, task] : by_name) tasks.push_back(std::move(task));
  std::stable_sort(tasks.begin(), tasks.end(), [](const TaskPast& a, const TaskPast& b) {
    return a.snapshots.back()->timestamp > b.snapshots.back()->timestamp;
  });
  return tasks;
}

std::string Percent(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%%", 100 * score);
  return text;
}

void AddScores(const HealthPast& past, Page& page) {
  std::vector<double> scores;
  for (const store::Snapshot& one : past.snapshots) {
    if (one.health_score) scores.push_back(*one.health_score);
  }
  if (scores.empty()) return;
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  page.Wrap("  Average Health Score: ", Percent(sum / static_cast<double>(scores.size())));
  page.Wrap("  Min/Max: ", Percent(*low) + " / " + Percent(*high));
}

void AddTask(const TaskPast& task, const std::string& indent, Page& page) {
  std::vector<std::optional<double>> curve;
  for (const store::Snapshot* const one : task.snapshots) {
    curve.push_back(one->health_score ? std::optional(100 * *one->health_score) : std::nullopt);
  }
  page.Wrap(indent + "Unhealthy Periods: ", std::to_string(task.unhealthy_periods()));
  page.Raw(indent + "Score: " + Sparkline(curve) + '\n');
  const store::Snapshot& last = *task.snapshots.back();
  page.Wrap(indent + "Latest: ", FormatTime(last.timestamp) + "  " + last.health_status + "  " +
                                     ScoreText(last.health_score));
}

}  // namespace

std::string PastText(const HealthPast& past) {
  const std::vector<TaskPast> tasks = TasksOf(past);
  Page page;
  page.Wrap("", "Health history of " + past.name + ", last " + std::to_string(past.hours) + " h");
  page.Wrap("  Snapshots: ", std::to_string(past.snapshots.size()));
  AddScores(past, page);
  if (tasks.size() == 1) {
    AddTask(tasks[0], "  ", page);
    return page.text();
  }
  const std::size_t periods = std::accumulate(
      tasks.begin(), tasks.end(), std::size_t{0},
      [](std::size_t sum, const TaskPast& task) { return sum + task.unhealthy_periods(); });
  page.Wrap("  Unhealthy Periods: ", std::to_string(periods));
  for (std::size_t i = 0; i < std::min(kMostTasks, tasks.size()); ++i) {
    page.Wrap("  ", tasks[i].snapshots.back()->task_id + ':');
    AddTask(tasks[i], "    ", page);
  }
  if (tasks.size() > kMostTasks) {
    page.Wrap("  ", "... and " + std::to_string(tasks.size() - kMostTasks) +
                        " more tasks; --task NAME shows one of them");
  }
  return page.text();
}

}  // namespace gpumon::ctl
