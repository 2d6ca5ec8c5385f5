#include "internal/fleet/xid.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gpumon::fleet {
namespace {

TEST(XidTest, ThoseThatNeedAResetAreSo) {
  for (const int code : {48, 62, 64, 74, 79, 95, 119, 120}) {
    EXPECT_EQ(XidOf(code).which, XidClass::kReset) << code;
    EXPECT_TRUE(XidOf(code).action == Action::kReboot || XidOf(code).action == Action::kInspect);
  }
  for (const int code : {13, 31, 43}) {
    EXPECT_EQ(XidOf(code).which, XidClass::kApplication) << code;
    EXPECT_EQ(XidOf(code).action, Action::kCheckApplication) << code;
  }
  EXPECT_EQ(XidOf(63).which, XidClass::kInformation);
  EXPECT_EQ(XidOf(92).which, XidClass::kInformation);
  EXPECT_EQ(XidOf(94).which, XidClass::kContained);
  EXPECT_EQ(XidOf(79).text, "GPU has fallen off the bus");
}

TEST(XidTest, ZeroIsNoErrorAndOthersAreUnknown) {
  EXPECT_EQ(XidOf(0).which, XidClass::kNone);
  for (const int code : {5, 999, 65535}) {
    EXPECT_EQ(XidOf(code).which, XidClass::kUnknown) << code;
    EXPECT_EQ(XidOf(code).code, code);
    EXPECT_EQ(XidOf(code).text, "");
  }
}

TEST(XidTest, EveryNameIsItsOwn) {
  std::set<std::string_view> actions;
  for (int i = 0; i < 4; ++i) actions.insert(NameOf(static_cast<Action>(i)));
  EXPECT_EQ(actions.size(), 4U);
  std::set<std::string_view> classes;
  for (int i = 0; i < 6; ++i) classes.insert(NameOf(static_cast<XidClass>(i)));
  EXPECT_EQ(classes.size(), 6U);
}

}  // namespace
}  // namespace gpumon::fleet
