// Runs the commands that documents show against a demo fleet and what stands around it: what they
// print has the form of what is shown. GPUMON_UPDATE_DOCS=1 pastes today's output.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>

#include "tests/e2e/documents/examples.h"
#include "tests/e2e/documents/world.h"
#include "tests/e2e/programs.h"
#include "tests/fakes/fault/fault_server.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::e2e {
namespace {

void Replace(const std::string& what, const std::string& with, std::string& text) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

class DocumentsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    exporter_ = std::make_unique<Exporter>(
        std::vector<std::string>{"--nodes", "4", "--gpus-per-node", "8", "--seed", "1"});
    prometheus_ = Prometheus::Scraping(exporter_->port(), false);
  }
  static void TearDownTestSuite() {
    prometheus_.reset();
    exporter_.reset();
  }
  static bool AwaitFleet() {
    return process::WaitUntil(
        [] {
          const std::string now = std::to_string(std::time(nullptr));
          return prometheus_->Query("nvidia_gpu_process_cpu_percent", now).size() > 0;
        },
        Millis(20'000));
  }

  // Runs every example of `name`, from the folder of the programs; `localhost:8080` is `server`,
  // and `localhost:8082` is `second`.
  static void ExpectExamples(const std::string& name, std::size_t at_least, const ApiServer& server,
                             const Environment& environment, const ApiServer* second = nullptr) {
    const std::string path = std::string(GPUMON_SOURCE_DIR) + '/' + name;
    std::string document = process::ReadFile(path);
    auto examples = ExamplesOf(document);
    EXPECT_GE(examples.size(), at_least);
    const bool update = std::getenv("GPUMON_UPDATE_DOCS") != nullptr;
    std::reverse(examples.begin(), examples.end());
    for (Example& example : examples) {
      if (second != nullptr) {
        Replace("localhost:8082", "127.0.0.1:" + std::to_string(second->port()), example.command);
      }
      const std::string output = Output(example, server.port(), environment);
      if (update) {
        document.replace(example.begin, example.size, Pasted(example, output));
      } else {
        EXPECT_TRUE(Fits(example, output)) << name << ": $ " << example.command << '\n' << output;
      }
    }
    if (update) std::ofstream(path) << document;
  }

  static std::unique_ptr<Prometheus> prometheus_;

 private:
  static std::string Output(const Example& example, std::uint16_t port, Environment environment) {
    const std::string here = "127.0.0.1:" + std::to_string(port);
    const std::string folder = CtlProgram().substr(0, CtlProgram().rfind('/'));
    std::string command = example.command;
    Replace("localhost:8080", here, command);
    Replace("build/bin/gpuctl", CtlProgram(), command);
    environment.merge(
        Environment{{"PATH", folder + ":/usr/bin:/bin"}, {"GPUCTL_SERVER", "http://" + here}});
    ChildProcess child("/bin/sh", {"-c", "cd " + folder + " && " + command}, environment);
    // One that would go on for ever is ended when all that is shown is there.
    process::WaitUntil(
        [&] {
          const std::string so_far = child.Output();
          const auto lines = std::count(so_far.begin(), so_far.end(), '\n');
          return !child.Running() ||
                 (example.cut && lines >= static_cast<std::ptrdiff_t>(example.lines.size()));
        },
        Millis(60'000));
    child.SignalAll(SIGTERM);
    child.Wait(Millis(10'000));
    std::string output = child.Output();
    // As a reader sees it.
    Replace(here, "localhost:8080", output);
    if (!output.empty() && output.back() != '\n') output += '\n';
    std::erase(output, '\r');
    return output;
  }

  static std::unique_ptr<Exporter> exporter_;
};

std::unique_ptr<Prometheus> DocumentsTest::prometheus_;
std::unique_ptr<Exporter> DocumentsTest::exporter_;

TEST_F(DocumentsTest, CommandsPrintWhatTheReadmeAndThePageOfGpuctlShow) {
  ASSERT_TRUE(AwaitFleet());
  ApiServer server(prometheus_->url(),
                   {{"CORS_ALLOWED_ORIGINS", "https://dash.example"}, {"DEBUG_ENDPOINTS", "true"}});
  ASSERT_TRUE(server.AwaitReady());
  ExpectExamples("README.md", 6, server, {});
  ExpectExamples("docs/GPUCTL.md", 3, server, {});
}

TEST_F(DocumentsTest, CommandLinesOfTheRequirementsPrintWhatTheirRowsShow) {
  ASSERT_TRUE(AwaitFleet());
  const World world(prometheus_->url());
  ApiServer server(prometheus_->url(), world.server_variables());
  ASSERT_TRUE(server.AwaitReady());
  ApiServer second(prometheus_->url(), {{"DSTACK_URL", fault::RefusingUrl()}});
  ASSERT_TRUE(second.AwaitReady());
  ExpectExamples("docs/REQUIREMENTS.md", 30, server, world.command_variables(), &second);
}

}  // namespace
}  // namespace gpumon::e2e
