// What shells complete, and the manual pages.
#include "cmd/gpuctl/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "cmd/gpuctl/man.h"
#include "tests/cmd/gpuctl/tmux.h"
#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

using process::Finished;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What bash would offer behind these words.
std::string Offered(const std::string& words, int place) {
  const process::ScratchDirectory folder;
  const std::string script = folder.Write("script", BashCompletion(Commands()));
  const Finished ran = process::Run(
      "/bin/bash", {"-euc", "source " + script + "; COMP_WORDS=(" + words + "); COMP_CWORD=" +
                                std::to_string(place) + "; _gpuctl; echo \"${COMPREPLY[*]-}\""});
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  return ran.output;
}

TEST(CompletionTest, BashOffersCommandsFlagsAndTheirWords) {
  EXPECT_EQ(Offered("gpuctl do", 1), "doctor\n");
  EXPECT_THAT(Offered("gpuctl ''", 1), AllOf(HasSubstr("check "), HasSubstr(" --help")));
  EXPECT_EQ(Offered("gpuctl get n", 2), "nodes\n");
  EXPECT_EQ(Offered("gpuctl get nodes --sel", 3), "--selector\n");
  EXPECT_EQ(Offered("gpuctl get nodes -o ''", 4), "table wide json csv name\n");
  EXPECT_EQ(Offered("gpuctl get nodes --output = w", 5), "wide\n");
  EXPECT_EQ(Offered("gpuctl get nodes --output =", 4), "table wide json csv name\n");
  EXPECT_EQ(Offered("gpuctl doctor --node ''", 3), "\n");
  EXPECT_EQ(Offered("gpuctl help check s", 3), "services system\n");
  EXPECT_EQ(Offered("gpuctl nothing ''", 2), "\n");
}

TEST(CompletionTest, HakuRiversProgramsOfferTheirCommands) {
  EXPECT_EQ(Offered("gpuctl hakuriver client ''", 3), "nodes health status kill command --help\n");
  EXPECT_EQ(Offered("gpuctl hakuriver task std", 3), "stdout stderr\n");
  EXPECT_EQ(Offered("gpuctl hakuriver vps status --verb", 4), "\n");
  EXPECT_EQ(Offered("gpuctl hakuriver vps status --hakuriver-u", 4), "--hakuriver-url\n");
  for (const Command& command : Commands()) {
    if (command.words.empty()) continue;
    std::istringstream words{std::string(command.words)};
    for (std::string word; words >> word;) {
      const Finished ran =
          process::Run(GPUMON_CTL, {"hakuriver", std::string(command.name.substr(10)), word},
                       {{"HAKURIVER_URL", "http://127.0.0.1:1"}});
      EXPECT_THAT(ran.errors, Not(HasSubstr("knows no such command"))) << word;
    }
  }
}

TEST(CompletionTest, TheOtherNamesOfGpuctlAreCompletedToo) {
  EXPECT_EQ(Offered("flow ''", 1), "health ssh logs --help --version\n");
  EXPECT_EQ(Offered("/opt/bin/flow health --hist", 2), "--history\n");
  EXPECT_EQ(Offered("flow ssh --ta", 2), "--task\n");
  EXPECT_EQ(Offered("backend-ai-health-checker m", 1), "monitor\n");
  EXPECT_EQ(Offered("backend-ai-health-checker gpu --det", 2), "--detailed\n");
  EXPECT_EQ(Offered("backend-ai-health-checker gpu --format ''", 3), "table json summary\n");
  EXPECT_EQ(Offered("backend-ai-health-checker monitor --max", 2), "--max-checks\n");
  EXPECT_EQ(Offered("hakuriver.client no", 1), "nodes\n");
  EXPECT_EQ(Offered("hakuriver.vps status --tok", 2), "--token-file\n");
  EXPECT_THAT(BashCompletion(Commands()),
              HasSubstr("-F _gpuctl gpuctl backend-ai-health-checker flow hakuriver.client "
                        "hakuriver.task hakuriver.vps\n"));
}

TEST(CompletionTest, EveryFlagOfEveryCommandIsOffered) {
  const std::string bash = BashCompletion(Commands());
  const std::string zsh = ZshCompletion(Commands());
  for (const Command& command : Commands()) {
    for (const config::OptionRow& row : command.options()) {
      if (row.hidden) continue;
      EXPECT_THAT(bash, HasSubstr(std::string(row.flag) + ' ')) << command.name;
      EXPECT_THAT(zsh, HasSubstr(std::string(row.flag) + ' ')) << command.name;
    }
  }
}

// In an interactive shell, as people have it.
class ShellTest : public testing::Test {
 protected:
  std::string Start(const std::string& shell) const {
    const std::string folder = std::filesystem::path(GPUMON_CTL).parent_path();
    return "cd " + folder_.path() + "; PS1='$ ' PATH=" + folder + ":/usr/bin:/bin " + shell;
  }
  static void ExpectCompletes(const Tmux& tmux) {
    tmux.Press({"gpuctl get wor", "Tab"});
    EXPECT_TRUE(tmux.Await("gpuctl get workloads")) << tmux.Screen();
    tmux.Press({"-o na", "Tab"});
    EXPECT_TRUE(tmux.Await("gpuctl get workloads -o name")) << tmux.Screen();
    tmux.Press({"--token-file a", "Tab"});
    EXPECT_TRUE(tmux.Await("--token-file a_file")) << tmux.Screen();
    tmux.Press({"C-u", "hakuriver.client no", "Tab"});
    EXPECT_TRUE(tmux.Await("hakuriver.client nodes")) << tmux.Screen();
    tmux.Press({"C-u", "flow he", "Tab"});
    EXPECT_TRUE(tmux.Await("flow health")) << tmux.Screen();
  }
  process::ScratchDirectory folder_;
};

TEST_F(ShellTest, ARealBashCompletes) {
  folder_.Write("a_file", "");
  const Tmux tmux(120, 20, Start("bash --norc --noprofile"));
  tmux.Press({"source <(gpuctl completion bash); echo rea''dy", "Enter"});
  ASSERT_TRUE(tmux.Await("\nready\n")) << tmux.Screen();
  ExpectCompletes(tmux);
}

TEST_F(ShellTest, ARealZshCompletes) {
  folder_.Write("a_file", "");
  const Tmux tmux(120, 20, Start("zsh -f"));
  tmux.Press({"autoload -Uz compinit; compinit -D; source <(gpuctl completion zsh); echo rea''dy",
              "Enter"});
  ASSERT_TRUE(tmux.Await("\nready\n")) << tmux.Screen();
  ExpectCompletes(tmux);
}

TEST(ManTest, EveryCommandHasAPageThatRoffReadsWithoutAWord) {
  const process::ScratchDirectory folder;
  const std::string pages = folder.File("man1");
  ASSERT_EQ(process::Run(GPUMON_CTL, {"man", "--directory", pages}).exit_code, 0);
  for (const Command& command : Commands()) {
    const std::string page = pages + '/' + ManName(command) + ".1";
    const Finished read =
        process::Run("/usr/bin/groff", {"-man", "-ww", "-Tascii", "-P-cbu", page});
    EXPECT_EQ(read.exit_code, 0);
    EXPECT_EQ(read.errors, "") << page;
    for (const config::OptionRow& row : command.options()) {
      if (row.hidden) continue;
      EXPECT_THAT(read.output, HasSubstr(std::string(row.flag))) << page;
    }
  }
  const Finished all =
      process::Run("/usr/bin/groff", {"-man", "-ww", "-Tascii", "-P-cbu", pages + "/gpuctl.1"});
  EXPECT_EQ(all.errors, "");
  EXPECT_THAT(all.output, HasSubstr("gpuctl-get-gpus(1)"));
}

TEST(ManTest, TheMainPageIsPrintedWithoutADirectory) {
  const Finished ran = process::Run(GPUMON_CTL, {"man"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.output, StartsWith(".TH GPUCTL 1 "));
}

TEST(ManTest, ADirectoryThatCannotBeWrittenIsNamed) {
  const Finished ran = process::Run(GPUMON_CTL, {"man", "--directory", "/dev/null/man"});
  EXPECT_EQ(ran.exit_code, 4);
  EXPECT_THAT(ran.errors,
              AllOf(StartsWith("gpuctl: /dev/null/man/gpuctl.1 "), Not(HasSubstr("\n\n"))));
}

}  // namespace
}  // namespace gpumon::ctl
