#include "cmd/gpuctl/check_scope.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/fetch/client.h"
#include "internal/fetch/url.h"

namespace gpumon::ctl {
namespace {

constexpr std::string_view kOff = "off";

bool IsOff(const std::vector<std::string>& list) {
  return list.size() == 1 && list.front() == kOff;
}

// What the option says where it is given; else the preset's.
std::vector<std::string> ListOf(const config::Values& values, std::string_view flag,
                                const std::vector<std::string>& preset) {
  if (!values.Given(flag)) return preset;
  const std::vector<std::string>& list = values.List(flag);
  return IsOff(list) ? std::vector<std::string>() : list;
}

std::optional<gpumon::Status> AddTargets(const config::Values& values, const checks::KindRow& kind,
                                         const checks::Preset& preset,
                                         std::vector<checks::Target>& targets) {
  const std::string flag = "--" + std::string(kind.word);
  if (!values.Given(flag)) {
    std::copy_if(preset.targets.begin(), preset.targets.end(), std::back_inserter(targets),
                 [&](const checks::Target& target) { return target.kind == kind.kind; });
    return std::nullopt;
  }
  if (IsOff(values.List(flag))) return std::nullopt;
  for (const std::string& text : values.List(flag)) {
    auto target = checks::ParseTarget(kind.kind, text);
    if (!target) return values.Refuse(flag, target.error().message);
    targets.push_back(*std::move(target));
  }
  return std::nullopt;
}

Result<std::shared_ptr<fetch::Client>> MakeClient(const std::shared_ptr<const Clock>& clock,
                                                  Millis timeout) {
  fetch::ClientOptions options;
  options.connect_timeout = timeout;
  auto made = fetch::MakeClient(options, *clock);
  if (!made) return Error(made.error());
  // A check that does not end in time keeps the client, and so the clock.
  return std::shared_ptr<fetch::Client>(made->release(),
                                        [clock](fetch::Client* client) { delete client; });
}

}  // namespace

Result<checks::Scope> MakeCheckScope(const config::Values& values,
                                     const std::shared_ptr<const Clock>& clock) {
  const checks::Preset& preset = *checks::FindPreset(values.Text("--preset"));
  checks::Scope scope;
  for (const checks::KindRow& kind : checks::Kinds()) {
    if (auto wrong = AddTargets(values, kind, preset, scope.targets)) {
      return Error(*std::move(wrong));
    }
  }
  scope.containers = ListOf(values, "--containers", preset.containers);
  scope.config_files = ListOf(values, "--config-files", preset.config_files);
  scope.config_dir = values.Text("--config-dir");
  scope.docker.address = checks::ParseDockerHost(values.Text("--docker-host"));
  scope.docker.logs = values.Bool("--verbose");
  scope.postgres.user = values.Text("--postgres-user");
  scope.postgres.database = values.Text("--postgres-database");
  scope.postgres.password_file = values.Text("--postgres-pass-file");
  scope.redis.user = values.Text("--redis-user");
  scope.redis.password_file = values.Text("--redis-pass-file");
  scope.slow_after = values.Duration("--slow-after");
  scope.gpu.all_smi_url = values.Text("--all-smi");
  if (!scope.gpu.all_smi_url.empty() && !fetch::IsHttpUrl(scope.gpu.all_smi_url)) {
    return Error(values.Refuse("--all-smi", "is no URL"));
  }
  auto client = MakeClient(clock, std::chrono::seconds(values.Integer("--timeout")));
  if (!client) return Error(client.error());
  scope.client = *std::move(client);
  return scope;
}

}  // namespace gpumon::ctl
