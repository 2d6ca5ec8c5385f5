#include "internal/base/regular_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace gpumon {
namespace {

class RegularFileTest : public testing::Test {
 protected:
  RegularFileTest() { folder_ = mkdtemp(folder_.data()); }
  ~RegularFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + '/' + name; }
  std::string Write(const std::string& text) const {
    std::ofstream(Path("file"), std::ios::binary) << text;
    return Path("file");
  }
  static std::string ErrorOf(const std::string& path) {
    const auto read = ReadRegularFile(path);
    if (read) return "none";
    EXPECT_EQ(read.error().code, Code::kInvalidParameter);
    return read.error().message;
  }

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "gpumon-file-XXXXXX").string();
};

TEST_F(RegularFileTest, ReadsAllOfItAndFollowsLinks) {
  const std::string text = std::string("a\0b\r\n", 5) + std::string(10'000, 'x');
  const std::string path = Write(text);
  EXPECT_EQ(ReadRegularFile(path), text);
  // As Kubernetes mounts a secret.
  std::filesystem::create_directory(Path("v1"));
  std::filesystem::rename(path, Path("v1/token"));
  std::filesystem::create_directory_symlink("v1", Path("..data"));
  std::filesystem::create_symlink("..data/token", Path("token"));
  EXPECT_EQ(ReadRegularFile(Path("token")), text);
  EXPECT_EQ(ReadRegularFile(Write("")), "");
}

TEST_F(RegularFileTest, APipeIsRefusedWithoutAWait) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("pipe", Path("link"));
  for (const std::string name : {"pipe", "link"}) {
    EXPECT_EQ(ErrorOf(Path(name)), "must be a regular file or a link to one, not a pipe");
  }
}

TEST_F(RegularFileTest, SaysWhatElseIsWrong) {
  EXPECT_EQ(ErrorOf(Path("none")), "cannot be read: No such file or directory");
  EXPECT_EQ(ErrorOf(Path("")), "must be a regular file or a link to one, not a folder");
  EXPECT_EQ(ErrorOf("/dev/null"), "must be a regular file or a link to one, not a device");
  EXPECT_EQ(ErrorOf(Write(std::string(kMaxFileBytes + 1, 'x'))), "is larger than 4 MiB");
  EXPECT_TRUE(ReadRegularFile(Write(std::string(kMaxFileBytes, 'x'))));
}

}  // namespace
}  // namespace gpumon
