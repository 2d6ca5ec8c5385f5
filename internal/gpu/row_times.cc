#include "internal/gpu/row_times.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "internal/gpu/contest.h"
#include "internal/gpu/label_reader.h"
#include "internal/gpu/mix.h"

namespace gpumon::gpu {
namespace {

double ParseTime(std::string_view text) {
  double at = RowTimes::kUnknown;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), at);
  return error == std::errc() && end == text.data() + text.size() ? at : RowTimes::kUnknown;
}

}  // namespace

void RowTimes::Span::Add(double at) {
  if (!(newest >= at)) newest = at;
  if (!(oldest <= at)) oldest = at;
}

void RowTimes::Span::Add(const Span& other) {
  bad |= other.bad;
  if (std::isnan(other.newest)) return;
  Add(other.newest);
  Add(other.oldest);
}

std::size_t RowTimes::Hash::operator()(const Key& key) const {
  return Mix(key.first) ^ key.second;
}

std::uint32_t RowTimes::PlaceOf(std::size_t target) {
  const auto [found, is_new] =
      places_.try_emplace(target, static_cast<std::uint32_t>(targets_.size()));
  if (is_new) {
    targets_.push_back(target);
    fields_.push_back(0);
    names_.emplace_back();
  }
  return found->second;
}

std::uint32_t RowTimes::TargetOf(prom::LabelSet labels, std::uint32_t likely) {
  std::string_view job;
  std::string_view instance;
  for (const prom::Label& label : labels) {
    if (label.name == "instance") instance = label.value;
    if (label.name == "job") job = label.value;
  }
  for (const std::uint32_t place : {likely, last_}) {
    if (place == kNone || !names_[place].known) continue;
    if (SameText(instance, names_[place].instance) && SameText(job, names_[place].job)) {
      return last_ = place;
    }
  }
  last_ = PlaceOf(Contest::TargetOf(labels));
  names_[last_] = {std::string(job), std::string(instance), true};
  return last_;
}

void RowTimes::Saw(std::uint32_t row, prom::LabelSet labels, std::size_t slot) {
  const std::uint32_t target = TargetOf(labels, row < fed_.size() ? fed_[row].target : kNone);
  fields_[target] |= std::uint64_t{1} << slot;
  if (row >= fed_.size()) {
    if (row >= fed_.capacity()) fed_.reserve(std::max<std::size_t>(row + 1, fed_.size() * 2));
    fed_.resize(row + 1);
  }
  ++FedBy(row, target).samples;
}

auto RowTimes::FedBy(std::uint32_t row, std::uint32_t target) -> Fed& {
  Fed& first = fed_[row];
  if (first.target == kNone) first.target = target;
  if (first.target == target) return first;
  std::vector<Fed>& others = more_[row];
  const auto found = std::find_if(others.begin(), others.end(),
                                  [&](const Fed& fed) { return fed.target == target; });
  return found != others.end() ? *found : others.emplace_back(Fed{target});
}

void RowTimes::Lost(std::uint32_t row, std::size_t target) {
  if (row >= fed_.size()) return;
  Fed& fed = FedBy(row, PlaceOf(target));
  if (fed.samples > 0) --fed.samples;
}

bool RowTimes::AddSeriesTime(std::uint32_t row, std::size_t target, std::size_t series, double at) {
  const bool possible = Possible(at);
  series_.push_back({{row, PlaceOf(target)}, series, possible ? at : kUnknown});
  return possible;
}

void RowTimes::Gather() {
  gathered_.clear();
  for (const SeriesTime& time : series_) {
    if (lost_.count(time.series) > 0) continue;
    Span& span = gathered_[time.of];
    if (std::isnan(time.at)) {
      span.bad = true;
    } else {
      span.Add(time.at);
    }
  }
}

std::size_t RowTimes::AddTargetTimes(const prom::InstantVector& times) {
  std::size_t impossible = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const prom::LabelSet labels = times.labels(i);
    TargetTimes& its = target_times_[Contest::TargetOf(labels)];
    const std::string_view t = prom::Get(labels, "t");
    const double at = t == "up" ? times.point(i).value : ParseTime(t);
    if (t == "up") {
      its.up = at;
    } else if (Possible(at)) {
      its.samples.Add(at);
    } else {
      its.samples.bad = true;
      ++impossible;
    }
  }
  return impossible;
}

RowTimes::Span RowTimes::Of(std::uint32_t row, std::uint32_t target) const {
  if (const auto found = gathered_.find({row, target}); found != gathered_.end()) {
    return found->second;
  }
  return OfTarget(targets_[target]);
}

RowTimes::Span RowTimes::OfTarget(std::size_t target) const {
  const auto found = target_times_.find(target);
  if (found == target_times_.end()) return {};
  const TargetTimes& its = found->second;
  Span span = its.samples;
  if (its.BringsItsOwn()) return {kUnknown, kUnknown, span.bad};
  // It shows none of the metrics that were asked for their times, but it was scraped then.
  if (std::isnan(span.newest) && Possible(its.up)) span.Add(its.up);
  return span;
}

RowTimes::Span RowTimes::Of(std::uint32_t row) const {
  Span span;
  if (row < fed_.size() && fed_[row].samples > 0) span = Of(row, fed_[row].target);
  const auto others = more_.find(row);
  if (others == more_.end()) return span;
  for (const Fed& fed : others->second) {
    if (fed.samples > 0) span.Add(Of(row, fed.target));
  }
  return span;
}

double RowTimes::NewestOf(std::uint32_t row, std::size_t target) const {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const auto place = places_.find(target);
  const Span span = place == places_.end() ? OfTarget(target) : Of(row, place->second);
  const double newest = span.newest;
  return std::isnan(newest) ? kNever : newest;
}

bool RowTimes::TargetTimes::BringsItsOwn() const {
  const bool shows = !std::isnan(samples.newest) || samples.bad;
  return shows && !(samples.newest == up && samples.oldest == up);
}

bool RowTimes::BringsItsOwn() const {
  return std::any_of(target_times_.begin(), target_times_.end(),
                     [](const auto& one) { return one.second.BringsItsOwn(); });
}

}  // namespace gpumon::gpu
