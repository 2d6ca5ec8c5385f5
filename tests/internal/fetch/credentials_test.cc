#include "internal/fetch/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "internal/base/regular_file.h"
#include "tests/fakes/clock/fake_clock.h"

namespace gpumon::fetch {
namespace {

class CredentialFilesTest : public ::testing::Test {
 protected:
  CredentialFilesTest() {
    char name[] = "/tmp/credentials-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~CredentialFilesTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }
  std::vector<std::string> Lines(CredentialFiles& files) {
    const auto now = files.Get();
    EXPECT_TRUE(now) << now.error().message;
    return now ? (*now)->header_lines : std::vector<std::string>{};
  }
  // Of one file given as `option`.
  std::string ErrorOf(std::string ClientOptions::*option, const std::string& text) {
    ClientOptions options;
    options.*option = Write("file", text);
    CredentialFiles files(options, clock_);
    const auto now = files.Get();
    return now ? "" : now.error().message;
  }

  FakeClock clock_;
  std::string folder_;
};

TEST_F(CredentialFilesTest, WithoutFilesThereIsNothing) {
  CredentialFiles files({}, clock_);
  EXPECT_TRUE(Lines(files).empty());
}

TEST_F(CredentialFilesTest, MakesHeaderLines) {
  ClientOptions options;
  options.bearer_token_file = Write("token", " abc.def \n");
  options.headers_file = Write("headers", "# tenant\r\nX-Scope-OrgID: team a\r\n\nX-Empty:\n");
  CredentialFiles files(options, clock_);
  EXPECT_EQ(Lines(files), (std::vector<std::string>{"X-Scope-OrgID: team a", "X-Empty;",
                                                    "Authorization: Bearer abc.def"}));
}

TEST_F(CredentialFilesTest, TakesWholePemCertificatesOnly) {
  const std::string begin = "-----BEGIN CERTIFICATE-----\n";
  const std::string end = "-----END CERTIFICATE-----\n";
  const auto refused = [&](const std::string& text) {
    return !ErrorOf(&ClientOptions::ca_file, text).empty();
  };
  EXPECT_FALSE(refused(begin + "MIIB\nAAA=\n" + end));
  EXPECT_FALSE(refused("# ours\r\n" + begin + "MIIB\n" + end + "\n" + begin + "MIIC\n" + end));
  EXPECT_TRUE(refused(begin + "MIIB\n"));
  EXPECT_TRUE(refused(begin + end));
  EXPECT_TRUE(refused(begin + "not base64!\n" + end));
  EXPECT_TRUE(refused(begin + "MIIBA\n" + end));
  EXPECT_TRUE(refused(begin + "AAAA\n" + end));
  EXPECT_TRUE(refused(begin + "MIIB\n" + end + begin + "cut"));
  EXPECT_TRUE(refused("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"));
}

TEST_F(CredentialFilesTest, NamesItsFilesAsTheProgramDoes) {
  ClientOptions options;
  options.name_prefix = "--prometheus-";
  options.ca_file = folder_ + "/none";
  const auto now = CredentialFiles(options, clock_).Get();
  ASSERT_FALSE(now);
  EXPECT_EQ(now.error().message, "--prometheus-ca-file: " + options.ca_file +
                                     " cannot be read: No such file or directory");
}

TEST_F(CredentialFilesTest, EncodesBasicAuth) {
  for (const auto& [pair, encoded] : std::vector<std::pair<std::string, std::string>>{
           {"Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
           {"a:bc", "YTpiYw=="},
           {"a:bcd", "YTpiY2Q="},
           {"a:bcde", "YTpiY2Rl"}}) {
    ClientOptions options;
    options.basic_auth_file = Write("basic", pair + "\n");
    CredentialFiles files(options, clock_);
    EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Basic " + encoded});
  }
}

TEST_F(CredentialFilesTest, NamesOptionAndFileButNeverWhatIsInIt) {
  const std::string path = folder_ + "/file";
  EXPECT_EQ(ErrorOf(&ClientOptions::bearer_token_file, " \n"),
            "bearer-token-file: " + path + " is empty");
  EXPECT_EQ(ErrorOf(&ClientOptions::bearer_token_file, "secret\nX-Evil: 1"),
            "bearer-token-file: " + path + " must be one line without control characters");
  EXPECT_EQ(ErrorOf(&ClientOptions::basic_auth_file, "secret"),
            "basic-auth-file: " + path + " is not `user:password`");
  EXPECT_EQ(ErrorOf(&ClientOptions::headers_file, "A: b\nsecret\n"),
            "headers-file: " + path + " line 2 is not `Name: value`");
  EXPECT_EQ(ErrorOf(&ClientOptions::headers_file, "A b: c"),
            "headers-file: " + path + " line 1 is not `Name: value`");
  EXPECT_EQ(ErrorOf(&ClientOptions::headers_file, std::string("A: b\0c", 6)),
            "headers-file: " + path + " line 1 is not `Name: value`");
  EXPECT_EQ(
      ErrorOf(&ClientOptions::headers_file, "X-Scope-OrgID: a\ncontent-length: 5"),
      "headers-file: " + path +
          " line 2 sets content-length, which the server sets itself; allowed: other headers");
  EXPECT_EQ(ErrorOf(&ClientOptions::ca_file, "secret"),
            "ca-file: " + path + " is not PEM; allowed: whole -----BEGIN CERTIFICATE----- blocks");
  EXPECT_EQ(ErrorOf(&ClientOptions::bearer_token_file, std::string(kMaxFileBytes + 1, 'a')),
            "bearer-token-file: " + path + " is larger than 4 MiB");
}

TEST_F(CredentialFilesTest, APipeInTheFilesPlaceIsRefusedWithoutAWait) {
  ClientOptions options;
  options.bearer_token_file = Write("token", "one");
  CredentialFiles files(options, clock_);
  EXPECT_EQ(Lines(files).size(), 1U);
  unlink(options.bearer_token_file.c_str());
  ASSERT_EQ(mkfifo(options.bearer_token_file.c_str(), 0600), 0);
  clock_.Advance(Millis(1000));
  const auto now = files.Get();
  ASSERT_FALSE(now);
  EXPECT_EQ(now.error().message, "bearer-token-file: " + options.bearer_token_file +
                                     " must be a regular file or a link to one, not a pipe");
}

TEST_F(CredentialFilesTest, OneFileLogsIn) {
  ClientOptions options;
  options.headers_file = Write("headers", "authorization: Basic eg==");
  EXPECT_EQ(Lines(*std::make_unique<CredentialFiles>(options, clock_)),
            std::vector<std::string>{"authorization: Basic eg=="});
  options.bearer_token_file = Write("token", "one");
  CredentialFiles both(options, clock_);
  ASSERT_FALSE(both.Get());
  EXPECT_NE(both.Get().error().message.find("allowed: one way to authenticate"), std::string::npos);
}

TEST_F(CredentialFilesTest, LooksAtAFileOnceASecond) {
  ClientOptions options;
  options.bearer_token_file = Write("token", "one");
  CredentialFiles files(options, clock_);
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer one"});
  Write("token", "second");
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer one"});
  clock_.Advance(Millis(999));
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer one"});
  clock_.Advance(Millis(1));
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer second"});
}

TEST_F(CredentialFilesTest, FollowsARenameAndASymlinkSwap) {
  ClientOptions options;
  options.bearer_token_file = folder_ + "/token";
  Write("v1", "one");
  Write("v2", "two");
  ASSERT_EQ(symlink("v1", (folder_ + "/token").c_str()), 0);
  CredentialFiles files(options, clock_);
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer one"});
  ASSERT_EQ(symlink("v2", (folder_ + "/token.new").c_str()), 0);
  ASSERT_EQ(rename((folder_ + "/token.new").c_str(), (folder_ + "/token").c_str()), 0);
  clock_.Advance(Millis(1000));
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer two"});
  Write("v3", "six");
  ASSERT_EQ(rename((folder_ + "/v3").c_str(), (folder_ + "/token").c_str()), 0);
  clock_.Advance(Millis(1000));
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer six"});
}

TEST_F(CredentialFilesTest, RecoversWhenAFileComesBack) {
  ClientOptions options;
  options.bearer_token_file = Write("token", "one");
  CredentialFiles files(options, clock_);
  EXPECT_EQ(Lines(files).size(), 1U);
  unlink((folder_ + "/token").c_str());
  clock_.Advance(Millis(1000));
  const auto gone = files.Get();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kUpstreamAuth);
  Write("token", "");
  EXPECT_FALSE(files.Get());
  EXPECT_FALSE(files.Get());
  Write("token", "two");
  clock_.Advance(Millis(1000));
  EXPECT_EQ(Lines(files), std::vector<std::string>{"Authorization: Bearer two"});
}

TEST_F(CredentialFilesTest, ThoseUnderWayKeepTheirs) {
  ClientOptions options;
  options.bearer_token_file = Write("token", "one");
  CredentialFiles files(options, clock_);
  const std::shared_ptr<const Credentials> before = files.Get().value();
  EXPECT_EQ(files.Get().value(), before);
  Write("token", "second");
  clock_.Advance(Millis(1000));
  EXPECT_NE(files.Get().value(), before);
  EXPECT_EQ(before->header_lines[0], "Authorization: Bearer one");
}

}  // namespace
}  // namespace gpumon::fetch
