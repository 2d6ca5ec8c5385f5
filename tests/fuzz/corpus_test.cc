// Every committed input of every target, as a test.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {
namespace {

const std::filesystem::path kFolder = GPUMON_SOURCE_DIR "/tests/fuzz";

std::vector<std::filesystem::path> FilesIn(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class CorpusTest : public testing::TestWithParam<Target> {};

TEST_P(CorpusTest, HoldsForEveryInput) {
  const Target& target = GetParam();
  const auto small = FilesIn(kFolder / "corpus" / target.name);
  EXPECT_GE(small.size(), 8U) << "the corpus of " << target.name << " is nearly empty";
  target.run("");
  for (const auto& files : {small, FilesIn(kFolder / "large" / target.name)}) {
    for (const std::filesystem::path& path : files) {
      SCOPED_TRACE(path.string());
      std::ifstream file(path, std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(file), {}};
      ASSERT_FALSE(input.empty());
      target.run(input);
    }
  }
}

// An input that is cut short or has a byte changed is one more input.
TEST_P(CorpusTest, HoldsForEveryFrontAndForEveryByteFlipped) {
  const Target& target = GetParam();
  for (const std::filesystem::path& path : FilesIn(kFolder / "corpus" / target.name)) {
    std::ifstream file(path, std::ios::binary);
    std::string input{std::istreambuf_iterator<char>(file), {}};
    const std::size_t step = std::max<std::size_t>(1, input.size() / 64);
    for (std::size_t at = 0; at < input.size(); at += step) {
      target.run(std::string_view(input).substr(0, at));
      input[at] = static_cast<char>(input[at] ^ 1);
      target.run(input);
      input[at] = static_cast<char>(input[at] ^ 1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, CorpusTest, testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(CorpusFolderTest, IsOfTargetsAlone) {
  for (const char* kind : {"corpus", "large"}) {
    for (const std::filesystem::path& folder : FilesIn(kFolder / kind)) {
      EXPECT_TRUE(std::any_of(kTargets.begin(), kTargets.end(), [&folder](const Target& target) {
        return target.name == folder.filename();
      })) << folder;
    }
  }
}

}  // namespace
}  // namespace gpumon::fuzz
