#include "internal/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "internal/base/mutex.h"
#include "internal/base/text.h"
#include "internal/telemetry/process_stats.h"

namespace gpumon::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::string_view kOther = "other";

double Finite(double seconds) {
  return std::isfinite(seconds) && seconds > 0 ? seconds : 0;
}

const Histogram::BucketBoundaries& Buckets() {
  static const Histogram::BucketBoundaries buckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                      0.25,  0.5,    1,     2.5,  5,     10,   30};
  return buckets;
}

template <class Metric>
Metric& Make(prometheus::Family<Metric>& family, const prometheus::Labels& labels) {
  if constexpr (std::is_same_v<Metric, Histogram>) {
    return family.Add(labels, Buckets());
  } else {
    return family.Add(labels);
  }
}

prometheus::Family<Counter>& NewCounter(prometheus::Registry& registry, const std::string& name,
                                        const std::string& help) {
  return prometheus::BuildCounter().Name("gpu_monitoring_" + name).Help(help).Register(registry);
}
prometheus::Family<Gauge>& NewGauge(prometheus::Registry& registry, const std::string& name,
                                    const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<Histogram>& NewHistogram(prometheus::Registry& registry, const std::string& name,
                                            const std::string& help) {
  return prometheus::BuildHistogram().Name("gpu_monitoring_" + name).Help(help).Register(registry);
}

// The metrics of a family by the values of its N labels. The registry's own lookup is slower and
// knows no bound. Thread-safe.
template <class Metric, std::size_t N>
class Labelled {
 public:
  using Values = std::array<std::string_view, N>;

  Labelled(prometheus::Family<Metric>& family, std::array<const char*, N> names, std::size_t most)
      : family_(family), names_(names), most_(most) {}

  Metric& At(const Values& values) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (const auto found = metrics_.find(values); found != metrics_.end()) return *found->second;
    if (metrics_.size() >= most_) return Insert(FilledWithOther());
    return Insert(values);
  }

 private:
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return std::lexicographical_compare(
          a.begin(), a.end(), b.begin(), b.end(),
          [](std::string_view x, std::string_view y) { return x < y; });
    }
  };

  static Values FilledWithOther() {
    Values values;
    values.fill(kOther);
    return values;
  }

  Metric& Insert(const Values& values) REQUIRES(mutex_) {
    if (const auto found = metrics_.find(values); found != metrics_.end()) return *found->second;
    constexpr std::size_t kMostBytes = 128;
    std::array<std::string, N> key;
    prometheus::Labels labels;
    for (std::size_t i = 0; i < N; ++i) {
      key[i] = values[i];
      labels[names_[i]] = ToValidUtf8(values[i].substr(0, kMostBytes));
    }
    // Two keys may clean up to the same labels; the family then returns the same metric.
    Metric& metric = Make(family_, labels);
    metrics_.emplace(std::move(key), &metric);
    return metric;
  }

  prometheus::Family<Metric>& family_;
  const std::array<const char*, N> names_;
  const std::size_t most_;
  Mutex mutex_;
  std::map<std::array<std::string, N>, Metric*, Less> metrics_ GUARDED_BY(mutex_);
};

std::string_view KnownMethod(std::string_view method) {
  for (const std::string_view known :
       {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE"}) {
    if (method == known) return known;
  }
  return kOther;
}

constexpr std::size_t kMostSets = 1000;
constexpr std::size_t kMostHistograms = 100;

}  // namespace

class Metrics::Families {
 public:
  Families(const Clock& clock, std::string_view version) : clock_(clock), started_(clock.Steady()) {
    NewGauge(registry_, "gpu_monitoring_build_info", "The version of this server; always 1.")
        .Add({{"version", std::string(version)}})
        .Set(1);
  }

  std::string Text() {
    {
      MutexLock lock(mutex_);
      ReadOthers();
      ReadProcess();
    }
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

  void SetReadings(std::function<Readings()> readings) {
    MutexLock lock(mutex_);
    readings_ = std::move(readings);
  }

 private:
  prometheus::Registry registry_;
  const Clock& clock_;
  const SteadyTime started_;

 public:
  Labelled<Counter, 3> requests{
      NewCounter(registry_, "http_requests_total",
                 "HTTP requests answered, by route pattern, method and status."),
      {"route", "method", "status"},
      kMostSets};
  Labelled<Histogram, 1> request_seconds{
      NewHistogram(registry_, "http_request_duration_seconds",
                   "Time from a request's first byte to the last byte of its answer."),
      {"route"},
      kMostHistograms};
  Labelled<Counter, 1> sheds{
      NewCounter(registry_, "sheds_total", "Requests refused because of load, by reason."),
      {"reason"},
      kMostHistograms};
  Labelled<Counter, 2> queries{NewCounter(registry_, "upstream_queries_total",
                                          "Queries sent to Prometheus, by query and result."),
                               {"query", "result"},
                               kMostSets};
  Labelled<Histogram, 1> query_seconds{
      NewHistogram(registry_, "upstream_query_duration_seconds",
                   "Time until Prometheus had answered a query in full."),
      {"query"},
      kMostHistograms};
  Counter& response_bytes = NewCounter(registry_, "upstream_response_bytes_total",
                                       "Bytes of Prometheus's answers, decompressed.")
                                .Add({});
  Labelled<Counter, 2> refreshes{
      NewCounter(registry_, "refreshes_total", "Refreshes of the snapshot, by part and result."),
      {"part", "result"},
      kMostSets};
  Labelled<Histogram, 1> refresh_seconds{
      NewHistogram(registry_, "refresh_duration_seconds", "Time a refresh of a part took."),
      {"part"},
      kMostHistograms};
  Labelled<Counter, 1> dropped{
      NewCounter(registry_, "dropped_samples_total",
                 "Samples that no row shows, or shows as null, by reason."),
      {"reason"},
      kMostHistograms};
  Counter& stale_served =
      NewCounter(registry_, "stale_served_total", "Answers made from a stale snapshot.").Add({});
  Labelled<Counter, 1> stream_events{NewCounter(registry_, "stream_events_total",
                                                "Events sent to clients of the stream, by name."),
                                     {"event"},
                                     kMostHistograms};

 private:
  void ReadOthers() REQUIRES(mutex_) {
    if (!readings_) return;
    const Readings now = readings_();
    connections_.Add({}).Set(static_cast<double>(now.connections));
    in_flight_.Add({}).Set(static_cast<double>(now.in_flight));
    Raise(refused_, now.refused);
    Raise(log_lines_dropped_, now.log_lines_dropped);
    stream_clients_.Add({}).Set(static_cast<double>(now.stream_clients));
    for (const Readings::Part& part : now.parts) {
      const prometheus::Labels labels = {{"part", part.name}};
      // Before the first snapshot there is no age, and no number would be true.
      if (!part.age) continue;
      ages_.Add(labels).Set(*part.age);
      rows_.Add(labels).Set(static_cast<double>(part.rows));
    }
  }

  static void Raise(prometheus::Family<Counter>& family, std::uint64_t value) {
    Counter& counter = family.Add({});
    counter.Increment(static_cast<double>(value) - counter.Value());
  }

  void ReadProcess() REQUIRES(mutex_) {
    const std::chrono::duration<double> up = clock_.Steady() - started_;
    uptime_.Set(up.count());
    const auto stats = ReadProcessStats();
    if (!stats) return;
    cpu_.Add({}).Increment(stats->cpu_seconds - cpu_.Add({}).Value());
    start_time_.Add({}).Set(stats->start_time_seconds);
    virtual_.Add({}).Set(static_cast<double>(stats->virtual_bytes));
    resident_.Add({}).Set(static_cast<double>(stats->resident_bytes));
    peak_.Add({}).Set(static_cast<double>(stats->peak_resident_bytes));
    threads_.Add({}).Set(static_cast<double>(stats->threads));
    fds_.Add({}).Set(static_cast<double>(stats->open_fds));
    max_fds_.Add({}).Set(static_cast<double>(stats->max_fds));
  }

  Mutex mutex_;  // one scrape at a time brings the readings up to date
  std::function<Readings()> readings_ GUARDED_BY(mutex_);
  prometheus::Family<Gauge>& connections_ =
      NewGauge(registry_, "gpu_monitoring_http_connections", "Client connections open now.");
  prometheus::Family<Gauge>& in_flight_ =
      NewGauge(registry_, "gpu_monitoring_http_in_flight", "Requests being answered now.");
  prometheus::Family<Gauge>& stream_clients_ =
      NewGauge(registry_, "gpu_monitoring_stream_clients", "Clients that follow the stream now.");
  prometheus::Family<Counter>& refused_ =
      NewCounter(registry_, "http_refused_total",
                 "Requests refused before any route: malformed, too large, too slow, too many.");
  prometheus::Family<Counter>& log_lines_dropped_ =
      NewCounter(registry_, "log_lines_dropped_total",
                 "Lines of the log that nobody took from standard error in time.");
  prometheus::Family<Gauge>& ages_ = NewGauge(registry_, "gpu_monitoring_snapshot_age_seconds",
                                              "Age of the newest snapshot, by part.");
  prometheus::Family<Gauge>& rows_ =
      NewGauge(registry_, "gpu_monitoring_snapshot_rows", "Rows of the newest snapshot, by part.");
  Gauge& uptime_ =
      NewGauge(registry_, "gpu_monitoring_uptime_seconds", "Time since the start.").Add({});
  prometheus::Family<Counter>& cpu_ = prometheus::BuildCounter()
                                          .Name("process_cpu_seconds_total")
                                          .Help("User and system CPU time spent.")
                                          .Register(registry_);
  prometheus::Family<Gauge>& start_time_ =
      NewGauge(registry_, "process_start_time_seconds", "Start time, in Unix seconds.");
  prometheus::Family<Gauge>& virtual_ =
      NewGauge(registry_, "process_virtual_memory_bytes", "Virtual memory size.");
  prometheus::Family<Gauge>& resident_ =
      NewGauge(registry_, "process_resident_memory_bytes", "Resident memory size.");
  prometheus::Family<Gauge>& peak_ = NewGauge(registry_, "process_resident_memory_max_bytes",
                                              "Largest resident memory size since the start.");
  prometheus::Family<Gauge>& threads_ = NewGauge(registry_, "process_threads", "Threads.");
  prometheus::Family<Gauge>& fds_ =
      NewGauge(registry_, "process_open_fds", "Open file descriptors.");
  prometheus::Family<Gauge>& max_fds_ =
      NewGauge(registry_, "process_max_fds", "The most file descriptors that may be open.");
};

Metrics::Metrics(const Clock& clock, std::string_view version)
    : families_(std::make_unique<Families>(clock, version)) {}

Metrics::~Metrics() = default;

void Metrics::CountRequest(std::string_view route, std::string_view method, int status,
                           double seconds) {
  const std::string_view pattern = route.empty() ? "none" : route;
  const std::string code = status >= 100 && status <= 599 ? std::to_string(status) : "other";
  families_->requests.At({pattern, KnownMethod(method), code}).Increment();
  families_->request_seconds.At({pattern}).Observe(Finite(seconds));
}

void Metrics::CountShed(std::string_view reason) {
  families_->sheds.At({reason}).Increment();
}

void Metrics::CountQuery(std::string_view query, std::string_view result, double seconds,
                         std::size_t response_bytes) {
  families_->queries.At({query, result}).Increment();
  families_->query_seconds.At({query}).Observe(Finite(seconds));
  families_->response_bytes.Increment(static_cast<double>(response_bytes));
}

void Metrics::CountRefresh(std::string_view part, std::string_view result, double seconds) {
  families_->refreshes.At({part, result}).Increment();
  families_->refresh_seconds.At({part}).Observe(Finite(seconds));
}

void Metrics::CountDropped(std::string_view reason, std::uint64_t samples) {
  families_->dropped.At({reason}).Increment(static_cast<double>(samples));
}

void Metrics::CountStreamEvent(std::string_view event) {
  families_->stream_events.At({event}).Increment();
}

void Metrics::CountStaleServed() {
  families_->stale_served.Increment();
}

void Metrics::SetReadings(std::function<Readings()> readings) {
  families_->SetReadings(std::move(readings));
}

std::string Metrics::Text() {
  return families_->Text();
}

}  // namespace gpumon::telemetry
