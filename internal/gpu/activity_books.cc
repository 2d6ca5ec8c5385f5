#include "internal/gpu/activity_books.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "internal/gpu/activity_plan.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/label_reader.h"

namespace gpumon::gpu {
namespace {

using models::Text;

constexpr double kCells = 48;

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

ActivityBooks::ActivityBooks(ActivityWant want) : want_(std::move(want)), since_(want_.start) {
  SetCells();
}

void ActivityBooks::SetCells() {
  const double length = last_end() - since_;
  cell_ = std::max(kShortestCell, std::ceil(length / kCells));
  cells_ = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(length / cell_)));
}

std::size_t ActivityBooks::Within() const {
  const double cells = std::ceil((last_end() - want_.start) / cell_);
  return cells_ - std::clamp<std::size_t>(static_cast<std::size_t>(cells), 1, cells_);
}

// What it was when it was shown last has to be seen.
void ActivityBooks::AddGone(const prom::InstantVector& gone) {
  for (std::size_t i = 0; i < gone.size(); ++i) {
    gone_.insert(NameOf(gone.labels(i)));
    since_ = std::min(since_, gone.point(i).value - kShortestCell);
  }
  since_ = std::max(since_, want_.start - want_.before - kShortestCell);
  SetCells();
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
    target.exporters.insert(exporter.name);
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

void ActivityBooks::AddMostScrapes(const prom::RangeVector& most, bool in_minute) {
  double& scrapes = in_minute ? most_in_minute_ : most_scrapes_;
  for (std::size_t i = 0; i < most.size(); ++i) {
    for (const prom::Point& point : most.points(i)) scrapes = std::max(scrapes, point.value);
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

// In each scrape that gave anything each GPU has as many samples as in those before. Before the
// range that counts where something is gone.
void ActivityBooks::Judge(Target& target) const {
  target.active.resize(cells_);
  if (target.scrapes.empty()) return;  // nobody tells whether the exporter was there
  if (target.samples.empty()) {        // there is nothing to look at but when it was down
    target.doubted = true;
    return;
  }
  for (std::size_t k = target.gone ? 0 : Within(); k < cells_; ++k) {
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
  bool grew = one.doubted != other.doubted || one.gone != other.gone;
  one.doubted = other.doubted = one.doubted || other.doubted;
  one.gone = other.gone = one.gone || other.gone;
  for (std::size_t k = 0; k < one.active.size(); ++k) {
    if (one.active[k] == other.active[k]) continue;
    one.active[k] = other.active[k] = true;
    grew = true;
  }
  return grew;
}

}  // namespace gpumon::gpu
