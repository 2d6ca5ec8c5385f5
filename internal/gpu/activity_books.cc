#include "internal/gpu/activity_books.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

#include "internal/gpu/identity.h"
#include "internal/gpu/label_reader.h"
#include "internal/gpu/range_replay.h"

namespace gpumon::gpu {
namespace {

using models::Text;

constexpr double kCells = 48;
constexpr double kShortestCell = 300;
// A range query of Prometheus has at most 11,000 points, kLookBack at both ends among them.
constexpr double kMostInstants = 10'000;
// So many rows are joined for one answer: about a second of one core.
constexpr std::size_t kMostRows = 500'000;
// Rows that may be looked at in vain where that spares a set of queries.
constexpr std::size_t kSparedRows = 1'500;

}  // namespace

std::vector<std::string> ActivityNamesOf(std::string_view uuid, std::string_view node,
                                         std::string_view gpu_id) {
  std::vector<std::string> names;
  if (!uuid.empty()) names.push_back("uuid " + std::string(uuid));
  if (!node.empty() && !gpu_id.empty()) {
    names.push_back("node " + std::string(node) + ' ' + std::string(gpu_id));
  }
  return names;
}

std::vector<RangeSpan> Activity::SpansToWalk() const {
  std::vector<RangeSpan> walk;
  for (const ActivitySpan& span : spans) {
    std::set<std::string> instances;
    for (const std::size_t target : span.targets) instances.insert(targets[target].instance);
    walk.push_back({span.first, span.count, {instances.begin(), instances.end()}});
  }
  return walk;
}

ActivityBooks::ActivityBooks(ActivityWant want) : want_(std::move(want)) {
  const double length = want_.end - want_.start;
  cell_ = std::max(kShortestCell, std::ceil(length / kCells));
  cells_ = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(length / cell_)));
}

std::size_t ActivityBooks::CellAt(double time) const {
  const double cell = std::round((time - first_end()) / cell_);
  return cell < 0 || cell >= static_cast<double>(cells_) ? kNone : static_cast<std::size_t>(cell);
}

ActivityBooks::Name ActivityBooks::NameOf(prom::LabelSet labels) {
  return {std::string(prom::Get(labels, "job")), std::string(prom::Get(labels, "instance"))};
}

void ActivityBooks::AddSamples(const schema::Exporter& exporter, bool says_node,
                               const prom::RangeVector& samples) {
  LabelReader reader(exporter, models::kGpuTexts, false);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Identity identity = reader.Read(samples.labels(i));
    const std::string_view raw = identity.text(Text::kUuid);
    const std::string uuid = RewriteUuid(raw, exporter.vendor).value_or(std::string(raw));
    const std::string_view node = identity.text(Text::kNode);
    const std::string_view id = identity.text(Text::kGpuId);
    Target& target = targets_[NameOf(samples.labels(i))];
    for (std::string& name : ActivityNamesOf(uuid, node, id)) target.names.insert(std::move(name));
    target.gpus.insert(uuid.empty() ? std::string(id) : uuid);
    target.nodes.emplace(node);
    target.says_node &= says_node;
    auto& counts = target.samples.emplace_back(cells_, 0.0);
    for (const prom::Point& point : samples.points(i)) {
      const std::size_t cell = CellAt(point.at);
      if (cell != kNone) counts[cell] = point.value;
    }
  }
}

void ActivityBooks::AddActive(const prom::RangeVector& targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    auto& active = active_[NameOf(targets.labels(i))];
    active.resize(cells_);
    for (const prom::Point& point : targets.points(i)) {
      const std::size_t cell = CellAt(point.at);
      if (cell != kNone) active[cell] = true;
    }
  }
}

void ActivityBooks::AddScrapes(const prom::RangeVector& targets, bool well) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    auto& both = scrapes_[NameOf(targets.labels(i))];
    both.first.resize(cells_);
    both.second.resize(cells_);
    for (const prom::Point& point : targets.points(i)) {
      const std::size_t cell = CellAt(point.at);
      if (cell != kNone) (well ? both.second : both.first)[cell] = point.value;
    }
  }
}

void ActivityBooks::AddMostScrapes(const prom::RangeVector& most) {
  for (std::size_t i = 0; i < most.size(); ++i) {
    for (const prom::Point& point : most.points(i)) {
      most_scrapes_ = std::max(most_scrapes_, point.value);
    }
  }
}

// Targets that were down whenever they were scraped show nothing that tells whose they are.
void ActivityBooks::AddSilent() {
  if (!jobs_known_ || !want_.nodes.empty()) return;
  for (const auto& [name, counts] : scrapes_) {
    const auto any = [](const std::vector<double>& cells) {
      return std::any_of(cells.begin(), cells.end(), [](double count) { return count > 0; });
    };
    if (any(counts.first) && !any(counts.second)) targets_.try_emplace(name);
  }
}

void ActivityBooks::DropOthers() {
  if (want_.nodes.empty()) return;
  std::erase_if(targets_, [&](const auto& entry) {
    const auto& nodes = entry.second.nodes;
    return entry.second.says_node && !nodes.contains("") &&
           std::none_of(want_.nodes.begin(), want_.nodes.end(),
                        [&](const auto& node) { return nodes.contains(node); });
  });
}

// In each scrape that gave anything each GPU has as many samples as in those before.
void ActivityBooks::Judge(Target& target) const {
  target.active.resize(cells_);
  if (target.scrapes.empty()) return;  // nobody tells whether the exporter was there
  if (target.samples.empty()) {        // there is nothing to look at but when it was down
    target.doubted = true;
    return;
  }
  for (std::size_t k = 0; k < cells_; ++k) {
    const double well = target.well[k];
    bool odd = false;
    for (const auto& samples : target.samples) {
      const double each = well > 0 ? samples[k] / well : 0;
      odd |= each * well != samples[k] || each != std::floor(each);
      if (k == 0) continue;
      const double before = target.well[k - 1] > 0 ? samples[k - 1] / target.well[k - 1] : 0;
      odd |= each != before;
    }
    odd |= well < target.scrapes[k];
    if (!odd) continue;
    target.active[k] = true;
    target.doubted = true;
  }
}

// What several targets show of one GPU is told apart from what one of them stopped showing only
// where all of them are looked at.
void ActivityBooks::ShareActivity(const std::vector<Target*>& targets) {
  std::map<std::string_view, std::vector<Target*>> by_name;
  for (Target* const target : targets) {
    for (const std::string& name : target->names) by_name[name].push_back(target);
  }
  // One's peer may have a peer of its own.
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [name, sharing] : by_name) {
      for (std::size_t i = 1; i < sharing.size(); ++i) grew |= Share(*sharing[0], *sharing[i]);
    }
  }
}

bool ActivityBooks::Share(Target& one, Target& other) {
  bool grew = one.doubted != other.doubted;
  one.doubted = other.doubted = one.doubted || other.doubted;
  for (std::size_t k = 0; k < one.active.size(); ++k) {
    if (one.active[k] == other.active[k]) continue;
    one.active[k] = other.active[k] = true;
    grew = true;
  }
  return grew;
}

double ActivityBooks::ScrapedEvery() const {
  double most = most_scrapes_;
  for (const auto& [name, target] : targets_) {
    if (most_scrapes_ > 0) break;
    for (const double scrapes : target.scrapes) most = std::max(most, scrapes);
    if (!target.scrapes.empty()) continue;
    for (const auto& samples : target.samples) {
      for (const double count : samples) most = std::max(most, count);
    }
  }
  if (most == 0) return 15;
  // A cell may have a sample at both of its ends.
  const double about = cell_ / std::max(most - 0.5, 0.5);
  constexpr std::array kUsual = {1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0};
  for (const double usual : kUsual) {
    if (std::abs(about - usual) < 0.15 * usual) return usual;
  }
  return std::max(1.0, std::floor(about));
}

void ActivityBooks::SetStep(double step) {
  activity_.step = step;
  // The last instant is the end: what the last sample brings is no news for the window after it.
  const double steps = std::floor((want_.end - want_.start) / step + 1e-6);
  activity_.steps = static_cast<std::size_t>(steps) + 1;
  activity_.start = want_.end - steps * step;
}

// What happens at the end of a cell is seen a little later: where series have no staleness markers,
// as late as Prometheus looks back.
std::pair<std::size_t, std::size_t> ActivityBooks::LookAt(std::size_t cell) const {
  const double end = first_end() + cell_ * static_cast<double>(cell);
  const auto instant = [&](double time) {
    const double at = std::ceil((time - activity_.start) / activity_.step);
    return static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(activity_.steps)));
  };
  return {instant(end - cell_ - 2 * activity_.step), instant(end + kLookBack + 2 * activity_.step)};
}

std::vector<ActivitySpan> ActivityBooks::SpansOf(const std::vector<Target*>& targets) const {
  std::map<std::size_t, std::map<std::size_t, int>> changes;  // instant, target: begins or ends
  for (std::size_t t = 0; t < targets.size(); ++t) {
    for (std::size_t k = 0; k < cells_; ++k) {
      if (!targets[t]->active[k]) continue;
      const auto [first, end] = LookAt(k);
      if (first >= end) continue;
      ++changes[first][t];
      --changes[end][t];
    }
  }
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
  for (Span& span : spans) {
    if (!joined.empty() && joined.back().first + joined.back().count == span.first) {
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
                                 target.scrapes.empty() ? Up::kUnknown : Up::kUp});
  }
  ShareActivity(targets);
  const double wanted = want_.step > 0 ? want_.step : ScrapedEvery();
  SetStep(std::max(wanted, std::ceil((want_.end - want_.start) / kMostInstants)));
  activity_.too_long = activity_.step > wanted;
  while (true) {
    activity_.spans = Joined(SpansOf(targets));
    std::size_t rows = 0;
    for (const Span& span : activity_.spans) rows += RowsOf(span);
    if (rows <= kMostRows || activity_.steps == 1) break;
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

void ActivityBooks::AddUp(const prom::RangeVector& up) {
  using Up = ActivityTarget::Up;
  for (std::size_t i = 0; i < up.size(); ++i) {
    const auto [job, instance] = NameOf(up.labels(i));
    for (ActivityTarget& target : activity_.targets) {
      if (target.up.empty() || target.job != job || target.instance != instance) continue;
      for (const prom::Point& point : up.points(i)) {
        const double at = std::round((point.at - activity_.start) / activity_.step);
        if (at < 0 || at >= static_cast<double>(activity_.steps)) continue;
        target.up[static_cast<std::size_t>(at)] = point.value == 0 ? Up::kDown : Up::kUp;
      }
    }
  }
}

}  // namespace gpumon::gpu
