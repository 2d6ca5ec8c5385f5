#include "handlers/token_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::handlers {
namespace {

// Runs what was posted when it is told to.
class HeldExecutor final : public Executor {
 public:
  bool Post(std::function<void()> task) override {
    tasks_.push_back(std::move(task));
    return true;
  }
  std::size_t RunAll() {
    const auto tasks = std::exchange(tasks_, {});
    for (const auto& task : tasks) task();
    return tasks.size();
  }

 private:
  std::vector<std::function<void()>> tasks_;
};

class TokenFileTest : public testing::Test {
 protected:
  ~TokenFileTest() override { std::remove(path_.c_str()); }

  void Write(const std::string& text) const { std::ofstream(path_) << text; }

  const std::string path_ =
      testing::TempDir() + "token_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  FakeClock clock_;
  HeldExecutor executor_;
};

TEST_F(TokenFileTest, AChangedFileIsReadBesideTheRequestsOnceASecond) {
  Write("first\n");
  const auto file = TokenFile::Open(path_, clock_, executor_);
  ASSERT_TRUE(file);
  Write("second\n");
  (*file)->LookAgain();
  EXPECT_EQ(executor_.RunAll(), 0U) << "a second has not gone";
  clock_.Advance(Millis(1000));
  (*file)->LookAgain();
  EXPECT_EQ((*file)->Token(), "first") << "who looks does not read";
  clock_.Advance(Millis(1000));
  (*file)->LookAgain();
  EXPECT_EQ(executor_.RunAll(), 1U) << "one reading at a time";
  EXPECT_EQ((*file)->Token(), "second");
}

TEST_F(TokenFileTest, TheLastTokenStandsWhileTheFileHoldsNone) {
  Write("first");
  const auto file = TokenFile::Open(path_, clock_, executor_);
  ASSERT_TRUE(file);
  for (const std::string text : {"", "two words\n"}) {
    Write(text);
    clock_.Advance(Millis(1000));
    (*file)->LookAgain();
    EXPECT_EQ(executor_.RunAll(), 1U);
    EXPECT_EQ((*file)->Token(), "first");
  }
}

TEST_F(TokenFileTest, AFileWithoutATokenIsRefusedAtTheStart) {
  Write("\n");
  const auto file = TokenFile::Open(path_, clock_, executor_);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "--api-bearer-token-file: " + path_ +
                                      " must hold a token, without blanks, in its first line");
}

TEST_F(TokenFileTest, ATokenThatNobodyCanSendIsNone) {
  for (const std::string& text :
       {std::string("a\0b\n", 4), std::string("a\x1b!\n"), std::string("a\x7f\n"),
        std::string("caf\xc3\xa9\n"), std::string("\xef\xbb\xbftoken\n")}) {
    Write("first\n");
    const auto file = TokenFile::Open(path_, clock_, executor_);
    ASSERT_TRUE(file);
    Write(text);
    clock_.Advance(Millis(1000));
    (*file)->LookAgain();
    EXPECT_EQ(executor_.RunAll(), 1U);
    EXPECT_EQ((*file)->Token(), "first");
    const auto refused = TokenFile::Open(path_, clock_, executor_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "--api-bearer-token-file: " + path_ +
                                           " must hold a token of visible ASCII characters alone "
                                           "in its first line");
  }
}

TEST_F(TokenFileTest, APipeInTheFilesPlaceHoldsNobodyUp) {
  Write("first\n");
  const auto file = TokenFile::Open(path_, clock_, executor_);
  ASSERT_TRUE(file);
  std::remove(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  clock_.Advance(Millis(1000));
  (*file)->LookAgain();
  EXPECT_EQ(executor_.RunAll(), 1U);
  EXPECT_EQ((*file)->Token(), "first");
  const auto pipe = TokenFile::Open(path_, clock_, executor_);
  ASSERT_FALSE(pipe);
  EXPECT_EQ(pipe.error().message, "--api-bearer-token-file: " + path_ +
                                      " must be a regular file or a link to one, not a pipe");
}

}  // namespace
}  // namespace gpumon::handlers
