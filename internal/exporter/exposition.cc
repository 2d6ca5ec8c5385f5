#include "internal/exporter/exposition.h"

#include <charconv>
#include <cmath>

#include "internal/base/text.h"

namespace gpumon::exporter {
namespace {

void AppendName(std::string& block, std::string_view name) {
  if (!block.empty()) block += ',';
  block += name;
  block += "=\"";
}

}  // namespace

void AppendLabel(std::string& block, std::string_view name, std::string_view value) {
  AppendName(block, name);
  for (const char c : value) {
    switch (c) {
      case '\\':
        block += "\\\\";
        break;
      case '"':
        block += "\\\"";
        break;
      case '\n':
        block += "\\n";
        break;
      default:
        block += c;
    }
  }
  block += '"';
}

void AppendLabel(std::string& block, std::string_view name, std::int64_t value) {
  char text[24];
  AppendName(block, name);
  block.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  block += '"';
}

void Exposition::Begin(const Family& family) {
  name_ = family.name;
  out_ += "# HELP ";
  out_ += family.name;
  out_ += ' ';
  out_ += family.help;
  out_ += "\n# TYPE ";
  out_ += family.name;
  out_ += family.type == MetricType::kCounter ? " counter\n" : " gauge\n";
}

void Exposition::Sample(std::string_view labels, std::string_view more, double value) {
  out_ += name_;
  if (!labels.empty() || !more.empty()) {
    out_ += '{';
    out_ += labels;
    if (!labels.empty() && !more.empty()) out_ += ',';
    out_ += more;
    out_ += '}';
  }
  out_ += ' ';
  constexpr double kExact = 9007199254740992.0;  // 2^53: every whole number below is exact
  if (std::abs(value) < kExact && value == std::floor(value)) {
    char text[24];
    out_.append(text,
                std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value)).ptr);
  } else {
    out_ += FormatNumber(value);
  }
  out_ += '\n';
}

}  // namespace gpumon::exporter
