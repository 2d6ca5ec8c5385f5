#include "handlers/window.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "handlers/list_answer.h"
#include "handlers/list_query.h"
#include "internal/base/text.h"
#include "internal/fleet/twins.h"

namespace gpumon::handlers {
namespace {

using models::Quantity;
using models::Text;

// So many rows are joined for one answer: about two seconds of one core.
constexpr std::size_t kMostRows = 1'000'000;
constexpr std::int64_t kMostInstants = 2'000;
// A window has about so many instants where nobody says.
constexpr std::int64_t kUsualInstants = 336;

constexpr std::int64_t kSecond = 1'000;
constexpr std::array<std::int64_t, 17> kSteps = {
    15 * kSecond,     30 * kSecond,    60 * kSecond,    120 * kSecond,   300 * kSecond,
    600 * kSecond,    900 * kSecond,   1800 * kSecond,  3600 * kSecond,  7200 * kSecond,
    10800 * kSecond,  21600 * kSecond, 43200 * kSecond, 86400 * kSecond, 172800 * kSecond,
    345600 * kSecond, 604800 * kSecond};

// The shortest of the usual steps that is not below `least`, or `least` in whole seconds.
std::int64_t StepOf(std::int64_t least) {
  const auto* const step = std::lower_bound(kSteps.begin(), kSteps.end(), least);
  return step == kSteps.end() ? (least + kSecond - 1) / kSecond * kSecond : *step;
}

std::int64_t MillisOf(WallTime time) {
  return time.time_since_epoch().count();
}

Status Wrong(std::string_view parameter, const std::string& why) {
  return {Code::kInvalidParameter, "parameter '" + std::string(parameter) + "' " + why};
}

std::optional<Status> ParseEnds(const Parameters& parameters, WallTime now,
                                const WindowDefaults& defaults, Window& window) {
  constexpr std::int64_t kClocksDiffer = 10'000;
  if (parameters.Has("end") && parameters.Has("at")) return Wrong("at", "means the same as 'end'");
  if (parameters.Has("start") && parameters.Has("window")) {
    return Wrong("window", "contradicts 'start'; give one of them");
  }
  const std::string_view end = parameters.Has("at") ? "at" : "end";
  const auto given = parameters.Has(end) ? ParseTime(parameters.Text(end)) : std::nullopt;
  window.end = given ? MillisOf(*given) : MillisOf(now) / kSecond * kSecond;
  if (window.end > MillisOf(now) + kClocksDiffer) {
    return Wrong(end, "lies in the future; give a past instant");
  }
  const auto start = ParseTime(parameters.Text("start"));
  window.start = start
                     ? MillisOf(*start)
                     : window.end - parameters.Duration("window").value_or(defaults.length).count();
  if (window.start >= window.end) return Wrong("start", "does not lie before the window's end");
  if (window.end - window.start > kLongestWindow) {
    return Wrong("start", "lies more than " + FormatDuration(Millis(kLongestWindow)) +
                              " before the window's end");
  }
  if (window.start < 0) return Wrong("window", "begins before 1970");
  return std::nullopt;
}

}  // namespace

wire::Span Window::span() const {
  const auto seconds = [](std::int64_t millis) { return static_cast<double>(millis) / 1000; };
  return {seconds(start), seconds(end), seconds(step)};
}

Result<Window> ParseWindow(const Parameters& parameters, WallTime now,
                           std::optional<std::size_t> gpus, const WindowDefaults& defaults) {
  Window window;
  if (auto wrong = ParseEnds(parameters, now, defaults, window)) return Error(*std::move(wrong));
  const std::int64_t length = window.end - window.start;
  const std::size_t rows = std::max<std::size_t>(gpus.value_or(0) * defaults.lists, 1);
  const std::int64_t most =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(kMostRows / rows), 1, kMostInstants);
  const std::int64_t least = (length + most - 1) / most;
  const std::int64_t finest = StepOf(least);
  if (const auto step = parameters.Duration("step")) {
    window.step = step->count();
    if (gpus && static_cast<std::int64_t>(window.instants()) > most) {
      return Error(Wrong(
          "step", "asks for " + std::to_string(window.instants()) + " instants, and no more than " +
                      std::to_string(most) + " are answered at once" +
                      (*gpus > 0 ? " for " + std::to_string(*gpus) + " GPUs" : "") +
                      "; the nearest step that is allowed is " +
                      FormatDuration(Millis((least + kSecond - 1) / kSecond * kSecond))));
    }
  } else {
    const std::size_t points = defaults.points / std::max<std::size_t>(gpus.value_or(0), 1);
    const auto usual = std::clamp<std::int64_t>(
        static_cast<std::int64_t>(std::min<std::size_t>(points, kMostInstants)), 1, kUsualInstants);
    window.step = std::max(finest, StepOf((length + usual - 1) / usual));
  }
  window.step = std::min(window.step, length);
  return window;
}

Result<Window> ParseWindowEnds(const Parameters& parameters, WallTime now,
                               const WindowDefaults& defaults) {
  Window window;
  if (auto wrong = ParseEnds(parameters, now, defaults, window)) return Error(*std::move(wrong));
  return window;
}

const std::array<ParameterSpec, 4> kGpuFilterParameters = {
    ParameterSpec{.name = "node",
                  .kind = ParameterKind::kNodeName,
                  .repeatable = true,
                  .help = "GPUs of this node; exact, or with *."},
    ParameterSpec{.name = "gpu",
                  .kind = ParameterKind::kText,
                  .repeatable = true,
                  .help = "GPUs of this gpu_id; exact, or with *."},
    ParameterSpec{.name = "uuid",
                  .kind = ParameterKind::kText,
                  .repeatable = true,
                  .help = "GPUs and MIG instances of this UUID; exact, or with *."},
    ParameterSpec{.name = "model",
                  .kind = ParameterKind::kText,
                  .repeatable = true,
                  .help = "GPUs of this model; exact, or with *."}};

GpuFilter ParseGpuFilter(const Parameters& parameters) {
  return {parameters.All("node"), parameters.All("gpu"), UuidPatterns(parameters.All("uuid")),
          parameters.All("model")};
}

bool GpuFilter::Passes(const models::GpuMetrics& row) const {
  const auto passes = [&](const std::vector<std::string>& patterns, Text text) {
    return patterns.empty() || AnyMatches(patterns, row.text(text));
  };
  return passes(nodes, Text::kNode) && passes(gpus, Text::kGpuId) &&
         (passes(uuids, Text::kUuid) || passes(uuids, Text::kMigUuid)) &&
         passes(models, Text::kGpuName);
}

std::vector<std::string> GpuFilter::ExactNodes() const {
  const bool exact = std::none_of(nodes.begin(), nodes.end(), [](const std::string& node) {
    return node.find('*') != std::string::npos;
  });
  return exact ? nodes : std::vector<std::string>();
}

void WithWindow(const CallPtr& call, const WindowDefaults& defaults, const GpuFilter& filter,
                std::function<void(const Window&)> then) {
  // What is wrong in itself needs nobody's answer.
  const auto parsed =
      ParseWindow(call->parameters(), call->services().clock.Wall(), std::nullopt, defaults);
  if (!parsed) return call->SendError(parsed.error());
  call->services().source.Get(
      {}, call->deadline(),
      [call, defaults, exact = filter.ExactNodes(), then = std::move(then)](Result<gpu::Got> got) {
        if (!got) return call->SendError(got.error());
        const auto& rows = got->snapshot->gpus;
        const auto gpus = std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
          return exact.empty() || AnyMatches(exact, row.text(Text::kNode));
        });
        auto window = ParseWindow(call->parameters(), call->services().clock.Wall(),
                                  static_cast<std::size_t>(gpus), defaults);
        if (!window) return call->SendError(window.error());
        then(*window);
      });
}

void WalkParts(const CallPtr& call, const Window& window, const GpuFilter& filter, bool of_all,
               std::function<void(std::size_t instant, const std::vector<fleet::Whole>&)> each,
               std::function<void(gpu::RangeEnd)> done) {
  gpu::RangeWant want;
  const wire::Span span = window.span();
  want.start = span.start;
  want.step = span.step;
  want.steps = window.instants();
  want.nodes = filter.ExactNodes();
  gpu::RangePart gpus;
  gpus.without_gaps = true;
  for (const Quantity quantity : fleet::kStateQuantities) {
    gpus.quantities.set(static_cast<std::size_t>(quantity));
  }
  for (const Quantity quantity : {Quantity::kTemperature, Quantity::kPower, Quantity::kSmClock}) {
    if (of_all) gpus.quantities.set(static_cast<std::size_t>(quantity));
  }
  want.parts = {gpus, {models::Part::kProcesses}};
  call->services().walk(
      want, call->deadline(),
      [call, filter, each = std::move(each), twins = std::make_shared<fleet::Twins>()](
          std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
        auto parts = fleet::PartsOf(*snapshots[0], snapshots[1].get(),
                                    call->services().settings.health_rules);
        twins->Drop(i, parts);
        std::erase_if(parts, [&](const fleet::Whole& whole) { return !filter.Passes(*whole.gpu); });
        each(i, parts);
        return call->Alive();
      },
      [call, done = std::move(done)](Result<gpu::RangeEnd> end) {
        if (!end) return call->SendError(end.error());
        done(*std::move(end));
      });
}

}  // namespace gpumon::handlers
