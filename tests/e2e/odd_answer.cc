#include "tests/e2e/odd_answer.h"

#include <ostream>
#include <utility>

#include "tests/e2e/scripted_fleet.h"

namespace gpumon::e2e {
namespace {

using fault::Reply;
using fault::Request;
using Script = fault::FaultServer::Script;

constexpr char kTemperature[] = "nvidia_gpu_temperature_celsius";
constexpr char kUtilization[] = "nvidia_gpu_utilization_percent";
constexpr char kUsed[] = "nvidia_gpu_used_memory_bytes";

Reply Replaced(Reply reply, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = reply.body.find(from, at)) != std::string::npos; at += to.size()) {
    reply.body.replace(at, from.size(), to);
  }
  return reply;
}

// In the answer that asks for the values of `metric`; "": in every one.
Script Replacing(std::string metric, std::string from, std::string to) {
  return [=](const Request& request) {
    Reply reply = FleetReply(request);
    return metric.empty() || Asks(request, metric) ? Replaced(std::move(reply), from, to) : reply;
  };
}

Script With(std::string members) {
  return Replacing("", R"("status":"success")", R"("status":"success",)" + members);
}

Script Without(std::string metric) {
  return [=](const Request& request) {
    return Asks(request, metric) ? VectorOf("") : FleetReply(request);
  };
}

// Every GPU twice: as another scraper of the same exporter has it.
Reply Doubled(const Request& request) {
  Reply reply = FleetReply(request);
  const std::size_t begin = reply.body.find(R"("result":[)") + 10;
  const std::size_t end = reply.body.rfind("]}}");
  if (begin == 9 + std::string::npos || reply.body.find(R"("gpu":")") == std::string::npos) {
    return reply;
  }
  Reply again;
  again.body = reply.body.substr(begin, end - begin);
  const std::string copy = Replaced(again, R"("metric":{)", R"("metric":{"job":"again",)").body;
  reply.body.insert(end, ',' + copy);
  return reply;
}

// Values that are none, each of every sample of one metric.
std::vector<OddAnswer> OddValues() {
  const auto odd = [](int row, const char* name, const char* to) {
    return OddAnswer{
        row,           name,           Replacing(kTemperature, R"("65")", to), 4, "impossible",
        "temperature", "invalid_value"};
  };
  return {
      odd(24, "NaN", R"("NaN")"),
      odd(24, "Infinity", R"("+Inf")"),
      odd(24, "MinusInfinity", R"("-Inf")"),
      odd(25, "MoreThanADoubleHolds", R"("1e400")"),
      odd(25, "NoText", R"("")"),
      odd(25, "AWord", R"("abc")"),
      odd(25, "ANumberWithoutQuotes", "65"),
      odd(25, "ThreeElements", R"("65","65")"),
      {25, "OneElement", Replacing(kTemperature, R"(,"65")", ""), 4, "impossible", "temperature",
       "invalid_value"},
      {25, "AHistogram", Replacing(kTemperature, R"("value":)", R"("histogram":)"), 4, "impossible",
       "temperature", "invalid_value"},
      {26, "TwoHundredAndFiftyPercent", Replacing(kUtilization, "75.5", "250"), 4,
       "4 impossible values dropped", "utilization", "invalid_value"},
      {26, "NegativeMemory", Replacing(kUsed, "8589934592", "-1"), 4, "4 impossible values dropped",
       "memory_used", "invalid_value"},
      {26, "MoreUsedThanThereIs", Replacing(kUsed, "8589934592", "34359738368"), 4, "impossible",
       "memory_used", "invalid_value"},
      {26, "MoreFreeThanThereIs",
       Replacing("nvidia_gpu_free_memory_bytes", "8589934592", "34359738368"), 4, "impossible",
       "memory_free", "invalid_value"},
  };
}

std::vector<OddAnswer> OddLabels() {
  return {
      {27, "EveryGpuTwice", Doubled, 4, "duplicate series ignored"},
      {28, "NoNode", Replacing("", R"(,"node":"n0")", ""), 4, "without a node label"},
      {28, "AnEmptyNode", Replacing("", R"("node":"n0")", R"("node":"")"), 4,
       "without a node label"},
      {28, "NoGpu", Replacing("", R"("gpu":"1",)", ""), 2, "without a GPU label dropped"},
      {28, "AnEmptyGpu", Replacing("", R"("gpu":"1")", R"("gpu":"")"), 2,
       "without a GPU label dropped"},
      {28, "AGpuThatIsAWord", Replacing("", R"("gpu":"1")", R"("gpu":"abc")"), 4, ""},
      {28, "ANegativeGpu", Replacing("", R"("gpu":"1")", R"("gpu":"-1")"), 4, ""},
      {28, "AGpuWithZerosInFront", Replacing("", R"("gpu":"1")", R"("gpu":"001")"), 4, ""},
      {28, "AGpuBeyond32Bits", Replacing("", R"("gpu":"1")", R"("gpu":"4294967296")"), 4, ""},
      {29, "Hostname", Replacing("", R"("node")", R"("Hostname")"), 4, ""},
      {29, "ExportedNode", Replacing("", R"("node")", R"("exported_node")"), 4, ""},
      {29, "GpuId", Replacing("", R"("gpu")", R"("gpu_id")"), 4, ""},
  };
}

std::vector<OddAnswer> OddWholes() {
  return {
      {30, "OneMetricAbsent", Without(kTemperature), 4, kTemperature, "temperature",
       "not_exported"},
      {31, "NothingAtAll",
       [](const Request& request) { return IsProbe(request) ? FleetReply(request) : VectorOf(""); },
       0, "Prometheus has no series of a known GPU exporter"},
      {32, "AWarning", With(R"("warnings":["store-gateway \u0007 is away"])"), 4, "store-gateway"},
      {32, "AnInfo", With(R"("infos":["a metric might not be a counter"])"), 4,
       "might not be a counter"},
      {32, "IsPartial", With(R"("isPartial":true)"), 4, "partial", "", "", true},
      {33, "CutByALimit", With(R"("warnings":["results truncated due to limit"])"), 4,
       "results truncated due to limit"},
  };
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const OddAnswer& answer) {
  return out << answer.name;
}

std::vector<OddAnswer> OddAnswers() {
  std::vector<OddAnswer> all;
  for (auto& part : {OddValues(), OddLabels(), OddWholes()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace gpumon::e2e
