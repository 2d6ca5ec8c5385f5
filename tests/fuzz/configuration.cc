// Options of the server: lines of arguments, `--`, lines NAME=VALUE of the environment, `--`, and a
// YAML file.
#include <string>
#include <string_view>
#include <vector>

#include "internal/config/options.h"
#include "internal/config/server_options.h"
#include "internal/config/yaml_file.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

// Lines up to one that is `--`, which is taken off too.
std::vector<std::string> TakeLines(std::string_view& text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line == "--") break;
    // Options are C strings.
    lines.emplace_back(line.substr(0, line.find('\0')));
  }
  return lines;
}

void RequireOptions(const std::vector<std::string>& arguments,
                    const config::Environment& environment) {
  static const config::Rows kRows = config::ServerOptionRows();
  const auto values = config::Parse(kRows, arguments, environment);
  if (!values) {
    RequireMessage(values.error().message);
    return;
  }
  if (values->help_wanted() || values->version_wanted()) return;
  const auto config = config::MakeServerConfig(*values, environment);
  if (!config) {
    RequireMessage(config.error().message);
    return;
  }
  Require(!config->prometheus_urls.empty(), "there is a Prometheus to ask");
  Require(config->threads >= 1, "there is a thread to serve");
  Require(config->prometheus_timeout <= config->request_timeout, "one deadline holds the other");
}

}  // namespace

void Configuration(std::string_view input) {
  const std::vector<std::string> arguments = TakeLines(input);
  config::Environment environment;
  for (const std::string& line : TakeLines(input)) {
    const std::size_t sign = line.find('=');
    if (sign != std::string::npos) environment[line.substr(0, sign)] = line.substr(sign + 1);
  }
  RequireOptions(arguments, environment);
  const std::string file(input);
  for (const char* section : {"", "health"}) {
    const auto values = *section == '\0' ? config::ParseYaml(file, "c.yaml")
                                         : config::ParseYamlSection(file, "c.yaml", section);
    if (!values) RequireMessage(values.error().message);
  }
}

}  // namespace gpumon::fuzz
