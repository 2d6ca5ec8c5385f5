#include "internal/checks/texts.h"

#include <fstream>
#include <sstream>

namespace gpumon::checks {

std::string TextOf(const json::Value& value) {
  return value.AsString() == nullptr ? std::string() : *value.AsString();
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(text);
  return out;
}

std::string ReadProcFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace gpumon::checks
