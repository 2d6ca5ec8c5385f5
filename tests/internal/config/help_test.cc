#include "internal/config/help.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "internal/config/server_options.h"

namespace gpumon::config {
namespace {

constexpr std::array kTable = {
    OptionRow{.flag = "--port",
              .env = "PORT",
              .fallback = "8080",
              .kind = Kind::kInteger,
              .help = "The port.",
              .max = 65535},
    OptionRow{.flag = "--mode",
              .fallback = "a",
              .kind = Kind::kWord,
              .help = "One | two.",
              .allowed = "a|b",
              .bare = "b"},
    OptionRow{.flag = "--fast", .fallback = "false", .kind = Kind::kBool, .help = "Fast."},
    OptionRow{.flag = "--inner", .help = "Nobody sees this.", .hidden = true},
};

TEST(HelpTest, PrintsEveryRowThatIsNotHidden) {
  const std::string text = HelpText({"thing", "Does a thing.", "1.2.3"}, kTable);
  EXPECT_EQ(text,
            "thing 1.2.3\nDoes a thing.\n\nUsage: thing [flags]\n\n"
            "A flag wins over its environment variable, that over the default.\n"
            "A variable that is empty counts as not set.\n\nFlags:\n"
            "  --port N   environment: PORT\n        The port.\n"
            "        Allowed: 0 to 65535. Default: 8080.\n"
            "  --mode [WORD]\n        One | two.\n"
            "        Allowed: a, b. Default: a. Without a value: b.\n"
            "  --fast\n        Fast.\n        Allowed: true, false. Default: false.\n"
            "  --help, -h\n        Prints this text.\n"
            "  --version\n        Prints the version.\n");
}

TEST(HelpTest, NamesTheConfigurationFileOnlyWhereThereIsOne) {
  const std::array table = {kConfigFileRow};
  const std::string sentence = "that over the configuration file, that over the default.";
  EXPECT_NE(HelpText({"thing", "", "1"}, table).find(sentence), std::string::npos);
  EXPECT_EQ(HelpText({"thing", "", "1"}, kTable).find(sentence), std::string::npos);
}

TEST(HelpTest, PrintsTheVersion) {
  EXPECT_EQ(VersionText({"thing", "", "1.2.3"}), "thing 1.2.3\n");
}

TEST(HelpTest, WritesAMarkdownTableThatEscapesBars) {
  EXPECT_EQ(MarkdownTable(kTable),
            "| Flag | Environment | Default | Allowed | Meaning |\n|---|---|---|---|---|\n"
            "| `--port N` | `PORT` | `8080` | 0 to 65535 | The port. |\n"
            "| `--mode [WORD]` |  | `a` | a, b | One \\| two. |\n"
            "| `--fast` |  | `false` | true, false | Fast. |\n");
}

TEST(HelpTest, TheServersHelpFitsAHundredColumns) {
  std::istringstream lines(HelpText({"gpu-monitoring-api", "x", "0"}, ServerOptionRows()));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(HelpTest, TheServersTableHasOneLineForEachOption) {
  const std::string table = MarkdownTable(ServerOptionRows());
  EXPECT_EQ(static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n')),
            ServerOptionRows().size() + 2);
}

TEST(HelpTest, AShortNameStandsBeforeTheFlag) {
  constexpr std::array kShort = {OptionRow{.flag = "--format", .letter = "-f"}};
  EXPECT_NE(
      HelpText({.name = "x", .summary = "", .version = "1"}, kShort).find("  -f, --format TEXT\n"),
      std::string::npos);
}

}  // namespace
}  // namespace gpumon::config
