// Runs the README's commands against a demo fleet: what they print has the shape of what the
// README shows. GPUMON_UPDATE_DOCS=1 pastes today's output.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "internal/json/document.h"
#include "tests/e2e/programs.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

const std::string kReadme = GPUMON_SOURCE_DIR "/README.md";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// One ```console block: a command behind "$ " and what it printed.
struct Example {
  std::string command;
  std::string output;
  std::size_t begin = 0;  // of the output in the README
};

std::vector<Example> Examples(const std::string& readme) {
  constexpr std::string_view kOpen = "```console\n$ ";
  std::vector<Example> examples;
  for (std::size_t at = readme.find(kOpen); at != std::string::npos;
       at = readme.find(kOpen, at + 1)) {
    const std::size_t command = at + kOpen.size();
    const std::size_t output = readme.find('\n', command) + 1;
    const std::size_t end = readme.find("```\n", output);
    examples.push_back({readme.substr(command, output - command - 1),
                        readme.substr(output, end - output), output});
  }
  return examples;
}

void Replace(const std::string& what, const std::string& with, std::string& text) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

std::string Output(std::string command, std::uint16_t port) {
  Replace("localhost:8080", "127.0.0.1:" + std::to_string(port), command);
  Replace("build/bin/gpuctl", CtlProgram(), command);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> chunk{};
  while (const std::size_t n = fread(chunk.data(), 1, chunk.size(), pipe.get())) {
    output.append(chunk.data(), n);
  }
  // As a reader sees it.
  Replace("http://127.0.0.1:" + std::to_string(port), "http://localhost:8080", output);
  if (!output.empty() && output.back() != '\n') output += '\n';
  std::erase(output, '\r');
  return output;
}

// Keys and types without values; the first element stands for all of a list.
std::string Shape(const json::Value& value) {
  switch (value.type()) {
    case json::Value::Type::kObject: {
      std::string shape = "{";
      for (const auto& [name, member] : value.members()) shape += name + ':' + Shape(member) + ' ';
      return shape + '}';
    }
    case json::Value::Type::kArray:
      return value.size() == 0 ? "[]" : '[' + Shape(value[0]) + ']';
    case json::Value::Type::kNull:
      return "null";
    case json::Value::Type::kBool:
      return *value.AsBool() ? "true" : "false";
    case json::Value::Type::kNumber:
      return "number";
    case json::Value::Type::kString:
      return "text";
  }
  return "";
}

// The names of columns, and how many columns each row has. Empty: it is no CSV.
std::string CsvForm(const std::string& text) {
  const std::size_t end = text.find('\n');
  const std::string names = text.substr(0, end);
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyz0123456789_,";
  if (end == std::string::npos || names.find(',') == std::string::npos ||
      names.find_first_not_of(kOfNames) != std::string::npos) {
    return "";
  }
  std::string form = names;
  std::size_t commas = 0;
  bool quoted = false;
  for (const char c : text.substr(end + 1)) {
    if (c == '"') quoted = !quoted;
    commas += c == ',' && !quoted ? 1U : 0U;
    if (c != '\n' || quoted) continue;
    form += ' ' + std::to_string(commas);
    commas = 0;
  }
  return form;
}

// Text with each number as one 0: a table of other values has the same form.
std::string Form(const std::string& text) {
  const auto json = json::ParseDocument(text);
  if (json) return Shape(*json);
  if (std::string csv = CsvForm(text); !csv.empty()) return csv;
  std::string form;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || form.empty() || form.back() != '0') form += digit ? '0' : c;
  }
  return form;
}

TEST(ReadmeTest, ItsCommandsPrintWhatItShows) {
  Exporter exporter({"--nodes", "4", "--gpus-per-node", "8", "--seed", "1"});
  const auto prometheus = Prometheus::Scraping(exporter.port(), false);
  const auto scraped = [&] {
    return prometheus->Query("nvidia_gpu_process_cpu_percent", std::to_string(std::time(nullptr)))
               .size() > 0;
  };
  ASSERT_TRUE(process::WaitUntil(scraped, Millis(20'000)));
  ApiServer server(prometheus->url(),
                   {{"CORS_ALLOWED_ORIGINS", "https://dash.example"}, {"DEBUG_ENDPOINTS", "true"}});
  ASSERT_TRUE(server.AwaitReady());
  std::string readme = ReadFile(kReadme);
  auto examples = Examples(readme);
  ASSERT_GE(examples.size(), 6U);
  const bool update = std::getenv("GPUMON_UPDATE_DOCS") != nullptr;
  for (auto example = examples.rbegin(); example != examples.rend(); ++example) {
    const std::string output = Output(example->command, server.port());
    if (update) {
      readme.replace(example->begin, example->output.size(), output);
    } else {
      EXPECT_EQ(Form(output), Form(example->output)) << "$ " << example->command << '\n' << output;
    }
  }
  if (update) std::ofstream(kReadme) << readme;
}

}  // namespace
}  // namespace gpumon::e2e
