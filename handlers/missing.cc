#include "handlers/missing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "handlers/missing_rows.h"
#include "handlers/record_answer.h"
#include "handlers/window.h"
#include "internal/base/text.h"
#include "internal/fleet/missing.h"
#include "internal/wire/form.h"

namespace gpumon::handlers {
namespace {

using fleet::LostGpu;
using models::Part;

// So many closer looks are taken at the latest losses: each is one row of instants, or one instant.
constexpr std::size_t kMostWalks = 8;
constexpr std::size_t kMostInstants = 2;
constexpr double kFineInstants = 60;  // of a closer look
constexpr double kSameInstant = 0.001;
constexpr std::size_t kFewNodes = 20;  // so many are asked for by their names

std::span<const ParameterSpec> OwnParameters() {
  return kWindowParameters;
}

constexpr std::array kAsked = {Part::kGpus, Part::kNodes};
constexpr std::array kAskedOfInstant = {Part::kGpus, Part::kNodes, Part::kProcesses};

// The end of the window, where it is given.
std::optional<WallTime> EndOf(const Parameters& parameters) {
  for (const char* const name : {"at", "end"}) {
    if (parameters.Has(name)) return ParseTime(parameters.Text(name));
  }
  return std::nullopt;
}

// One answer: a walk through the window, closer looks at the latest losses, then the rows. What
// follows each other runs on one thread at a time.
class Search : public std::enable_shared_from_this<Search> {
 public:
  Search(CallPtr call, RecordQuery query) : call_(std::move(call)), query_(std::move(query)) {}

  void Start() {
    const auto parsed =
        ParseWindow(call_->parameters(), call_->services().clock.Wall(), std::nullopt, {});
    if (!parsed) return call_->SendError(parsed.error());
    GetAll(call_, kAsked, EndOf(call_->parameters()), query_.form.allow_stale,
           [self = shared_from_this()](GotParts parts) { self->Walk(std::move(parts)); });
  }

 private:
  struct Loss {
    LostGpu gpu;
    models::SnapshotPtr then;  // nodes when it was seen last; null: not known
  };

  const models::Snapshot& present() const { return *SnapshotOf(parts_[0]); }

  static std::optional<Status> WhyNotWhole(const Result<gpu::Got>& part) {
    if (!part) return part.error();
    if (!part->snapshot->partial) return std::nullopt;
    return Status{Code::kUpstreamPartial, "some queries failed"};
  }

  // The present is the one that its snapshot is of: clocks may differ.
  void Walk(GotParts parts) {
    parts_ = std::move(parts);
    if (!parts_[0]) return call_->SendError(parts_[0].error());
    const bool partial = std::any_of(parts_.begin(), parts_.end(), [](const auto& part) {
      return !part || part->snapshot->partial;
    });
    if (partial && !query_.form.allow_partial) return call_->SendError(PartialRefused());
    const bool given = EndOf(call_->parameters()).has_value();
    const WallTime now = given ? call_->services().clock.Wall() : wire::ToWallTime(present().as_of);
    auto window = ParseWindow(call_->parameters(), now, present().gpus.size(), {.lists = 2});
    if (!window) return call_->SendError(window.error());
    window_ = *window;
    if (!given) window_.end = now.time_since_epoch().count();
    gpu::RangeWant want = WantOf(window_.span().step, true);
    want.steps = static_cast<std::size_t>((window_.end - window_.start) / window_.step) + 1;
    want.start = end() - want.step * static_cast<double>(want.steps - 1);
    const auto nodes = ParseGpuFilter(call_->parameters()).ExactNodes();
    // One that moved has to be seen where it is now.
    if (!present().partial) want.nodes = nodes;
    Look(want, [self = shared_from_this()](const fleet::Sightings& seen, gpu::RangeEnd range) {
      self->range_ = std::move(range);
      for (LostGpu& gpu : seen.Lost(&self->present())) {
        self->losses_.push_back({std::move(gpu), nullptr});
      }
      self->LookCloser();
    });
  }

  double end() const { return window_.span().end; }

  // `between`: what came and went between two instants was there too.
  static gpu::RangeWant WantOf(double step, bool between) {
    gpu::RangeWant want{.step = step, .parts = {{}}};
    for (const models::Quantity quantity : fleet::Sightings::kQuantities) {
      want.parts[0].quantities.set(static_cast<std::size_t>(quantity));
    }
    if (between)
      want.parts.push_back({.quantities = want.parts[0].quantities, .over = gpu::Over::kMost});
    return want;
  }

  // An error of the first look is the answer; one of a closer look leaves what is known.
  void Look(const gpu::RangeWant& want,
            std::function<void(const fleet::Sightings&, gpu::RangeEnd)> then) {
    const auto seen = std::make_shared<fleet::Sightings>();
    const bool first = walks_++ == 0;
    call_->services().walk(
        want, call_->deadline(),
        [self = shared_from_this(), seen, want](std::size_t i,
                                                std::span<const models::SnapshotPtr> snapshots) {
          seen->Add(want.At(i), *snapshots[0]);
          for (std::size_t part = 1; part < snapshots.size(); ++part) {
            if (want.parts[part].part == Part::kProcesses) {
              seen->AddProcesses(want.At(i), *snapshots[0], *snapshots[part]);
            } else {
              seen->AddBetween(*snapshots[part]);
            }
          }
          return self->call_->Alive();
        },
        [self = shared_from_this(), seen, first,
         then = std::move(then)](Result<gpu::RangeEnd> end) {
          if (end) return then(*seen, *std::move(end));
          if (first) return self->call_->SendError(end.error());
          self->failed_ = end.error();
          self->Send();
        });
  }

  // Half of it is for the first look: closer ones must not cost its answer.
  bool HasTime() {
    const auto left = call_->deadline().Left(call_->services().clock);
    hurried_ |= left * 2 < call_->services().settings.request_timeout;
    return !hurried_;
  }

  // The latest loss between two instants that lie far from each other.
  const LostGpu* Coarsest() const {
    const LostGpu* latest = nullptr;
    for (const Loss& loss : losses_) {
      if (loss.gpu.gone - loss.gpu.instant <= LostGpu::kFinestStep * 1.5) continue;
      if (latest == nullptr || loss.gpu.gone > latest->gone) latest = &loss.gpu;
    }
    return latest;
  }

  void LookCloser() {
    const LostGpu* const latest = walks_ > kMostWalks || !HasTime() ? nullptr : Coarsest();
    if (latest == nullptr) return AskInstants();
    const auto [first, gone] = std::pair(latest->instant, latest->gone);
    gpu::RangeWant want = WantOf(
        std::max(LostGpu::kFinestStep, std::ceil((gone - first) / kFineInstants)), latest->brief);
    want.start = latest->brief ? first : first + want.step;
    want.parts.push_back({.part = Part::kProcesses});
    want.exporters = range_.exporters;
    const int more = latest->brief ? 1 : -1;
    want.steps = static_cast<std::size_t>(std::ceil((gone - first) / want.step) + more);
    std::set<std::string> nodes;
    for (const Loss& loss : losses_) {
      if (loss.gpu.instant == first && loss.gpu.gone == gone) nodes.insert(loss.gpu.seen.node);
    }
    if (nodes.size() <= kFewNodes && !nodes.contains("")) {
      want.nodes.assign(nodes.begin(), nodes.end());
    }
    Look(want, [self = shared_from_this(), first = first, gone = gone](const auto& seen,
                                                                       const gpu::RangeEnd&) {
      for (Loss& loss : self->losses_) {
        if (loss.gpu.instant == first && loss.gpu.gone == gone) seen.Refine(loss.gpu);
      }
      self->LookCloser();
    });
  }

  // The instants at which the latest losses were shown last: the times of their samples, and what
  // was known of their nodes.
  void AskInstants() {
    std::set<double, std::greater<>> instants;
    for (const Loss& loss : losses_) instants.insert(loss.gpu.instant);
    instants_.assign(instants.begin(), instants.end());
    if (instants_.size() > kMostInstants) instants_.resize(kMostInstants);
    AskInstant();
  }

  void AskInstant() {
    if (instants_.empty() || !HasTime()) return AskNodes();
    const double instant = instants_.front();
    instants_.erase(instants_.begin());
    GetAll(call_, kAskedOfInstant, wire::ToWallTime(instant), query_.form.allow_stale,
           [self = shared_from_this(), instant](const GotParts& parts) {
             self->TakeInstant(instant, parts);
           });
  }

  void TakeInstant(double instant, const GotParts& parts) {
    for (const auto& part : parts) {
      if (const auto why = WhyNotWhole(part)) failed_ = why;
    }
    fleet::Sightings seen;
    if (parts[0]) seen.Add(instant, *SnapshotOf(parts[0]));
    if (parts[0] && parts[2])
      seen.AddProcesses(instant, *SnapshotOf(parts[0]), *SnapshotOf(parts[2]));
    for (Loss& loss : losses_) {
      if (loss.gpu.instant != instant) continue;
      seen.Refine(loss.gpu);
      if (!WhyNotWhole(parts[1])) loss.then = parts[1]->snapshot;
    }
    if (call_->Alive()) AskInstant();
  }

  // Nodes are kept for longer than GPUs: what was known before a loss says nothing of it.
  void AskNodes() {
    const bool known = std::all_of(losses_.begin(), losses_.end(),
                                   [this](const Loss& loss) { return NodesOf(loss) != nullptr; });
    if (known || !parts_[1]) return AskTargets();
    const gpu::Want want{Part::kNodes, wire::ToWallTime(end()), query_.form.allow_stale};
    call_->services().source.Get(want, call_->deadline(),
                                 [self = shared_from_this()](Result<gpu::Got> nodes) {
                                   self->call_->Defer([self, nodes = std::move(nodes)] {
                                     if (nodes) self->parts_[1] = nodes;
                                     if (const auto why = WhyNotWhole(nodes)) self->failed_ = why;
                                     self->AskTargets();
                                   });
                                 });
  }

  // Of older losses: whether those that showed them are up, all at once.
  void AskTargets() {
    for (const Loss& loss : losses_) shown_.Add(loss.gpu);
    const bool known = std::all_of(losses_.begin(), losses_.end(), [this](const Loss& loss) {
      return loss.then != nullptr || VerdictOf(loss).loss != fleet::Loss::kUnknown;
    });
    if (known || !HasTime()) return Send();
    const double start = window_.span().start;
    gpu::ActivityWant want{.start = start, .end = end(), .step = end() - start};
    want.nodes = ParseGpuFilter(call_->parameters()).ExactNodes();
    want.targets_only = true;
    call_->services().find_activity(want, call_->deadline(),
                                    [self = shared_from_this()](Result<gpu::Activity> targets) {
                                      if (targets) self->targets_ = *std::move(targets);
                                      if (!targets) self->failed_ = targets.error();
                                      self->Send();
                                    });
  }

  fleet::Verdict VerdictOf(const Loss& loss) const {
    return fleet::VerdictOf(
        loss.gpu.seen, {NodesOf(loss), loss.then.get(), &present(), targets_ ? &*targets_ : nullptr,
                        shown_.Of(loss.gpu.seen), shown_.InstantOf(loss.gpu.seen), loss.gpu.gone});
  }

  // At the end of the window; null where they are not known since the loss.
  const models::Snapshot* NodesOf(const Loss& loss) const {
    const models::Snapshot* const nodes = SnapshotOf(parts_[1]);
    return nodes != nullptr && nodes->as_of >= loss.gpu.gone - kSameInstant ? nodes : nullptr;
  }

  void Send() {
    // A closer look may tell another order.
    std::ranges::sort(losses_, [](auto& a, auto& b) { return IsBefore(a.gpu, b.gpu); });
    wire::Records records{MissingColumns(), {}};
    for (const Loss& loss : losses_) {
      const bool whole = NodesOf(loss) != nullptr && !NodesOf(loss)->partial;
      records.rows.push_back(MissingRow(loss.gpu, VerdictOf(loss), whole, end()));
    }
    wire::Page page = Select(records, query_);
    wire::RecordsMeta meta = MetaOf(kAsked, parts_, page);
    page.partial = meta.partial;
    meta.window = window_.span();
    meta.as_of = end();
    for (const std::string& source : range_.sources) {
      const bool known = std::ranges::find(meta.sources, source) != meta.sources.end();
      if (!known) meta.sources.push_back(source);
    }
    meta.warnings.insert(meta.warnings.end(), range_.warnings.begin(), range_.warnings.end());
    if (failed_) {
      meta.warnings.push_back("a closer look failed (" + std::string(failed_->wire_name()) +
                              "): last_seen may be only as exact as the step of the window");
    }
    if (hurried_ && !losses_.empty()) {
      meta.warnings.emplace_back(
          "the first look took half of the time of this request: last_seen may be only as exact as "
          "the step of the window; ask for a shorter window or fewer nodes");
    }
    const bool csv = query_.form.csv;
    auto encoded =
        csv ? wire::EncodeCsv(records, page)
            : wire::EncodeRecords(records, meta, page, "Missing GPUs retrieved successfully");
    SendMade(*call_, *parts_[0], std::move(encoded), page, csv);
  }

  const CallPtr call_;
  const RecordQuery query_;
  GotParts parts_;
  Window window_;
  gpu::RangeEnd range_;
  std::vector<Loss> losses_;
  std::size_t walks_ = 0;
  std::optional<gpu::Activity> targets_;  // of the window
  fleet::ShownLast shown_;
  std::vector<double> instants_;  // to be asked about
  std::optional<Status> failed_;  // of a closer look
  bool hurried_ = false;          // there was no time for all of them
};

}  // namespace

void GetMissing(const CallPtr& call) {
  auto query = ParseRecordQuery(MissingColumns(), call->parameters());
  if (!query) return call->SendError(query.error());
  std::make_shared<Search>(call, *std::move(query))->Start();
}

std::span<const ParameterSpec> MissingParameters() {
  static const RecordParameters kParameters(MissingColumns(), OwnParameters());
  return kParameters.specs();
}

}  // namespace gpumon::handlers
