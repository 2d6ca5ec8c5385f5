#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>

#include "internal/profile/profile.h"

namespace gpumon::profile {

namespace {

// Only the program's own file knows its name.
int FunctionToLookUp(int x) {
  return x * 3;
}

using testing::HasSubstr;

std::string Address(std::uintptr_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%" PRIxPTR, value);
  return text;
}

TEST(SymbolsTest, SaysThatItKnowsSymbols) {
  EXPECT_EQ(SymbolCount(), "num_symbols: 1\n");
}

TEST(SymbolsTest, NamesAFunctionByAnyAddressInIt) {
  const auto at = reinterpret_cast<std::uintptr_t>(&FunctionToLookUp);
  const std::string first = Address(at);
  const std::string second = Address(at + 1);
  EXPECT_EQ(LookUpSymbols(first + "+" + second),
            first + "\tgpumon::profile::(anonymous namespace)::FunctionToLookUp(int)\n" + second +
                "\tgpumon::profile::(anonymous namespace)::FunctionToLookUp(int)\n");
}

TEST(SymbolsTest, NamesAFunctionOfALibrary) {
  const std::string at = Address(reinterpret_cast<std::uintptr_t>(&std::snprintf));
  EXPECT_THAT(LookUpSymbols(at), HasSubstr("snprintf"));
}

TEST(SymbolsTest, AnAddressWithoutANameStandsForItself) {
  EXPECT_EQ(LookUpSymbols("0x1"), "0x1\t0x1\n");
  EXPECT_EQ(LookUpSymbols("0xffffffffffffffff"), "0xffffffffffffffff\t0xffffffffffffffff\n");
}

TEST(SymbolsTest, LeavesOutWhatIsNoAddress) {
  for (const char* text : {"", "+", "++", "x", "0x", "0xg", "1234", "0x1ffffffffffffffff", "0x1 ",
                           "-0x1", "0x1\n", "0x-1"}) {
    EXPECT_EQ(LookUpSymbols(text), "") << text;
  }
  EXPECT_EQ(LookUpSymbols("x+0x1++0x2+"), "0x1\t0x1\n0x2\t0x2\n");
}

TEST(SymbolsTest, TheAnswerIsBounded) {
  const std::string at = Address(reinterpret_cast<std::uintptr_t>(&FunctionToLookUp));
  std::string many;
  while (many.size() < (std::size_t{2} << 20U)) many += at + "+";
  EXPECT_LT(LookUpSymbols(many).size(), std::size_t{5} << 20U);
}

TEST(SymbolsTest, KnowsItsOwnCommandLine) {
  const auto arguments = CommandLine();
  ASSERT_FALSE(arguments.empty());
  EXPECT_THAT(arguments[0], HasSubstr("internal_profile_test"));
}

}  // namespace
}  // namespace gpumon::profile
