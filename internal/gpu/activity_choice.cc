// How closely activity is looked at, and where.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "internal/gpu/activity_books.h"
#include "internal/gpu/activity_plan.h"
#include "internal/gpu/range_replay.h"

namespace gpumon::gpu {
namespace {

// A range query of Prometheus has at most 11,000 points, kLookBack at both ends among them. Seven
// days of a scrape a minute are 10,080.
constexpr double kMostInstants = 10'900;
// So many rows are joined for one answer: a few seconds of one core, and twice that of Prometheus.
constexpr std::size_t kMostRows = 500'000;
// An instant costs as much as so many rows, however few it has: processes, targets, names.
constexpr std::size_t kRowsOfInstant = 30;
// Rows that may be looked at in vain where that spares a set of queries.
constexpr std::size_t kSparedRows = 1'500;
// One that is by less finer than another may be the same.
constexpr double kMuchFiner = 0.6;

// Seconds between scrapes of which so many are in a time of so many seconds.
double UsualInterval(double seconds, double most) {
  if (most == 0) return 15;
  // There may be one at both of its ends. What is scraped more rarely Prometheus does not show.
  const double about = std::min(seconds / (most < 3 ? most : most - 0.5), kLookBack);
  constexpr std::array kUsual = {1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0};
  for (const double usual : kUsual) {
    if (std::abs(about - usual) < 0.15 * usual) return usual;
  }
  return std::max(1.0, std::floor(about));
}

}  // namespace

std::size_t Activity::Nearest(double time) const {
  const std::size_t from = time < At(begin) + step / 1000 ? 0 : begin + 1;
  const double at = std::round((time - At(from)) / step);
  const bool is_one = at >= 0 && at < static_cast<double>(steps - from);
  return is_one ? from + static_cast<std::size_t>(at) : steps;
}

std::vector<ActivityGrid> Activity::Grids() const {
  if (shift == 0 && static_cast<double>(steps) <= kMostInstants + 2) return {{0, steps}};
  return {{0, begin + 1}, {begin + 1, steps - begin - 1}};
}

std::vector<RangeSpan> Activity::SpansToWalk(const ActivityGrid& grid) const {
  std::vector<RangeSpan> walk;
  for (const ActivitySpan& span : spans) {
    if (span.first < grid.first || span.first >= grid.first + grid.count) continue;
    std::set<std::string> instances;
    for (const std::size_t target : span.targets) instances.insert(targets[target].instance);
    walk.push_back({span.first - grid.first, span.count, {instances.begin(), instances.end()}});
  }
  return walk;
}

double ActivityBooks::ScrapedEvery() const {
  double most = 0;  // in a cell
  for (const auto& [name, target] : targets_) {
    for (const double scrapes : target.scrapes) most = std::max(most, scrapes);
    if (!target.scrapes.empty()) continue;
    for (const auto& samples : target.samples) {
      for (const double count : samples) most = std::max(most, count);
    }
  }
  if (most_scrapes_ == 0) return UsualInterval(cell_, most);
  const double every = UsualInterval(kShortestCell, most_scrapes_);
  if (most_in_minute_ == 0) return every;
  // Where the whole past is a few minutes they are not full.
  const double in_minute = UsualInterval(60, most_in_minute_);
  return in_minute < kMuchFiner * every ? in_minute : every;
}

// The range's start and its end are instants, whatever lies between them.
void ActivityBooks::SetStep(double step) {
  const double length = want_.end - want_.start;
  const double steps = std::max(1.0, std::ceil(length / step - 1e-6));
  // The one before the start tells what goes on at it.
  const double before = std::clamp(std::ceil((want_.start - since_) / step), 1.0, kMostInstants);
  activity_.step = step;
  activity_.begin = static_cast<std::size_t>(before);
  activity_.after = static_cast<std::size_t>(std::floor(want_.after / step + 1e-6));
  activity_.steps = activity_.begin + 1 + static_cast<std::size_t>(steps) + activity_.after;
  activity_.start = want_.start - step * before;
  activity_.shift = std::max(0.0, steps * step - length);
  if (activity_.shift < 0.001) activity_.shift = 0;
}

// The first one at that time or later.
std::size_t ActivityBooks::InstantFrom(double time) const {
  const std::size_t from = time <= want_.start ? 0 : activity_.begin + 1;
  const double at = std::ceil((time - activity_.At(from)) / activity_.step - 1e-6);
  const double most = static_cast<double>(activity_.steps - from);
  return from + static_cast<std::size_t>(std::clamp(at, 0.0, most));
}

// What happens at the end of a cell is seen a little later: where series have no staleness markers,
// as late as Prometheus looks back.
std::pair<std::size_t, std::size_t> ActivityBooks::LookAt(std::size_t cell, bool before) const {
  const double end = first_end() + cell_ * static_cast<double>(cell);
  const std::size_t from = InstantFrom(end - cell_ - 2 * activity_.step);
  return {before ? from : std::max(from, activity_.begin - 1),
          InstantFrom(end + kLookBack + 2 * activity_.step)};
}

std::vector<ActivitySpan> ActivityBooks::SpansOf(const std::vector<Target*>& targets) const {
  std::map<std::size_t, std::map<std::size_t, int>> changes;  // instant, target: begins or ends
  const auto look = [&](std::size_t t, std::size_t first, std::size_t end) {
    if (first >= end) return;
    ++changes[first][t];
    --changes[end][t];
  };
  for (std::size_t t = 0; t < targets.size(); ++t) {
    bool before = false;
    for (std::size_t k = 0; k < cells_; ++k) {
      if (!targets[t]->active[k]) continue;
      // Of what is gone at the start is seen how it went, in the cell that the start cuts too.
      const auto [first, end] = LookAt(k, k < Within() || targets[t]->gone);
      look(t, first, end);
      before |= first < activity_.begin;
    }
    // Of the others that it shows what happens is looked for since the start.
    if (before) look(t, activity_.begin - 1, activity_.begin + 1);
  }
  for (const ActivityGrid& grid : activity_.Grids()) changes[grid.first];
  std::vector<Span> spans;
  std::map<std::size_t, int> looked;  // target: at how many cells
  std::size_t from = 0;
  for (const auto& [instant, its] : changes) {
    if (!looked.empty() && instant > from) {
      Span& span = spans.emplace_back(Span{from, instant - from, {}});
      for (const auto& [target, cells] : looked) span.targets.push_back(target);
    }
    for (const auto& [target, by] : its) {
      int& cells = looked[target];
      cells += by;
      if (cells == 0) looked.erase(target);
    }
    from = instant;
  }
  return spans;
}

std::size_t ActivityBooks::RowsOf(const Span& span) const {
  std::size_t gpus = 0;
  for (const std::size_t target : span.targets) gpus += activity_.targets[target].gpus;
  return gpus * span.count;
}

std::vector<ActivitySpan> ActivityBooks::Joined(std::vector<Span> spans) const {
  std::vector<Span> joined;
  const std::size_t grid = activity_.Grids().back().first;
  for (Span& span : spans) {
    const bool adjoins = !joined.empty() && joined.back().first + joined.back().count == span.first;
    if (adjoins && (span.first != grid || grid == 0)) {
      Span both{joined.back().first, joined.back().count + span.count, {}};
      std::set_union(joined.back().targets.begin(), joined.back().targets.end(),
                     span.targets.begin(), span.targets.end(), std::back_inserter(both.targets));
      if (RowsOf(both) <= RowsOf(joined.back()) + RowsOf(span) + kSparedRows) {
        joined.back() = std::move(both);
        continue;
      }
    }
    joined.push_back(std::move(span));
  }
  return joined;
}

void ActivityBooks::Choose() {
  DropOthers();
  AddSilent();
  std::vector<Target*> targets;
  for (auto& [name, target] : targets_) {
    if (const auto scrapes = scrapes_.find(name); scrapes != scrapes_.end()) {
      target.scrapes = scrapes->second.first;
      target.well = scrapes->second.second;
    }
    target.gone = gone_.contains(name);
    Judge(target);
    if (const auto active = active_.find(name); active != active_.end()) {
      for (std::size_t k = 0; k < cells_; ++k) {
        if (active->second[k]) target.active[k] = true;
      }
    }
    targets.push_back(&target);
    using Up = ActivityTarget::Up;
    const bool one_node = target.nodes.size() == 1 && target.says_node;
    activity_.targets.push_back({name.first,
                                 name.second,
                                 one_node ? *target.nodes.begin() : "",
                                 target.gpus.size(),
                                 target.names,
                                 {},
                                 target.scrapes.empty() ? Up::kUnknown : Up::kUp,
                                 {},
                                 target.exporters});
  }
  ShareActivity(targets);
  const double wanted = want_.step > 0 ? want_.step : ScrapedEvery();
  SetStep(std::max(wanted, std::ceil((want_.end - want_.start) / kMostInstants)));
  activity_.too_long = activity_.step > wanted;
  while (true) {
    activity_.spans = Joined(SpansOf(targets));
    std::size_t rows = 0;
    for (const Span& span : activity_.spans) rows += RowsOf(span) + span.count * kRowsOfInstant;
    if (rows <= kMostRows || activity_.steps <= 3) break;
    SetStep(activity_.step * 2);
    activity_.too_long = false;
  }
  if (activity_.step > wanted) activity_.scraped_every = wanted;
  std::size_t place = 0;
  for (auto& [name, target] : targets_) {
    if (target.doubted) activity_.targets[place].up.resize(activity_.steps);
    ++place;
  }
}

std::vector<std::string> ActivityBooks::Doubted() const {
  std::set<std::string> instances;
  for (const ActivityTarget& target : activity_.targets) {
    if (!target.up.empty()) instances.insert(target.instance);
  }
  return {instances.begin(), instances.end()};
}

// What answers say of targets at instants.
void ActivityBooks::Mark(const prom::RangeVector& targets,
                         const std::function<void(ActivityTarget&, std::size_t, double)>& mark) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto [job, instance] = NameOf(targets.labels(i));
    for (ActivityTarget& target : activity_.targets) {
      if (target.up.empty() || target.job != job || target.instance != instance) continue;
      for (const prom::Point& point : targets.points(i)) {
        const std::size_t at = activity_.Nearest(point.at);
        if (at < activity_.steps) mark(target, at, point.value);
      }
    }
  }
}

void ActivityBooks::AddUp(const prom::RangeVector& up) {
  using Up = ActivityTarget::Up;
  Mark(up, [](ActivityTarget& target, std::size_t at, double value) {
    target.up[at] = value == 0 ? Up::kDown : Up::kUp;
  });
}

void ActivityBooks::AddYoung(const prom::RangeVector& young) {
  Mark(young, [this](ActivityTarget& target, std::size_t at, double) {
    target.young.resize(activity_.steps);
    target.young[at] = true;
  });
}

}  // namespace gpumon::gpu
