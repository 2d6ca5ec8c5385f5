// What the answers about activity in a range come to.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/activity.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"

namespace gpumon::gpu {

// One thread at a time: what was asked of cells is added, then Choose is called, then what was
// asked of instants is added.
class ActivityBooks {
 public:
  explicit ActivityBooks(ActivityWant want);

  // Before anything is asked of cells: targets with GPUs that were shown before the range and are
  // not at its start; values are times.
  void AddGone(const prom::InstantVector& gone);
  // AddScrapes tells of GPU exporters' jobs alone.
  void KnowJobs() { jobs_known_ = true; }

  double cell() const { return cell_; }  // seconds
  // The end of the first and of the last cell, Unix seconds. The last one ends with the range and
  // what is looked at after it.
  double first_end() const { return last_end() - cell_ * static_cast<double>(cells_ - 1); }
  double last_end() const { return want_.end + want_.after; }
  // Of the first cell that has any of the range itself.
  double first_end_within() const { return first_end() + cell_ * static_cast<double>(Within()); }

  // `says_node`: its series name their nodes themselves.
  void AddSamples(const schema::Exporter& exporter, bool says_node,
                  const prom::RangeVector& samples);
  void AddActive(const prom::RangeVector& targets);
  void AddScrapes(const prom::RangeVector& targets, bool well);
  // Of the target that has most of them: replicas of Prometheus each have their own.
  // In kShortestCell, or in a minute.
  void AddMostScrapes(const prom::RangeVector& most, bool in_minute = false);

  // After them: how fine the look is, at what and when.
  void Choose();
  const Activity& chosen() const { return activity_; }
  // Of whose targets it is not clear when they were up: values of `instance`.
  std::vector<std::string> Doubted() const;
  // Their `up` at Activity's instants.
  void AddUp(const prom::RangeVector& up);
  // At which of these instants their processes were young.
  void AddYoung(const prom::RangeVector& young);
  Activity Take() { return std::move(activity_); }

 private:
  using Name = std::pair<std::string, std::string>;  // job and instance
  struct Target {
    std::set<std::string> nodes;
    std::set<std::string> names;
    std::set<std::string> gpus;
    std::set<std::string> exporters;
    std::vector<std::vector<double>> samples;  // of each series, by cell
    std::vector<double> scrapes;               // by cell
    std::vector<double> well;                  // likewise
    std::vector<bool> active;                  // likewise
    bool doubted = false;
    bool says_node = true;
    bool gone = false;  // some of its GPUs, or of its peers', are at the start
  };
  using Span = ActivitySpan;

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t CellAt(double time) const;
  // The first one that has any of the range itself.
  std::size_t Within() const;
  void SetCells();
  static Name NameOf(prom::LabelSet labels);
  void DropOthers();
  void AddSilent();
  void Judge(Target& target) const;
  static void ShareActivity(const std::vector<Target*>& targets);
  // True: one of them was less active, less doubted or missed less.
  static bool Share(Target& one, Target& other);
  double ScrapedEvery() const;
  // Instants that a look at this cell covers: [first, second). `before`: those before the range
  // too.
  std::pair<std::size_t, std::size_t> LookAt(std::size_t cell, bool before) const;
  std::size_t InstantFrom(double time) const;
  void Mark(const prom::RangeVector& targets,
            const std::function<void(ActivityTarget&, std::size_t, double)>& mark);
  std::vector<Span> SpansOf(const std::vector<Target*>& targets) const;
  std::size_t RowsOf(const Span& span) const;
  std::vector<Span> Joined(std::vector<Span> spans) const;
  void SetStep(double step);

  const ActivityWant want_;
  bool jobs_known_ = false;
  double most_scrapes_ = 0;    // in kShortestCell
  double most_in_minute_ = 0;  // scrapes
  double since_;               // Unix seconds: before it nothing is looked at
  std::set<Name> gone_;
  double cell_ = 0;
  std::size_t cells_ = 0;
  std::map<Name, Target> targets_;
  std::map<Name, std::pair<std::vector<double>, std::vector<double>>> scrapes_;
  std::map<Name, std::vector<bool>> active_;
  Activity activity_;
};

}  // namespace gpumon::gpu
