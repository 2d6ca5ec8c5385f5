#include "cmd/gpuctl/haku_config.h"

#include <fstream>
#include <string_view>

namespace gpumon::ctl {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) + 1 - first));
}

// Of a basic or literal string, or a bare word, without the comment behind it.
std::string ValueOf(std::string_view text) {
  std::string value = Trimmed(text);
  if (!value.empty() && (value[0] == '"' || value[0] == '\'')) {
    const std::size_t end = value.find(value[0], 1);
    return end == std::string::npos ? std::string() : value.substr(1, end - 1);
  }
  return Trimmed(std::string_view(value).substr(0, value.find('#')));
}

}  // namespace

Result<std::string> HakuUrlOfConfig(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path);
  if (!file) {
    return Error(Code::kInvalidParameter,
                 "HakuRiver's configuration file " + path + " cannot be read");
  }
  std::string section;
  std::string host;
  std::string port = "8000";
  for (std::string line; std::getline(file, line);) {
    const std::string text = Trimmed(line);
    if (text.starts_with('[')) section = text.substr(1, text.find(']') - 1);
    const std::size_t equals = text.find('=');
    if (section != "network" || equals == std::string::npos || text[0] == '#') continue;
    const std::string key = Trimmed(std::string_view(text).substr(0, equals));
    const std::string value = ValueOf(std::string_view(text).substr(equals + 1));
    if (key == "host_reachable_address") host = value;
    if (key == "host_port") port = value;
  }
  return host.empty() ? std::string() : "http://" + host + ':' + port;
}

}  // namespace gpumon::ctl
