// The HakuRiver host of HAKURIVER_URL: one question for all who ask the same.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/shared_answers.h"
#include "internal/base/clock.h"
#include "internal/gpu/command.h"
#include "internal/hakuriver/client.h"

namespace gpumon::handlers {

// What a host is called in answers: its URL is nobody's business.
inline constexpr std::string_view kHakuRiverName = "the HakuRiver host";

struct HakuRiverOptions {
  SharingOptions sharing;
  gpu::CommandStyle commands = gpu::CommandStyle::kRedacted;
};

// Thread-safe. Nothing here changes anything on the host.
class HakuRiverHost {
 public:
  // Both must outlive it, and questions under way.
  HakuRiverHost(hakuriver::Client& client, const Clock& clock, const HakuRiverOptions& options);

  gpu::CommandStyle commands() const { return commands_; }

  SharedAnswers<std::vector<hakuriver::Node>> nodes;  // ""
  SharedAnswers<hakuriver::Health> health;            // "", with the last minute
  SharedAnswers<hakuriver::TaskList> tasks;           // a status, or "" for all
  SharedAnswers<std::vector<hakuriver::Vps>> vps;     // kActiveVps or kAllVps
  SharedAnswers<hakuriver::Task> task;                // its id
  SharedAnswers<hakuriver::Log> log;                  // LogKey

  static constexpr const char* kActiveVps = "active";
  static constexpr const char* kAllVps = "all";
  // The last `lines` lines; 0 for all.
  static std::string LogKey(hakuriver::Stream stream, const std::string& id, std::size_t lines);

  // More are left out, with a warning.
  static constexpr std::size_t kMostTasks = 1000;
  static constexpr std::size_t kMostLogBytes = std::size_t{1} << 20U;

 private:
  const gpu::CommandStyle commands_;
};

}  // namespace gpumon::handlers
