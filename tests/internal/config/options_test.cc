#include "internal/config/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

#include "tests/internal/config/scratch_folder.h"

namespace gpumon::config {
namespace {

constexpr std::array kTable = {
    OptionRow{.flag = "--port",
              .env = "PORT",
              .fallback = "8080",
              .kind = Kind::kInteger,
              .min = 0,
              .max = 65535},
    OptionRow{.flag = "--cache-ttl",
              .env = "CACHE_TTL",
              .fallback = "2s",
              .kind = Kind::kDuration,
              .min = 100,
              .max = 60'000},
    OptionRow{.flag = "--limit",
              .env = "LIMIT",
              .fallback = "1MiB",
              .kind = Kind::kBytes,
              .min = 1,
              .max = 1 << 30},
    OptionRow{.flag = "--fast", .env = "FAST", .fallback = "false", .kind = Kind::kBool},
    OptionRow{.flag = "--mode",
              .env = "MODE",
              .fallback = "off",
              .kind = Kind::kWord,
              .allowed = "off|on|all",
              .bare = "on"},
    OptionRow{.flag = "--url", .env = "URL", .kind = Kind::kUrlList},
    OptionRow{.flag = "--hosts", .env = "HOSTS", .kind = Kind::kTextList},
    OptionRow{.flag = "--name", .env = "NAME"},
    OptionRow{.flag = "--token",
              .env = "TOKEN",
              .fallback = "1",
              .kind = Kind::kInteger,
              .max = 9,
              .secret = true},
    OptionRow{.flag = "--key-file", .env = "KEY_FILE", .kind = Kind::kPath},
    OptionRow{.flag = "--inner", .fallback = "x", .hidden = true},
    kConfigFileRow,
};

Result<Values> ParseAll(const std::vector<std::string>& arguments, const Environment& env = {}) {
  return Parse(kTable, arguments, env);
}

std::string Refusal(const std::vector<std::string>& arguments, const Environment& env = {}) {
  const auto values = ParseAll(arguments, env);
  if (values) return "(accepted)";
  EXPECT_EQ(values.error().code, Code::kInvalidParameter);
  EXPECT_EQ(values.error().message.find('\n'), std::string::npos) << values.error().message;
  return values.error().message;
}

TEST(OptionsTest, TakesEveryDefaultFromTheTable) {
  const auto values = ParseAll({});
  ASSERT_TRUE(values);
  EXPECT_EQ(values->Integer("--port"), 8080);
  EXPECT_EQ(values->Duration("--cache-ttl"), Millis(2000));
  EXPECT_EQ(values->Bytes("--limit"), 1U << 20U);
  EXPECT_FALSE(values->Bool("--fast"));
  EXPECT_EQ(values->Text("--mode"), "off");
  EXPECT_TRUE(values->List("--url").empty());
  EXPECT_EQ(values->Text("--name"), "");
  EXPECT_FALSE(values->Given("--port"));
  EXPECT_EQ(values->Where("--port"), "the default");
}

TEST(OptionsTest, AFlagWinsOverTheEnvironmentOverTheFileOverTheDefault) {
  const ScratchFolder folder;
  const std::string file = folder.Write("c.yaml", "port: 3\ncache_ttl: 3s\nname: file\n");
  const auto values =
      ParseAll({"--port=1", "--config", file}, {{"PORT", "2"}, {"CACHE_TTL", "4s"}});
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_EQ(values->Integer("--port"), 1);
  EXPECT_EQ(values->Where("--port"), "the command line");
  EXPECT_EQ(values->Duration("--cache-ttl"), Millis(4000));
  EXPECT_EQ(values->Where("--cache-ttl"), "environment variable CACHE_TTL");
  EXPECT_EQ(values->Text("--name"), "file");
  EXPECT_EQ(values->Where("--name"), file + ":3:7 (key name)");
  EXPECT_EQ(values->origin("--name"), Origin::kFile);
}

TEST(OptionsTest, TheFileCanComeFromTheEnvironment) {
  const ScratchFolder folder;
  const std::string file =
      folder.Write("c.yaml", "fast: true\nhosts: [a, b]\nlimit: 2KiB\nname:\n");
  const auto values = ParseAll({}, {{"CONFIG_FILE", file}});
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_TRUE(values->Bool("--fast"));
  EXPECT_EQ(values->List("--hosts"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(values->Bytes("--limit"), 2048U);
  EXPECT_FALSE(values->Given("--name"));
}

TEST(OptionsTest, AnEmptyVariableIsNotSet) {
  const auto values = ParseAll({}, {{"PORT", ""}});
  ASSERT_TRUE(values);
  EXPECT_EQ(values->Integer("--port"), 8080);
  EXPECT_FALSE(values->Given("--port"));
  const ScratchFolder folder;
  const std::string file = folder.Write("c.yaml", "port: \"\"\n");
  EXPECT_FALSE(ParseAll({"--config", file})->Given("--port")) << "nor is an empty key";
  EXPECT_EQ(Refusal({"--port="}, {{"PORT", "1"}}),
            "--port: \"\" from the command line is not a whole number; allowed: 0 to 65535");
}

TEST(OptionsTest, ABooleanIsOneOfTheTwoWordsThatAreListed) {
  const ScratchFolder folder;
  for (const std::string word : {"1", "0", "yes", "on", "True", "TRUE", "t"}) {
    const std::string file = folder.Write("c.yaml", "fast: " + word + "\n");
    for (const std::string& refused : {Refusal({"--fast=" + word}), Refusal({}, {{"FAST", word}}),
                                       Refusal({"--config", file})}) {
      EXPECT_NE(refused.find(" is neither true nor false; allowed: true, false"), std::string::npos)
          << word << ": " << refused;
    }
  }
}

TEST(OptionsTest, AnEmptyFlagIsRefusedAndOpensNothing) {
  EXPECT_EQ(Refusal({"--name="}, {{"NAME", "n"}}),
            "--name: \"\" from the command line is empty: to have none leave the flag out, and "
            "NAME unset or empty; allowed: text without control characters");
  for (const char* flag : {"--name", "--url", "--hosts", "--key-file", "--config", "--inner"}) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{std::string(flag) + "="}, {flag, ""}}) {
      EXPECT_NE(Refusal(arguments).find(" is empty: "), std::string::npos) << flag;
    }
  }
  EXPECT_NE(Refusal({"--inner="}).find("to have the default leave the flag out; allowed"),
            std::string::npos);
}

TEST(OptionsTest, ReadsFlagsThatNeedNoValue) {
  EXPECT_TRUE(ParseAll({"--fast"})->Bool("--fast"));
  EXPECT_FALSE(ParseAll({"--fast=false"}, {{"FAST", "true"}})->Bool("--fast"));
  EXPECT_EQ(ParseAll({"--mode"})->Text("--mode"), "on");
  EXPECT_EQ(ParseAll({"--mode", "all"})->Text("--mode"), "all");
  const auto both = ParseAll({"--mode", "--fast"});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->Text("--mode"), "on");
  EXPECT_TRUE(both->Bool("--fast"));
}

TEST(OptionsTest, KeepsValuesThatLookLikeSyntax) {
  EXPECT_EQ(ParseAll({"--name", "[::1]:80"})->Text("--name"), "[::1]:80");
  EXPECT_EQ(ParseAll({"--name=a=b"})->Text("--name"), "a=b");
  EXPECT_EQ(ParseAll({"--name", "--port"})->Text("--name"), "--port");
}

TEST(OptionsTest, RefusesAnUnknownFlagAndNamesTheNearest) {
  EXPECT_EQ(Refusal({"--prot", "80"}),
            "unknown flag \"--prot\", the nearest is --port; see --help");
  EXPECT_EQ(Refusal({"--entirely-different"}), "unknown flag \"--entirely-different\"; see --help");
  EXPECT_EQ(Refusal({"8080"}), "unexpected argument \"8080\"; see --help");
  EXPECT_EQ(Refusal({""}), "unexpected argument \"\"; see --help");
  EXPECT_EQ(Refusal({"--"}), "unknown flag \"--\"; see --help");
}

TEST(OptionsTest, HelpAndVersionTakeNoValue) {
  EXPECT_EQ(Refusal({"--help=1"}), "--help takes no value");
  EXPECT_EQ(Refusal({"-h="}), "-h takes no value");
  EXPECT_EQ(Refusal({"--version=x"}), "--version takes no value");
}

TEST(OptionsTest, DoesNotSuggestAHiddenFlag) {
  EXPECT_EQ(Refusal({"--innes"}).find("--inner"), std::string::npos);
  EXPECT_EQ(ParseAll({"--inner", "y"})->Text("--inner"), "y");
}

TEST(OptionsTest, RefusesAFlagTwiceOrWithoutItsValue) {
  EXPECT_EQ(Refusal({"--port", "1", "--port=2"}), "--port is given twice");
  EXPECT_EQ(Refusal({"--port"}), "--port needs a value; allowed: 0 to 65535");
}

TEST(OptionsTest, AShortNameIsTheSameFlag) {
  constexpr std::array kShort = {
      OptionRow{.flag = "--format", .fallback = "table", .letter = "-f"},
      OptionRow{.flag = "--verbose", .fallback = "false", .kind = Kind::kBool, .letter = "-v"}};
  const auto parse = [&](std::vector<std::string> arguments) {
    return Parse(kShort, arguments, Environment());
  };
  EXPECT_EQ(parse({"-f", "json", "-v"})->Text("--format"), "json");
  EXPECT_EQ(parse({"-f=json"})->Text("--format"), "json");
  EXPECT_TRUE(parse({"-v"})->Bool("--verbose"));
  EXPECT_EQ(parse({"-f", "a", "--format", "b"}).error().message, "--format is given twice");
  EXPECT_FALSE(parse({"-x"}));
}

TEST(OptionsTest, ARefusalSaysWhichFromWhereWhyAndWhatIsAllowed) {
  EXPECT_EQ(Refusal({"--port", "70000"}),
            "--port: \"70000\" from the command line is out of range; allowed: 0 to 65535");
  EXPECT_EQ(Refusal({}, {{"CACHE_TTL", "5"}}),
            "--cache-ttl: \"5\" from environment variable CACHE_TTL has no unit; allowed: 100ms to "
            "1m (like 500ms, 2s, 1m)");
  EXPECT_EQ(Refusal({"--mode=maybe"}),
            "--mode: \"maybe\" from the command line is not one of the allowed words; allowed: "
            "off, on, all");
  const ScratchFolder folder;
  const std::string file = folder.Write("c.yaml", "fast: yes\n");
  EXPECT_EQ(Refusal({"--config", file}), "--fast: \"yes\" from " + file +
                                             ":1:7 (key fast) is neither true nor false; allowed: "
                                             "true, false");
}

TEST(OptionsTest, RefusesEveryWrongKindOfValue) {
  for (const char* argument : {"--port=",
                               "--port=abc",
                               "--port=1.5",
                               "--port=-1",
                               "--port=0x10",
                               "--port= 1",
                               "--port=99999999999999999999",
                               "--cache-ttl=50ms",
                               "--cache-ttl=2m",
                               "--cache-ttl=",
                               "--limit=0",
                               "--limit=2GiB",
                               "--limit=1MB",
                               "--fast=maybe",
                               "--fast=",
                               "--mode=",
                               "--mode=off|on",
                               "--mode=o",
                               "--url=ftp://x",
                               "--url=a,,b",
                               "--hosts=,",
                               "--name=a\nb",
                               "--name=\xff",
                               "--key-file=/does/not/exist",
                               "--key-file=/"}) {
    EXPECT_NE(Refusal({argument}), "(accepted)") << argument;
  }
}

TEST(OptionsTest, ARefusalShowsNoSecret) {
  EXPECT_EQ(Refusal({"--token=hunter2"}).find("hunter2"), std::string::npos);
  EXPECT_EQ(Refusal({"--url=gopher://me:hunter2@x"}).find("hunter2"), std::string::npos);
  for (const char* url : {"http://me:hunter2@x", "http://me:hunter2=@x"}) {
    EXPECT_EQ(Refusal({url}).find("hunter2"), std::string::npos) << "the flag was forgotten";
  }
}

TEST(OptionsTest, RefusesAnUnreadableOrUnknownFile) {
  EXPECT_EQ(Refusal({"--config", "/does/not/exist"}),
            "--config: \"/does/not/exist\" from the command line cannot be read: No such file or "
            "directory; allowed: a file of at most 1 MiB that can be read");
  const ScratchFolder folder;
  EXPECT_NE(Refusal({"--config", folder.path()}).find("Is a directory"), std::string::npos);
  const std::string huge = folder.Write("huge.yaml", std::string((1U << 20U) + 1, '#'));
  EXPECT_EQ(Refusal({"--config", huge}),
            "--config: \"" + huge + "\" from the command line is larger than 1 MiB; allowed: a " +
                "file of at most 1 MiB that can be read");
}

TEST(OptionsTest, APipeIsLeftToWhoeverReadsIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  ASSERT_EQ(write(ends[1], "key", 3), 3);
  close(ends[1]);
  EXPECT_TRUE(ParseAll({"--key-file", "/dev/fd/" + std::to_string(ends[0])}));
  std::array<char, 8> left{};
  EXPECT_EQ(read(ends[0], left.data(), left.size()), 3);
  close(ends[0]);
}

TEST(OptionsTest, RefusesAnUnknownKeyAndNamesTheNearest) {
  const ScratchFolder folder;
  const std::string file = folder.Write("c.yaml", "cache-ttl: 2s\n");
  EXPECT_EQ(Refusal({"--config", file}),
            file + ":1:1 has the unknown key \"cache-ttl\", the nearest is cache_ttl");
  const std::string nested = folder.Write("d.yaml", "config_file: x\n");
  EXPECT_NE(Refusal({"--config", nested}).find("unknown key"), std::string::npos);
  const std::string flag_only = folder.Write("e.yaml", "inner: x\n");
  EXPECT_NE(Refusal({"--config", flag_only}).find("unknown key"), std::string::npos);
}

TEST(OptionsTest, AMistakeInTheFileIsNamedWithItsPlace) {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& text) {
    std::string message = Refusal({"--config", folder.Write("c.yaml", text)});
    const std::size_t name = message.find(folder.path());
    if (name != std::string::npos) message.erase(name, folder.path().size() + 1);
    return message;
  };
  EXPECT_EQ(refusal("name: x\n\nprot: 80\n"),
            "c.yaml:3:1 has the unknown key \"prot\", the nearest is port");
  EXPECT_EQ(refusal("name: x\nport: eighty\n"),
            "--port: \"eighty\" from c.yaml:2:7 (key port) is not a whole number; allowed: 0 to "
            "65535");
  EXPECT_EQ(refusal("port: 080\n"),
            "--port: \"080\" from c.yaml:1:7 (key port) has a leading zero; allowed: 0 to 65535");
  EXPECT_EQ(refusal("port: [80]\n"),
            "--port: \"80\" from c.yaml:1:7 (key port) is a list, not one value; allowed: 0 to "
            "65535");
  EXPECT_EQ(refusal("name:\n  - a\n"),
            "--name: \"a\" from c.yaml:2:3 (key name) is a list, not one value; allowed: text "
            "without control characters");
  EXPECT_EQ(refusal("port: {a: 1}\n"),
            "c.yaml:1:7 has a value that is neither a scalar nor a list of scalars");
  EXPECT_EQ(refusal("port: 1\nname: x\nport: 2\n"),
            "c.yaml:3:1 repeats the key port of " + folder.path() + "/c.yaml:1:1");
  EXPECT_EQ(refusal("port: [1\n"), "c.yaml:2:1 is not valid YAML");
}

TEST(OptionsTest, AWrongValueOfTheFileIsRefusedWhateverOverridesIt) {
  const ScratchFolder folder;
  const std::string file = folder.Write("c.yaml", "port: eighty\n");
  for (const auto& refused : {ParseAll({"--config", file}, {{"PORT", "80"}}),
                              ParseAll({"--config", file, "--port", "80"})}) {
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("c.yaml:1:7 (key port) is not a whole number"),
              std::string::npos)
        << refused.error().message;
  }
}

TEST(OptionsTest, HelpAndVersionComeBeforeAnyRefusal) {
  for (const char* flag : {"--help", "-h"}) {
    const auto values = ParseAll({"--port", "1", flag, "--nonsense"}, {{"PORT", "wrong"}});
    ASSERT_TRUE(values) << flag;
    EXPECT_TRUE(values->help_wanted());
  }
  const auto version = ParseAll({"--version"}, {{"PORT", "wrong"}});
  ASSERT_TRUE(version);
  EXPECT_TRUE(version->version_wanted());
  EXPECT_FALSE(version->help_wanted());
  EXPECT_FALSE(ParseAll({})->help_wanted());
}

TEST(OptionsTest, ReadsTheProcess) {
  ASSERT_EQ(setenv("GPUMON_OPTIONS_TEST", "a=b", 1), 0);
  EXPECT_EQ(ProcessEnvironment().at("GPUMON_OPTIONS_TEST"), "a=b");
  const std::array<const char*, 3> argv = {"program", "--port", "1"};
  EXPECT_EQ(Arguments(3, argv.data()), (std::vector<std::string>{"--port", "1"}));
  EXPECT_TRUE(Arguments(0, argv.data()).empty());
}

TEST(OptionsDeathTest, EndsOnAnOptionThatIsNotInTheTable) {
  const auto values = ParseAll({});
  EXPECT_DEATH(values->Text("--nonsense"), "BUG: option --nonsense");
  EXPECT_DEATH(values->Text("--port"), "BUG: option --port");
}

}  // namespace
}  // namespace gpumon::config
