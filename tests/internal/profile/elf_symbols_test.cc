#include "internal/profile/elf_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace gpumon::profile {
namespace {

using testing::HasSubstr;

int Known(int x) {
  return x + 1;
}

TEST(ElfSymbolsTest, KnowsFunctionsThatNoOtherFileSees) {
  const ElfSymbols symbols;
  EXPECT_GT(symbols.size(), 100U);
  const auto at = reinterpret_cast<std::uintptr_t>(&Known);
  EXPECT_THAT(std::string(symbols.NameAt(at)), HasSubstr("Known"));
  EXPECT_EQ(symbols.NameAt(0), "");
  EXPECT_EQ(symbols.NameAt(1), "");
  EXPECT_EQ(symbols.NameAt(~std::uintptr_t{0}), "");
}

TEST(ElfSymbolsTest, AFileThatIsNoProgramHasNone) {
  EXPECT_EQ(ElfSymbols("/does/not/exist", 0).size(), 0U);
  EXPECT_EQ(ElfSymbols("/proc/self/status", 0).size(), 0U);
  EXPECT_EQ(ElfSymbols("/proc/self/status", 0).NameAt(1), "");
}

TEST(ElfSymbolsTest, AFileThatWasCutOrDamagedDoesNoHarm) {
  std::ifstream exe("/proc/self/exe", std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(exe), {}};
  std::string name = (std::filesystem::temp_directory_path() / "gpumon-elf-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const std::string path = name + "/program";
  for (const std::size_t size :
       {std::size_t{4}, std::size_t{63}, std::size_t{64}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    const ElfSymbols symbols(path, 0);
    symbols.NameAt(4096);
  }
  // Bytes of the header and of the section table, at the file's end, turned over.
  for (std::size_t i = 0; i < 40; ++i) {
    std::string damaged = whole;
    const std::size_t at = i < 12 ? 40 + 2 * i : whole.size() - 17 * (i - 11);
    damaged[at] = static_cast<char>(~damaged[at]);
    std::ofstream(path, std::ios::binary) << damaged;
    const ElfSymbols symbols(path, 0);
    symbols.NameAt(4096);
  }
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace gpumon::profile
