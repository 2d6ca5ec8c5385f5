#include <algorithm>
#include <charconv>
#include <ostream>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/gpud_places.h"
#include "cmd/gpuctl/health.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/ssh_client.h"
#include "internal/config/address.h"

namespace gpumon::ctl {
namespace {

constexpr std::uint16_t kGpudPort = 15132;

// "https://HOST[:PORT]"; the scheme is only a word here, both are tried.
Result<GpudPlace> PlaceOf(std::string url) {
  const Status wrong{Code::kInvalidParameter, "has " + url + ", which is no address of a GPUd"};
  while (url.ends_with('/')) url.pop_back();
  if (config::CheckUrl(url) || config::HasUserInfo(url)) {
    return Error(Code::kInvalidParameter, "has something that is no address of a GPUd");
  }
  std::string host = url.substr(url.find("://") + 3);
  if (host.find('/') != std::string::npos) return Error(wrong);
  GpudPlace place{{}, host, kGpudPort};
  const std::size_t colon = host.rfind(':');
  if (colon == std::string::npos || host.ends_with(']')) return place;
  const char* const end = host.data() + host.size();
  if (std::from_chars(host.data() + colon + 1, end, place.port).ptr != end) return Error(wrong);
  place.bind = host.substr(0, colon);
  return place;
}

// Events are of the time since; without one GPUd tells of none.
std::string TargetOf(const std::string& path) {
  if (!path.starts_with("/v1/events") || path.find("startTime=") != std::string::npos) return path;
  const auto since = SystemClock().Wall() - std::chrono::hours(24);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count();
  return path + (path.find('?') == std::string::npos ? "?" : "&") +
         "startTime=" + std::to_string(seconds);
}

bool IsTarget(const std::string& path) {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

struct Flow {
  std::string name_space;  // "" for a host
  std::string name;
};
Flow FlowOf(const config::Values& values, std::string_view unnamed) {
  const std::string& task = values.Text("--task");
  const std::size_t slash = task.find('/');
  if (slash != std::string::npos) return {task.substr(0, slash), task.substr(slash + 1)};
  return {"", task.empty() ? std::string(unnamed) : task};
}

std::string ListsPods(const Flow& flow) {
  return "kubectl get pods -n " + flow.name_space + " lists the pods of " + flow.name;
}

}  // namespace

Result<std::vector<GpudPlace>> GpudPlacesOf(const config::Values& values) {
  std::vector<GpudPlace> places;
  const auto& urls = values.List("--gpud-url");
  const auto& hosts = values.List("--via");
  if (!urls.empty() && !hosts.empty()) {
    return Error(values.Refuse("--gpud-url", "does not go with --via", "one of the two"));
  }
  for (const std::string& url : urls) {
    auto place = PlaceOf(url);
    if (!place) return Error(values.Refuse("--gpud-url", place.error().message));
    places.push_back(*std::move(place));
  }
  auto bind = config::ParseHost(values.Text("--gpud-bind"));
  if (!bind) return Error(values.Refuse("--gpud-bind", bind.error().message));
  const auto port = static_cast<std::uint16_t>(values.Integer("--gpud-port"));
  for (const std::string& host : hosts) {
    auto way = ParseSshHost(host);
    if (!way) return Error(values.Refuse("--via", way.error().message));
    way->config_file = values.Text("--ssh-config");
    places.push_back({*std::move(way), *bind, port});
  }
  if (places.empty()) places.push_back({{}, *std::move(bind), port});
  return places;
}

int RunGpudGet(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto end = [&err](const Status& why, int code) {
    PrintError(why.message, err);
    return code;
  };
  const std::string& path = values.Text("--path");
  if (path.empty()) {
    return end({Code::kInvalidParameter,
                "gpud get needs a path: /v1/states, /v1/events, /v1/metrics, /v1/info, "
                "/v1/components, /machine-info, /healthz or /metrics; see gpuctl gpud get --help"},
               kUsage);
  }
  if (!IsTarget(path)) {
    return end(values.Refuse("--path", "is nothing that GPUd has",
                             "a path such as /v1/states, /v1/events or /machine-info"),
               kUsage);
  }
  const auto places = GpudPlacesOf(values);
  if (!places) return end(places.error(), kUsage);
  if (places->size() > 1) {
    return end(values.Refuse(values.Given("--via") ? "--via" : "--gpud-url", "has several",
                             "one: answers of several cannot be told apart"),
               kUsage);
  }
  const auto body = [&] {
    const Progress progress(err, "asking the GPUd of " + places->front().name());
    return AskGpudRaw(places->front(), TargetOf(path), values.Duration("--timeout"));
  }();
  if (!body) return end(body.error(), kNoAnswer);
  PrintForeign(*body, out);
  if (!body->ends_with('\n')) out << '\n';
  return kWell;
}

int RunFlowSsh(const config::Values& values, std::ostream&, std::ostream& err) {
  const Flow flow = FlowOf(values, "HOST");
  const std::string step = flow.name_space.empty()
                               ? "ssh " + flow.name +
                                     " does, and gpuctl gpud get /v1/states --via " + flow.name +
                                     " asks its GPUd"
                               : ListsPods(flow) + ", and kubectl exec -n " + flow.name_space +
                                     " -it POD -- COMMAND runs in one";
  PrintError("gpuctl opens no shell; " + step, err);
  return kUsage;
}

int RunFlowLogs(const config::Values& values, std::ostream&, std::ostream& err) {
  const Flow flow = FlowOf(values, "HOST");
  const std::string step =
      flow.name_space.empty()
          ? "ssh " + flow.name + " journalctl -u gpud -u flow-metrics-streamer prints a host's"
          : ListsPods(flow) + ", and kubectl logs -n " + flow.name_space + " POD prints one's";
  PrintError("gpuctl keeps no logs; " + step, err);
  return kUsage;
}

}  // namespace gpumon::ctl
