#include "internal/gpu/node_targets.h"

#include <algorithm>
#include <cmath>

#include "internal/gpu/contest.h"
#include "internal/gpu/node_queries.h"

namespace gpumon::gpu {
namespace {

using models::TargetState;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// fmax of what is there.
void Raise(double& value, double other) {
  value = std::fmax(value, other);
}

}  // namespace

void NodeTargets::Read(const prom::InstantVector& vector) {
  LearnJobs(vector);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    ReadTarget(vector.labels(i), vector.point(i).value);
  }
  Finish();
}

bool NodeTargets::knows_hosts() const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [](const auto& job) { return job.second.count(kNodeExporter) > 0; });
}

bool NodeTargets::ScrapesGpus(std::string_view job) const {
  const auto known = jobs_.find(job);
  return known != jobs_.end() &&
         std::any_of(known->second.begin(), known->second.end(),
                     [](std::string_view one) { return one != kNodeExporter; });
}

// Which jobs scrape which exporter, before those of its targets that are down are met.
void NodeTargets::LearnJobs(const prom::InstantVector& vector) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const prom::LabelSet labels = vector.labels(i);
    const std::string_view exporter = prom::Get(labels, "exporter");
    if (!exporter.empty()) jobs_[prom::Get(labels, "job")].insert(exporter);
  }
  for (const Subject& subject : known_.detected.subjects) {
    for (const std::string& job : subject.jobs) jobs_[job].insert(subject.exporter->name);
  }
}

bool NodeTargets::IsFrozen(std::string_view exporter, std::size_t target) const {
  const auto& subjects = known_.detected.subjects;
  return std::any_of(subjects.begin(), subjects.end(), [&](const Subject& subject) {
    return subject.exporter->name == exporter && subject.frozen.count(target) > 0;
  });
}

// The machines that a target showed before it went down.
std::set<std::string> NodeTargets::RecallNodes(const Subject& subject, std::size_t target,
                                               Millis age) const {
  std::set<std::string> nodes;
  const auto add = [&](const TargetMemory::Nodes& told) {
    for (const auto& [node, fields] : told) {
      if (!node.empty()) nodes.insert(node);
    }
  };
  if (known_.memory != nullptr) {
    add(known_.memory->Recall(models::Part::kGpus, {subject.exporter->name, target}, age));
  }
  const auto past = subject.down.find(target);
  if (past != subject.down.end()) add(past->second.gpus);
  return nodes;
}

void NodeTargets::ReadTarget(prom::LabelSet labels, double value) {
  const std::string_view tag = prom::Get(labels, "__series__");
  const std::size_t target = Contest::TargetOf(labels);
  if (tag == kLastUpSeries) {
    return Raise(last_up_.try_emplace(target, kNone).first->second, value);
  }
  if (tag == kScrapedSeries) {
    Scraped& its = scraped_[target];
    its.labels = labels;
    return Raise(its.at, value);
  }
  if (tag == kStartedSeries) {
    started_.insert_or_assign(target, value);
    return;
  }
  if (tag == kDownSeries) {
    down_.push_back(labels);
    return;
  }
  if (tag != kExporterSeries) return;
  const std::string_view exporter = prom::Get(labels, "exporter");
  std::string_view name = names_.NodeOf(labels);
  if (known_.memory != nullptr && exporter != kNodeExporter) {
    // The rows of its GPUs may know the machine better than its labels do.
    const auto nodes = known_.memory->Recall(models::Part::kGpus, {std::string(exporter), target});
    if (nodes.size() == 1 && !nodes.begin()->first.empty()) {
      name = *kept_.insert(nodes.begin()->first).first;
    }
  }
  if (exporter != kNodeExporter) show_gpus_.insert(target);
  if (name.empty()) return;
  ToldTarget& its = TargetOf(name, exporter, labels);
  if (IsFrozen(exporter, target)) its.state = TargetState::kFrozen;
  up_.emplace_back(target, &its);
  up_nodes_.emplace(target, name);
}

ToldTarget& NodeTargets::TargetOf(std::string_view node, std::string_view exporter,
                                  prom::LabelSet labels) {
  ToldTarget& its =
      told_[node].targets[{exporter, prom::Get(labels, "job"), prom::Get(labels, "instance")}];
  its.of_gpus = !exporter.empty() && exporter != kNodeExporter;
  return its;
}

void NodeTargets::Finish() {
  for (const prom::LabelSet labels : down_) {
    const std::size_t target = Contest::TargetOf(labels);
    bool recalled = false;
    for (const Subject& subject : known_.detected.subjects) {
      for (const std::string& node : RecallNodes(subject, target, TargetMemory::kHour)) {
        SetDown(*kept_.insert(node).first, subject.exporter->name, labels);
        recalled = true;
      }
    }
    if (!recalled) JudgeDown(labels);
  }
  FindSilent();
  for (const auto& [target, its] : up_) {
    const auto scraped = scraped_.find(target);
    if (scraped != scraped_.end()) Raise(its->newest, scraped->second.at);
  }
}

void NodeTargets::FindSilent() {
  std::set<std::size_t> down;
  std::map<std::pair<std::string_view, std::string_view>, models::SilentTarget> silent;
  const auto add = [&](std::string_view job, std::string_view instance, bool up, double up_for) {
    silent.try_emplace({job, instance}, models::SilentTarget{job, instance, up, up_for});
  };
  for (const prom::LabelSet labels : down_) {
    down.insert(Contest::TargetOf(labels));
    add(prom::Get(labels, "job"), prom::Get(labels, "instance"), false, kNone);
  }
  for (const auto& [target, its] : scraped_) {
    const std::string_view job = prom::Get(its.labels, "job");
    if (!ScrapesGpus(job) || down.contains(target) || show_gpus_.contains(target)) continue;
    const auto started = started_.find(target);
    add(job, prom::Get(its.labels, "instance"), true,
        started == started_.end() ? kNone : started->second);
    FindQuiet(target, its.labels);
  }
  models::Arena& arena = snapshot_.arena;
  for (auto& [name, its] : silent) {
    its.job = arena.Keep(its.job);
    its.instance = arena.Keep(its.instance);
    snapshot_.silent.push_back(its);
  }
}

// Nobody remembers what it showed: its job and its labels say what it is.
void NodeTargets::JudgeDown(prom::LabelSet labels) {
  const std::string_view name = names_.NodeOf(labels);
  if (name.empty()) return;
  const std::string_view job = prom::Get(labels, "job");
  const auto found = jobs_.find(job);
  if (found != jobs_.end()) {
    SetDown(name, found->second.size() == 1 ? *found->second.begin() : "", labels);
  } else if (job.find("node-exporter") != std::string_view::npos ||
             job.find("node_exporter") != std::string_view::npos) {
    SetDown(name, kNodeExporter, labels);
  }
}

// Another pod that is up may have taken its place; several machines may have one `instance`.
void NodeTargets::SetDown(std::string_view node, std::string_view exporter, prom::LabelSet labels) {
  if (up_nodes_.contains({Contest::TargetOf(labels), node})) return;
  ToldTarget& its = TargetOf(node, exporter, labels);
  its.state = TargetState::kDown;
  const auto last = last_up_.find(Contest::TargetOf(labels));
  if (last != last_up_.end()) Raise(its.newest, last->second);
}

// It came up, and nobody remembers a GPU that it has shown since. What it showed before it was down
// does not count: who is there may have been looked for then.
bool NodeTargets::MayStart(const Subject& subject, std::size_t target) const {
  const auto found = started_.find(target);
  if (found == started_.end()) return false;
  if (known_.memory == nullptr) return true;
  const Millis since(static_cast<std::int64_t>(found->second * 1000));
  const TargetMemory::Target its{subject.exporter->name, target};
  const auto shown = known_.memory->Recall(models::Part::kGpus, its, since);
  return std::all_of(shown.begin(), shown.end(), [](const auto& one) { return one.first.empty(); });
}

// One that is up and shows no GPU is no machine's by its series, and the worst of losses.
void NodeTargets::FindQuiet(std::size_t target, prom::LabelSet labels) {
  for (const Subject& subject : known_.detected.subjects) {
    for (const std::string& node : RecallNodes(subject, target, TargetMemory::kDay)) {
      ToldTarget& its = TargetOf(*kept_.insert(node).first, subject.exporter->name, labels);
      its.started = MayStart(subject, target);
      up_.emplace_back(target, &its);
    }
  }
}

}  // namespace gpumon::gpu
