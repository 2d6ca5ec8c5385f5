#include "internal/exporter/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace gpumon::exporter {
namespace {

constexpr std::array<int, 8> kGroupSizes = {1, 1, 1, 2, 2, 4, 4, 8};
constexpr double kVacantShare = 0.12;
constexpr double kShortestRound = 420;
constexpr double kLongestRound = 900;
constexpr double kPhaseStep = 0.35;  // neighbours of one job do not move in lockstep

// Rounded to a grid on which the sums of many years are exact. Were they not, a counter could fall
// by a rounding error, and whoever reads it would take that for a restart.
double WholeShift(const Shift& shift, int position) {
  constexpr double kGrid = 1 << 20;
  const double load = shift.LoadOf(position).Integral(shift.begin, shift.end);
  return std::floor(load * kGrid) / kGrid;
}

}  // namespace

LoadCurve Shift::LoadOf(int position) const {
  LoadCurve curve = load_;
  curve.phase += kPhaseStep * (position - first);
  return curve;
}

NodeSchedule::NodeSchedule(std::uint64_t hash, int pool)
    : hash_(hash),
      pool_(pool),
      round_seconds_(std::floor(Between(hash, 1, kShortestRound, kLongestRound))),
      offset_(std::floor(Between(hash, 2, 0, round_seconds_))),
      prefix_(static_cast<std::size_t>(pool) * (kRoundsInCycle + 1)) {
  for (int round = 0; round < kRoundsInCycle; ++round) {
    for (const Shift& shift : Shifts(round)) {
      for (int position = shift.first; position < shift.first + shift.count; ++position) {
        double* row = &prefix_[static_cast<std::size_t>(position) * (kRoundsInCycle + 1)];
        row[round + 1] = row[round] + (shift.vacant ? 0 : WholeShift(shift, position));
      }
    }
  }
}

std::int64_t NodeSchedule::RoundAt(double t) const {
  return static_cast<std::int64_t>(std::floor((t + offset_) / round_seconds_));
}

double NodeSchedule::RoundStart(std::int64_t round) const {
  return static_cast<double>(round) * round_seconds_ - offset_;
}

std::vector<Shift> NodeSchedule::Shifts(std::int64_t round) const {
  std::vector<Shift> shifts;
  const std::uint64_t in_cycle = static_cast<std::uint64_t>(round) % kRoundsInCycle;
  for (int first = 0; first < pool_;) {
    const std::uint64_t draw = Mix(hash_, in_cycle, static_cast<std::uint64_t>(first));
    Shift shift;
    shift.first = first;
    shift.count = std::min(kGroupSizes[Below(draw, 1, kGroupSizes.size())], pool_ - first);
    shift.vacant = Unit(draw, 2) < kVacantShare;
    shift.kind = &WorkloadKinds()[Below(draw, 3, WorkloadKinds().size())];
    shift.begin = std::floor(round_seconds_ * Between(draw, 4, 0.01, 0.07));
    shift.end = std::floor(round_seconds_ * Between(draw, 5, 0.8, 0.99));
    shift.job = Mix(draw, static_cast<std::uint64_t>(round));
    shift.load_.level = (shift.kind->load_low + shift.kind->load_high) / 2;
    shift.load_.amplitude = (shift.kind->load_high - shift.kind->load_low) / 2;
    shift.load_.period = Between(draw, 6, 40, 180);
    shift.load_.phase = Between(draw, 7, 0, 2 * std::numbers::pi);
    shifts.push_back(shift);
    first += shift.count;
  }
  return shifts;
}

std::vector<double> NodeSchedule::LoadSeconds(double t) const {
  std::vector<double> sums(static_cast<std::size_t>(pool_));
  const std::int64_t round = RoundAt(t);
  const double x = t - RoundStart(round);
  const std::int64_t whole_cycles = round / kRoundsInCycle;
  const auto cycles = static_cast<double>(whole_cycles);
  const auto in_cycle = static_cast<std::size_t>(round % kRoundsInCycle);
  for (const Shift& shift : Shifts(round)) {
    for (int position = shift.first; position < shift.first + shift.count; ++position) {
      const auto p = static_cast<std::size_t>(position);
      const double* row = &prefix_[p * (kRoundsInCycle + 1)];
      sums[p] = cycles * row[kRoundsInCycle] + row[in_cycle];
      if (shift.vacant || x <= shift.begin) continue;
      const double whole = WholeShift(shift, position);
      sums[p] += x >= shift.end
                     ? whole
                     : std::clamp(shift.LoadOf(position).Integral(shift.begin, x), 0.0, whole);
    }
  }
  return sums;
}

}  // namespace gpumon::exporter
