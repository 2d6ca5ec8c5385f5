#include "internal/exporter/fleet_state.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "internal/exporter/fleet.h"

namespace gpumon::exporter {
namespace {

constexpr int kIdleMib = 4;                  // the driver's own
constexpr int kContextMib = 480;             // CUDA contexts, in no process's account
constexpr double kFillSeconds = 45;          // a new job's memory grows this long
constexpr std::int64_t kKeepFinished = 300;  // finished pods stay listed; less than a round
constexpr std::int64_t kDay = 86400;
constexpr int kPidsPerGpu = 4;
constexpr std::uint64_t kStandingNames = std::uint64_t{1} << 48U;  // above every job's number

// The last instant at or before `now` that is `offset` into a period.
std::int64_t LastTick(std::int64_t now, std::int64_t period, std::int64_t offset) {
  return now - ((now - offset) % period + period) % period;
}

// Fills in one node. The index arithmetic is over FleetState's flat vectors.
class NodeBuilder {
 public:
  NodeBuilder(const Fleet& fleet, int node, FleetState& state)
      : fleet_(fleet),
        spec_(fleet.nodes()[static_cast<std::size_t>(node)]),
        node_(node),
        state_(state) {}

  void Build() {
    AddGpus();
    AddScheduledPods();
    for (std::size_t i = 0; i < spec_.traits.size(); ++i) AddStandingPod(i);
    SetPoolLoads();
    for (std::size_t i = 0; i < spec_.traits.size(); ++i) FinishGpu(Gpu(i));
    AddNodeState();
  }

 private:
  GpuState& Gpu(std::size_t index) {
    return state_.gpus[static_cast<std::size_t>(spec_.first_gpu) + index];
  }
  double t() const { return state_.seconds; }

  void AddGpus() {
    for (std::size_t i = 0; i < spec_.traits.size(); ++i) {
      GpuState gpu;
      gpu.node = node_;
      gpu.index = static_cast<int>(i);
      gpu.model = spec_.model;
      gpu.trait = spec_.traits[i];
      gpu.hash = Mix(spec_.hash, 31, i);
      gpu.present = gpu.trait != Trait::kVanishing || !Absence(state_.seed).Active(t());
      state_.gpus.push_back(gpu);
    }
  }

  void AddScheduledPods() {
    const std::int64_t round = spec_.schedule.RoundAt(t());
    // A job that ended late in the round before may still be listed.
    if (round > 0) {
      for (const Shift& shift : spec_.schedule.Shifts(round - 1)) AddShiftPod(shift, round - 1);
    }
    for (const Shift& shift : spec_.schedule.Shifts(round)) AddShiftPod(shift, round);
  }

  void AddShiftPod(const Shift& shift, std::int64_t round) {
    const double start = spec_.schedule.RoundStart(round);
    const double x = t() - start;
    if (shift.vacant || x < shift.begin) return;
    const bool runs = shift.RunsAt(x);
    const bool is_job = shift.kind->owner_kind == "Job";
    if (!runs && (!is_job || x - shift.end >= static_cast<double>(kKeepFinished))) return;

    PodState pod;
    pod.kind = shift.kind;
    pod.node = node_;
    pod.hash = shift.job;
    pod.gpus = shift.count;
    pod.user = UserOf(pod.hash);
    pod.created = kFleetStart + static_cast<std::int64_t>(start + shift.begin);
    if (!runs) {
      const bool failed = Below(pod.hash, 32, 6) == 0;
      pod.phase = failed ? Phase::kFailed : Phase::kSucceeded;
      pod.finished = kFleetStart + static_cast<std::int64_t>(start + shift.end);
      pod.restarts = failed ? 1 : 0;
      pod.last_exit_code = failed ? (Below(pod.hash, 33, 2) == 0 ? 1 : 137) : 0;
    }
    // Round, group and node number the job: no two of a cluster share a name.
    const auto nodes = static_cast<std::uint64_t>(fleet_.options().nodes);
    Name(pod, (static_cast<std::uint64_t>(round) * kMaxGpusPerNode +
               static_cast<std::uint64_t>(shift.first)) *
                      nodes +
                  static_cast<std::uint64_t>(node_));
    if (runs) Hold(shift, static_cast<int>(state_.pods.size()));
    state_.pods.push_back(std::move(pod));
  }

  void Hold(const Shift& shift, int pod) {
    const double round_start = spec_.schedule.RoundStart(spec_.schedule.RoundAt(t()));
    for (int p = shift.first; p < shift.first + shift.count; ++p) {
      GpuState& gpu = Gpu(static_cast<std::size_t>(spec_.pool[static_cast<std::size_t>(p)]));
      gpu.pod = pod;
      gpu.load = shift.LoadOf(p).At(t() - round_start);
    }
  }

  void AddStandingPod(std::size_t index) {
    const Trait trait = spec_.traits[index];
    if (!IsStanding(trait)) return;
    GpuState& gpu = Gpu(index);
    PodState pod;
    pod.kind = trait == Trait::kIdleHeld ? &NotebookKind() : &ServingKind();
    pod.node = node_;
    pod.gpus = 1;
    // Redeployed once a day, each at its own hour.
    const auto offset = static_cast<std::int64_t>(Below(gpu.hash, 34, kDay));
    pod.created = std::max(LastTick(state_.unix_seconds, kDay, offset), kFleetStart);
    pod.hash = Mix(gpu.hash, static_cast<std::uint64_t>(pod.created));
    pod.user = UserOf(gpu.hash);
    if (trait == Trait::kHot) {
      pod.restarts = 2;
      pod.last_exit_code = 137;
    }
    Name(pod, kStandingNames | (Mix(pod.hash, 35) >> 24U));
    gpu.pod = static_cast<int>(state_.pods.size());
    state_.pods.push_back(std::move(pod));

    if (trait == Trait::kHot) {
      const Recurring episode = ThrottleEpisode(state_.seed);
      gpu.throttles = episode.Active(t());
      gpu.load = gpu.throttles ? kThrottledLoad : kHotLoad;
      gpu.load_seconds =
          kHotLoad * t() -
          (kHotLoad - kThrottledLoad) * (episode.ActiveSeconds(t()) - episode.ActiveSeconds(0));
    } else if (trait == Trait::kNoProcesses) {
      constexpr LoadCurve kSteady{.level = 0.55, .amplitude = 0.2, .period = 300};
      gpu.load = kSteady.At(t());
      gpu.load_seconds = kSteady.Integral(0, t());
    }
  }

  // Names as the controllers build them: Jobs and ReplicaSets add a suffix, StatefulSets count.
  static void Name(PodState& pod, std::uint64_t number) {
    pod.owner_name = std::string(pod.kind->name) + '-' + Base36(number);
    pod.name = pod.owner_name + '-' +
               (pod.kind->owner_kind == "StatefulSet" ? "0" : RandomSuffix(pod.hash));
  }

  void SetPoolLoads() {
    const std::vector<double> sums = spec_.schedule.LoadSeconds(t());
    for (std::size_t p = 0; p < sums.size(); ++p) {
      Gpu(static_cast<std::size_t>(spec_.pool[p])).load_seconds = sums[p];
    }
    const double minute_ago = std::max(0.0, t() - 60);
    const std::vector<double> before = spec_.schedule.LoadSeconds(minute_ago);
    for (std::size_t p = 0; p < sums.size(); ++p) {
      GpuState& gpu = Gpu(static_cast<std::size_t>(spec_.pool[p]));
      // Heat follows load a minute late.
      gpu.core_celsius = IdleCelsius(gpu) + 44 * (sums[p] - before[p]) / 60;
    }
  }

  static double IdleCelsius(const GpuState& gpu) { return 30 + Between(gpu.hash, 36, 0, 5); }

  void FinishGpu(GpuState& gpu) {
    if (gpu.trait == Trait::kHot) {
      // Climbs until it throttles, cools while it does.
      const Recurring episode = ThrottleEpisode(state_.seed);
      const double phase = episode.Phase(t());
      gpu.core_celsius = phase < episode.begin
                             ? 84 + 9 * phase / episode.begin
                             : 93 - 9 * (phase - episode.begin) / (episode.end - episode.begin);
    } else if (gpu.trait == Trait::kIdleHeld || gpu.trait == Trait::kNoProcesses) {
      gpu.core_celsius = IdleCelsius(gpu) + 44 * gpu.load;
    }
    // Throttling slows the work down, it does not leave the GPU idle.
    const double busy = gpu.trait == Trait::kHot ? kHotLoad : gpu.load;
    if (busy > 0.005) {
      const auto bucket = static_cast<std::uint64_t>(t() / 5);
      const double jitter = Between(Mix(gpu.hash, bucket), 37, -1.5, 1.5);
      gpu.utilization = static_cast<int>(std::clamp(std::round(100 * busy + jitter), 0.0, 100.0));
    }
    gpu.memory_used_mib = kIdleMib;
    if (gpu.pod < 0) return;
    const PodState& pod = state_.pods[static_cast<std::size_t>(gpu.pod)];
    const double age = static_cast<double>(kFleetStart - pod.created) + t();
    const double share = gpu.trait == Trait::kIdleHeld ? 0.38 : Between(pod.hash, 38, 0.35, 0.93);
    const double filled = std::clamp(age / kFillSeconds, 0.1, 1.0);
    gpu.memory_used_mib += kContextMib + static_cast<int>(share * filled * gpu.model->memory_mib);
    if (gpu.present && gpu.trait != Trait::kNoProcesses) AddProcesses(gpu, pod);
  }

  void AddProcesses(const GpuState& gpu, const PodState& pod) {
    const int each = (gpu.memory_used_mib - kIdleMib - kContextMib) / pod.kind->processes;
    const auto generation = static_cast<int>(pod.created % 997);
    const auto gpus = static_cast<int>(spec_.traits.size());
    for (int k = 0; k < pod.kind->processes; ++k) {
      ProcessState process;
      process.gpu = spec_.first_gpu + gpu.index;
      process.pid = 2000 + (generation * gpus + gpu.index) * kPidsPerGpu + k;
      process.memory_mib = each;
      const std::uint64_t draw = Mix(gpu.hash, pod.hash, static_cast<std::uint64_t>(k));
      process.cpu_percent = std::round(10 * (0.2 + gpu.load * Between(draw, 39, 80, 380))) / 10;
      process.memory_percent =
          std::round(10 * Between(draw, 40, 0.4, std::max(0.5, 30.0 / gpus))) / 10;
      process.command = CommandOf(*pod.kind, pod.hash);
      state_.processes.push_back(std::move(process));
    }
  }

  void AddNodeState() {
    NodeState node;
    node.spec = &spec_;
    const auto count = static_cast<double>(spec_.traits.size());
    double standing = 0;
    for (std::size_t i = 0; i < spec_.traits.size(); ++i) {
      const GpuState& gpu = Gpu(i);
      node.gpus_present += gpu.present ? 1 : 0;
      node.load += gpu.load / count;
      node.load_seconds += gpu.load_seconds / count;
      if (IsStanding(gpu.trait)) standing += gpu.load / count;
    }
    const auto pool_sum = [&](double t) {
      double sum = 0;
      for (const double s : spec_.schedule.LoadSeconds(t)) sum += s;
      return sum / count;
    };
    const double now = pool_sum(t());
    const auto mean_over = [&](double window) {
      return standing + (now - pool_sum(std::max(0.0, t() - window))) / window;
    };
    node.load_1m = mean_over(60);
    node.load_5m = mean_over(300);
    node.load_15m = mean_over(900);
    state_.nodes.push_back(node);
  }

  static constexpr double kHotLoad = 0.98;
  static constexpr double kThrottledLoad = 0.62;

  const Fleet& fleet_;
  const NodeSpec& spec_;
  int node_;
  FleetState& state_;
};

// Asks for more GPUs than any node has, so it waits for ever.
PodState PendingPod(const Fleet& fleet, std::int64_t now) {
  PodState pod;
  pod.kind = &WorkloadKinds()[0];
  pod.hash = Mix(fleet.options().seed, 41);
  pod.user = UserOf(pod.hash);
  pod.gpus = 2 * fleet.options().gpus_per_node;
  pod.phase = Phase::kPending;
  pod.created = std::max(LastTick(now, kDay, 1020), kFleetStart);
  pod.owner_name = "llama-pretrain-large";
  pod.name =
      pod.owner_name + '-' + RandomSuffix(Mix(pod.hash, static_cast<std::uint64_t>(pod.created)));
  return pod;
}

// The latest run of an hourly Job that always fails before it touches a GPU.
PodState FailedPod(const Fleet& fleet, std::int64_t now) {
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kRunSeconds = 95;
  PodState pod;
  pod.kind = &WorkloadKinds()[3];
  pod.node = 0;
  pod.user = UserOf(Mix(fleet.options().seed, 42));
  pod.gpus = 1;
  pod.phase = Phase::kFailed;
  pod.from_cron = true;
  pod.finished = LastTick(now, kHour, 0);
  pod.created = *pod.finished - kRunSeconds;
  pod.hash = Mix(fleet.options().seed, 43, static_cast<std::uint64_t>(pod.created));
  pod.restarts = 1;
  pod.last_exit_code = 1;
  pod.owner_name = "hourly-eval-" + std::to_string(*pod.finished / 60);
  pod.name = pod.owner_name + '-' + RandomSuffix(pod.hash);
  return pod;
}

}  // namespace

FleetState Fleet::At(WallTime time) const {
  FleetState state;
  const std::int64_t millis =
      std::max(time.time_since_epoch().count(), std::int64_t{kFleetStart} * 1000);
  state.unix_seconds = millis / 1000;
  state.seconds = static_cast<double>(millis - std::int64_t{kFleetStart} * 1000) / 1000;
  state.seed = options_.seed;
  state.nodes.reserve(nodes_.size());
  state.gpus.reserve(nodes_.size() * static_cast<std::size_t>(options_.gpus_per_node));
  for (int node = 0; node < options_.nodes; ++node) NodeBuilder(*this, node, state).Build();
  state.pods.push_back(PendingPod(*this, state.unix_seconds));
  state.pods.push_back(FailedPod(*this, state.unix_seconds));
  return state;
}

}  // namespace gpumon::exporter
