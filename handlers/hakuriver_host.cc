#include "handlers/hakuriver_host.h"

#include <cstdlib>

namespace gpumon::handlers {
namespace {

using hakuriver::Client;
using hakuriver::Stream;

// Logs are large.
SharingOptions Fewer(SharingOptions options) {
  constexpr std::size_t kMostLogs = 16;
  options.most = kMostLogs;
  return options;
}

// Reads what LogKey wrote.
hakuriver::LogQuestion LogOf(const std::string& key) {
  const std::size_t first = key.find(' ');
  const std::size_t second = key.find(' ', first + 1);
  hakuriver::LogQuestion question;
  question.stream = key.starts_with("stdout") ? Stream::kStdout : Stream::kStderr;
  question.lines = std::strtoull(key.c_str() + first + 1, nullptr, 10);
  question.id = key.substr(second + 1);
  question.most_bytes = HakuRiverHost::kMostLogBytes;
  return question;
}

}  // namespace

std::string HakuRiverHost::LogKey(Stream stream, const std::string& id, std::size_t lines) {
  return std::string(stream == Stream::kStdout ? "stdout " : "stderr ") + std::to_string(lines) +
         ' ' + id;
}

HakuRiverHost::HakuRiverHost(Client& client, const Clock& clock, const HakuRiverOptions& options)
    : nodes(clock, options.sharing,
            [&client](const auto&, Deadline deadline, auto got) {
              client.GetNodes(deadline, std::move(got));
            }),
      health(clock, options.sharing,
             [&client](const auto&, Deadline deadline, auto got) {
               client.GetHealth({}, deadline, std::move(got));
             }),
      tasks(clock, options.sharing,
            [&client](const std::string& status, Deadline deadline, auto got) {
              client.GetTasks({.status = status, .limit = kMostTasks}, deadline, std::move(got));
            }),
      vps(clock, options.sharing,
          [&client](const std::string& scope, Deadline deadline, auto got) {
            client.GetVps(
                scope == kAllVps ? hakuriver::VpsScope::kAll : hakuriver::VpsScope::kActive,
                deadline, std::move(got));
          }),
      task(clock, options.sharing,
           [&client](const std::string& id, Deadline deadline, auto got) {
             client.GetTask(id, deadline, std::move(got));
           }),
      log(clock, Fewer(options.sharing),
          [&client](const std::string& key, Deadline deadline, auto got) {
            client.GetLog(LogOf(key), deadline, std::move(got));
          }),
      commands_(options.commands) {}

}  // namespace gpumon::handlers
