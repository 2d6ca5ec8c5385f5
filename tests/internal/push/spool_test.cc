#include "internal/push/spool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/fakes/process/wait.h"

namespace gpumon::push {
namespace {

namespace fs = std::filesystem;

class SpoolTest : public ::testing::Test {
 protected:
  Spool Opened(const Spool::Limits& limits = {}) const { return Spool(folder_.path(), limits); }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& file : fs::directory_iterator(folder_.path() + "/spool", none)) {
      if (file.is_regular_file()) names.push_back(file.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  process::ScratchDirectory folder_;
};

TEST_F(SpoolTest, ABatchStaysAsItWasUntilItIsAcknowledged) {
  Batch first;
  {
    Spool spool = Opened();
    ASSERT_TRUE(spool.Add({"a", "b"}));
    ASSERT_TRUE(spool.Add({"c"}));
    first = *spool.Take();
    EXPECT_EQ(first.lines, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(first.key.size(), 32U);
  }
  // It ended without having heard.
  Spool again = Opened();
  again.Load();
  EXPECT_EQ(again.counts().snapshots, 3U);
  const auto same = again.Take();
  ASSERT_TRUE(same);
  EXPECT_EQ(same->key, first.key);
  EXPECT_EQ(same->lines, first.lines);
  again.Done(*same);
  EXPECT_EQ(again.Take()->lines, std::vector<std::string>{"c"});
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(SpoolTest, WhatIsReturnedComesFirstAgain) {
  Spool spool = Opened();
  ASSERT_TRUE(spool.Add({"a"}));
  ASSERT_TRUE(spool.Add({"b"}));
  const Batch batch = *spool.Take();
  spool.Return(batch);
  EXPECT_EQ(spool.Take()->key, batch.key);
}

TEST_F(SpoolTest, HalvesHaveKeysThatFollowAndComeInTheOrderOfTheWhole) {
  Spool spool = Opened();
  ASSERT_TRUE(spool.Add({"a", "b", "c"}));
  ASSERT_TRUE(spool.Add({"d"}));
  const Batch whole = *spool.Take();
  ASSERT_TRUE(spool.Split(whole));
  Spool again = Opened();
  again.Load();
  for (Spool* const one : {&spool, &again}) {
    const Batch first = *one->Take();
    EXPECT_EQ(first.key, whole.key + ".0");
    EXPECT_EQ(first.lines, std::vector<std::string>{"a"});
    one->Return(first);
  }
  again.Done(*again.Take());
  EXPECT_EQ(again.Take()->lines, (std::vector<std::string>{"b", "c"}));
}

TEST_F(SpoolTest, ASplitThatACrashCutShortIsUndone) {
  std::string key;
  {
    Spool spool = Opened();
    ASSERT_TRUE(spool.Add({"a", "b"}));
    const Batch whole = *spool.Take();
    key = whole.key;
    const std::string name = Names()[0];
    fs::copy_file(folder_.path() + "/spool/" + name, folder_.path() + "/whole");
    ASSERT_TRUE(spool.Split(whole));
    fs::copy_file(folder_.path() + "/whole", folder_.path() + "/spool/" + name);
  }
  Spool again = Opened();
  again.Load();
  EXPECT_EQ(again.counts().batches, 1U);
  EXPECT_EQ(again.Take()->key, key);
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(SpoolTest, OneLineCannotBeSplit) {
  Spool spool = Opened();
  ASSERT_TRUE(spool.Add({"a"}));
  EXPECT_FALSE(spool.Split(*spool.Take()));
  EXPECT_EQ(spool.counts().batches, 1U);
}

TEST_F(SpoolTest, TheOldestGivesWayButNotWhatIsBeingSent) {
  Spool::Limits limits;
  limits.max_bytes = 30;
  Spool spool = Opened(limits);
  ASSERT_TRUE(spool.Add({"0123456789"}));
  const Batch taken = *spool.Take();
  ASSERT_TRUE(spool.Add({"first", "gives way"}));
  ASSERT_TRUE(spool.Add({"0123456789"}));
  EXPECT_EQ(spool.counts().dropped, 2U);
  EXPECT_EQ(Names().size(), 2U);
  spool.Done(taken);
  EXPECT_EQ(spool.Take()->lines, std::vector<std::string>{"0123456789"});
}

TEST_F(SpoolTest, WhatIsPutAsideIsKeptWithinABound) {
  Spool::Limits limits;
  limits.max_dead = 2;
  Spool spool = Opened(limits);
  for (const char* const line : {"a", "b", "c"}) {
    ASSERT_TRUE(spool.Add({line}));
    spool.PutAside(*spool.Take());
  }
  EXPECT_EQ(spool.counts().aside, 3U);
  EXPECT_EQ(spool.counts().batches, 0U);
  std::vector<std::string> kept;
  for (const auto& file : fs::directory_iterator(folder_.path() + "/spool/dead")) {
    kept.push_back(process::ReadFile(file.path().string()));
  }
  std::sort(kept.begin(), kept.end());
  EXPECT_EQ(kept, (std::vector<std::string>{"b\n", "c\n"}));
}

TEST_F(SpoolTest, WhereNothingCanBeWrittenABatchWaitsInMemoryAndIsWrittenLater) {
  std::ofstream(folder_.path() + "/spool") << "in the way";
  Spool spool = Opened();
  const auto added = spool.Add({"a"});
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message.find("cannot be written"), std::string::npos);
  const Batch batch = *spool.Take();
  EXPECT_EQ(batch.lines, std::vector<std::string>{"a"});
  spool.Return(batch);
  fs::remove(folder_.path() + "/spool");
  ASSERT_TRUE(spool.Add({"b"}));
  EXPECT_EQ(Names().size(), 2U);
  Spool again = Opened();
  again.Load();
  EXPECT_EQ(again.Take()->key, batch.key);
}

TEST_F(SpoolTest, WhatCannotBeReadIsPutAsideAndTheRestGoesOn) {
  {
    Spool spool = Opened();
    for (const char* const line : {"a", "b", "c"}) ASSERT_TRUE(spool.Add({line}));
  }
  const auto names = Names();
  ASSERT_EQ(names.size(), 3U);
  std::ofstream(folder_.path() + "/spool/" + names[0], std::ios::trunc) << "";
  std::ofstream(folder_.path() + "/spool/" + names[1], std::ios::app) << "more\n";
  Spool again = Opened();
  again.Load();
  const auto batch = again.Take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->lines, std::vector<std::string>{"c"});
  EXPECT_EQ(again.counts().batches, 1U);
  EXPECT_EQ(again.counts().aside, 2U);
  again.Done(*batch);
  EXPECT_EQ(Names().size(), 0U);
  for (const std::size_t i : {0U, 1U})
    EXPECT_TRUE(fs::exists(folder_.path() + "/spool/dead/" + names[i]));
}

TEST_F(SpoolTest, WhatACrashLeftOfABatchIsNone) {
  fs::create_directories(folder_.path() + "/spool");
  std::ofstream(folder_.path() + "/spool/batch-00000000000000000001-k-2.jsonl.tmp") << "a";
  std::ofstream(folder_.path() + "/spool/batch-00000000000000000002-k-2.jsonl") << "cut\n";
  std::ofstream(folder_.path() + "/spool/readme") << "of somebody";
  Spool spool = Opened();
  spool.Load();
  EXPECT_FALSE(spool.Take());
  EXPECT_TRUE(fs::exists(folder_.path() + "/spool/readme"));
  EXPECT_FALSE(fs::exists(folder_.path() + "/spool/batch-00000000000000000001-k-2.jsonl.tmp"));
}

}  // namespace
}  // namespace gpumon::push
