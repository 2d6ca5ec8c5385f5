// What promql.h writes, read by the grammar that Prometheus's own editor uses (lezer-promql of
// npm).
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

#include "internal/prom/promql.h"
#include "tests/fakes/process/child_process.h"
#include "tests/fakes/process/wait.h"

namespace gpumon::prom {
namespace {

constexpr std::array<std::string_view, 3> kLabels = {"node", "gpu", "pid"};
constexpr int kTexts = 100'000;

std::string Hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

// Half of its bytes are ones that mean something to PromQL, to Go or to a regular expression; every
// fourth text is valid UTF-8.
std::string RandomText(std::mt19937& random) {
  constexpr std::string_view kLikely = "\"'`\\\n\r\t{}=~!,|.*+?()[]^$#:ax0u";
  constexpr std::array<std::string_view, 4> kWide = {"\xc3\xa9", "\xe2\x80\xae", "\xf0\x9f\x98\x80",
                                                     "\xef\xbb\xbf"};
  const bool utf8 = random() % 4 == 0;
  std::string text;
  for (auto left = random() % 24; left > 0; --left) {
    if (random() % 2 == 0) {
      text += kLikely[random() % kLikely.size()];
    } else if (utf8) {
      text += kWide[random() % kWide.size()];
    } else {
      text += static_cast<char>(random() % 256);
    }
  }
  return text;
}

TEST(GrammarTest, NoTextChangesWhatASelectorIs) {
  const std::filesystem::path modules = GPUMON_SOURCE_DIR "/.run/tools/node_modules";
  if (!std::filesystem::exists(modules / "@prometheus-io/lezer-promql")) {
    GTEST_SKIP() << "npm could not fetch @prometheus-io/lezer-promql";
  }
  const process::ScratchDirectory folder;
  const std::string path = folder.path() + "/selectors";
  {
    std::mt19937 random(7);
    std::ofstream file(path);
    for (int i = 0; i < kTexts; ++i) {
      const std::array texts = {RandomText(random), RandomText(random), RandomText(random)};
      const auto selector = Selector("m", kLabels)
                                .Equal("node", texts[0])
                                .NotEqual("gpu", texts[1])
                                .Matches("pid", EscapeRegex(texts[2]))
                                .Build();
      ASSERT_TRUE(selector);
      for (const std::string& text : texts) file << Hex(text) << ' ';
      file << Hex(*selector) << '\n';
    }
  }
  const process::Finished run = process::Run(
      "/usr/bin/env", {"node", GPUMON_SOURCE_DIR "/tests/internal/prom/grammar.cjs", path},
      {{"NODE_PATH", modules.string()}}, Millis(120'000));
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_EQ(run.output, std::to_string(kTexts) + " right\n");
}

}  // namespace
}  // namespace gpumon::prom
