#include "cmd/gpu-demo-peers/gpud_host.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>

#include "cmd/gpu-demo-peers/gpud_metrics.h"
#include "internal/base/text.h"
#include "internal/exporter/curves.h"
#include "internal/exporter/families.h"

namespace gpumon::demo {
namespace {

using exporter::FleetState;
using exporter::GpuState;
using exporter::Trait;

constexpr std::string_view kXidComponent = "accelerator-nvidia-error-xid";

struct Finding {
  std::string_view health = "Healthy";
  std::string reason;
  std::string_view action;  // "": none
};

struct Component {
  std::string_view name;
  Finding (*judge)(const FleetState&, std::size_t node);
};

std::string Checked(const FleetState& state, std::size_t node, std::string_view what) {
  return "all " + std::to_string(GpusOf(state, node).size()) + " GPU(s) were checked, no " +
         std::string(what) + " issue found";
}

// As GPUd names a GPU in its sentences.
std::string PciOf(const GpuState& gpu) {
  return "PCI:" + exporter::PciBusId(gpu);
}

const GpuState* WithTrait(const FleetState& state, std::size_t node, Trait trait) {
  for (const GpuState* const gpu : GpusOf(state, node)) {
    if (gpu->trait == trait) return gpu;
  }
  return nullptr;
}

Finding JudgeXid(const FleetState& state, std::size_t node) {
  const GpuState* const gpu = WithTrait(state, node, Trait::kXid);
  if (gpu == nullptr) return {"Healthy", "no XID error found (demo)", ""};
  const int code =
      static_cast<int>(exporter::GpuReading(state, *gpu, "nvidia_gpu_xid_last").value_or(0));
  return {"Degraded",
          "XID " + std::to_string(code) + " detected on GPU " + PciOf(*gpu) +
              " UUID:" + exporter::UuidText(*gpu) + " (demo)",
          "CHECK_USER_APP_AND_GPU"};
}

Finding JudgeCount(const FleetState& state, std::size_t node) {
  const std::size_t expected = state.nodes[node].spec->traits.size();
  const std::size_t found = GpusOf(state, node).size();
  std::string reason =
      "found " + std::to_string(found) + " of " + std::to_string(expected) + " GPU(s) (demo)";
  if (found == expected) return {"Healthy", std::move(reason), ""};
  return {"Unhealthy", std::move(reason), "REBOOT_SYSTEM"};
}

Finding JudgeSlowdown(const FleetState& state, std::size_t node) {
  for (const GpuState* const gpu : GpusOf(state, node)) {
    if (!gpu->throttles) continue;
    return {"Degraded", "thermal slowdown of GPU " + exporter::UuidText(*gpu) + " (demo)", ""};
  }
  return {"Healthy", Checked(state, node, "hw slowdown"), ""};
}

Finding JudgeTemperature(const FleetState& state, std::size_t node) {
  return {"Healthy", Checked(state, node, "temperature"), ""};
}
Finding JudgeEcc(const FleetState& state, std::size_t node) {
  return {"Healthy", Checked(state, node, "ecc"), ""};
}
Finding Ok(const FleetState&, std::size_t) {
  return {"Healthy", "ok (demo)", ""};
}

constexpr std::array kComponents = {
    Component{"accelerator-nvidia-ecc", JudgeEcc},
    Component{kXidComponent, JudgeXid},
    Component{"accelerator-nvidia-gpu-counts", JudgeCount},
    Component{"accelerator-nvidia-hw-slowdown", JudgeSlowdown},
    Component{"accelerator-nvidia-temperature", JudgeTemperature},
    Component{"cpu", Ok},
    Component{"disk", Ok},
    Component{"memory", Ok},
    Component{"os", Ok},
};

// ?components=a,b; all where it is not given.
std::function<bool(std::string_view)> Wanted(const Question& question) {
  const std::string list = ',' + std::string(question.Find("components")) + ',';
  return [list](std::string_view component) {
    return list == ",," || list.find(',' + std::string(component) + ',') != std::string::npos;
  };
}

// The first node with a GPU of that trait.
std::size_t NodeToTellOf(const exporter::Fleet& fleet) {
  const auto& nodes = fleet.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& traits = nodes[i].traits;
    if (std::find(traits.begin(), traits.end(), Trait::kXid) != traits.end()) return i;
  }
  return 0;
}

Answer Json(json::Writer& out) {
  return {.status = 200, .body = out.Take()};
}

// Every error that the fleet's GPU reported from `since` to `now`; of many the last ones.
void PutXids(json::Writer& out, const exporter::Fleet& fleet, std::size_t node, WallTime since,
             WallTime now) {
  constexpr int kMost = 50;
  constexpr std::chrono::seconds kEvery(exporter::kXidEverySeconds);
  const WallTime start{std::chrono::seconds(exporter::kFleetStart)};
  const auto last = (now - start) / kEvery;
  for (auto tick = last - Looks(fleet, kMost) + 1; tick <= last; ++tick) {
    const WallTime at = start + tick * kEvery;
    if (tick < 1 || at < since) continue;
    const FleetState state = fleet.At(at);
    const GpuState* const gpu = WithTrait(state, node, Trait::kXid);
    if (gpu == nullptr) return;
    const auto code = exporter::GpuReading(state, *gpu, "nvidia_gpu_xid_last").value_or(0);
    out.BeginObject();
    Put(out, "time", FormatTime(at));
    Put(out, "name", "error_xid");
    Put(out, "type", "Warning");
    Put(out, "message",
        "XID " + std::to_string(static_cast<int>(code)) + "(made up for the demo) detected on " +
            PciOf(*gpu));
    out.EndObject();
  }
}

}  // namespace

GpudHost::GpudHost(const exporter::Fleet& fleet) : fleet_(fleet), node_(NodeToTellOf(fleet)) {}

std::vector<Row> GpudHost::Rows() const {
  return {
      {"GET", "/healthz",
       [](const Question&) {
         return Answer{.status = 200, .body = R"({"status":"ok","version":"v1","demo":true})"};
       }},
      {"GET", "/machine-info", [this](const Question& question) { return MachineInfo(question); }},
      {"GET", "/v1/components", [this](const Question& question) { return Components(question); }},
      {"GET", "/v1/states", [this](const Question& question) { return States(question); }},
      {"GET", "/v1/events", [this](const Question& question) { return Events(question); }},
      {"GET", "/v1/metrics", [this](const Question& question) { return Metrics(question); }},
  };
}

Answer GpudHost::MachineInfo(const Question& question) const {
  const FleetState state = fleet_.At(question.now);
  const exporter::NodeSpec& spec = *state.nodes[node_].spec;
  json::Writer out;
  out.BeginObject();
  Put(out, "demo", "true");
  Put(out, "gpudVersion", "v0.5.1");
  Put(out, "gpuDriverVersion", exporter::kDriverVersion);
  Put(out, "cudaVersion", exporter::kCudaVersion);
  Put(out, "kernelVersion", "6.8.0-71-generic");
  Put(out, "osImage", "Ubuntu 24.04.3 LTS");
  Put(out, "operatingSystem", "linux");
  Put(out, "hostname", spec.name);
  Put(out, "uptime", FormatTime(WallTime(std::chrono::seconds(exporter::kFleetStart))));
  out.Key("gpuInfo");
  out.BeginObject();
  Put(out, "product", spec.model->name);
  Put(out, "manufacturer", "NVIDIA");
  Put(out, "memory", std::to_string(spec.model->memory_mib) + "Mi");
  out.Key("gpus");
  out.BeginArray();
  for (const GpuState* const gpu : GpusOf(state, node_)) {
    out.BeginObject();
    Put(out, "uuid", exporter::UuidText(*gpu));
    Put(out, "busID", exporter::PciBusId(*gpu));
    Put(out, "minorID", std::to_string(gpu->index));
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  out.EndObject();
  return Json(out);
}

Answer GpudHost::Components(const Question&) const {
  json::Writer out;
  out.BeginArray();
  for (const Component& component : kComponents) out.String(component.name);
  out.EndArray();
  return Json(out);
}

Answer GpudHost::States(const Question& question) const {
  const FleetState state = fleet_.At(question.now);
  const auto wanted = Wanted(question);
  json::Writer out;
  out.BeginArray();
  for (const Component& component : kComponents) {
    if (!wanted(component.name)) continue;
    const Finding finding = component.judge(state, node_);
    out.BeginObject();
    Put(out, "component", component.name);
    PutMark(out);
    out.Key("states");
    out.BeginArray();
    out.BeginObject();
    Put(out, "time", FormatTime(std::chrono::floor<std::chrono::minutes>(question.now)));
    Put(out, "component", component.name);
    Put(out, "name", component.name);
    Put(out, "health", finding.health);
    Put(out, "reason", finding.reason);
    if (!finding.action.empty()) {
      out.Key("suggested_actions");
      out.BeginObject();
      Put(out, "description", "");
      out.Key("repair_actions");
      out.BeginArray();
      out.String(finding.action);
      out.EndArray();
      out.EndObject();
    }
    out.EndObject();
    out.EndArray();
    out.EndObject();
  }
  out.EndArray();
  return Json(out);
}

Answer GpudHost::Events(const Question& question) const {
  WallTime since = question.now;
  if (const std::string_view text = question.Find("startTime"); !text.empty()) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || seconds < 0) {
      return {.status = 400,
              .body = R"({"code":{},"message":"failed to parse time: strconv.ParseInt: invalid )"
                      R"(syntax","demo":true})"};
    }
    since = WallTime(std::chrono::seconds(std::min(seconds, std::int64_t{1} << 40U)));
  }
  const auto wanted = Wanted(question);
  json::Writer out;
  out.BeginArray();
  for (const Component& component : kComponents) {
    if (!wanted(component.name)) continue;
    out.BeginObject();
    Put(out, "component", component.name);
    PutMark(out);
    Put(out, "startTime", FormatTime(since));
    Put(out, "endTime", FormatTime(question.now));
    out.Key("events");
    if (component.name == kXidComponent) {
      out.BeginArray();
      PutXids(out, fleet_, node_, since, question.now);
      out.EndArray();
    } else {
      out.Null();
    }
    out.EndObject();
  }
  out.EndArray();
  return Json(out);
}

Answer GpudHost::Metrics(const Question& question) const {
  json::Writer out;
  out.BeginArray();
  PutMetrics(out, fleet_, node_, question.now, Wanted(question));
  out.EndArray();
  return Json(out);
}

}  // namespace gpumon::demo
