#include "internal/base/line_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

namespace gpumon {
namespace {

using testing::EndsWith;

constexpr Millis kLong{10'000};
constexpr std::size_t kMostBytes = std::size_t{64} << 10U;

std::string Note(std::uint64_t count) {
  return "missing " + std::to_string(count) + '\n';
}

std::string Line(int i) {
  return "line " + std::to_string(i) + std::string(200, '.') + '\n';
}

// A pipe, and who reads it: nobody until told to.
class Pipe {
 public:
  explicit Pipe(int flags = 0) { EXPECT_EQ(pipe2(ends_, O_CLOEXEC | flags), 0); }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  int writer() const { return ends_[1]; }
  void CloseReader() { Close(ends_[0]); }
  void CloseWriter() { Close(ends_[1]); }
  // What one read gives.
  std::string Read() {
    std::string text(std::size_t{64} << 10U, '\0');
    const ssize_t n = read(ends_[0], text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return text;
  }
  // Reads until `text` has come.
  std::string ReadUntil(const std::string& text) {
    std::string all;
    while (all.find(text) == std::string::npos) {
      const std::string more = Read();
      if (more.empty()) break;
      all += more;
    }
    return all;
  }

 private:
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int ends_[2] = {-1, -1};
};

// More than a pipe and the writer hold.
constexpr int kFlood = 2000;
void Flood(LineWriter& writer) {
  for (int i = 0; i < kFlood; ++i) writer.Write(Line(i));
}

// Takes whole lines from `text` and keeps the rest. Each of the flood's is the next one, or a note
// says how many are missing there.
class Account {
 public:
  void Take(std::string& text) {
    for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
      const std::string line = text.substr(0, end + 1);
      text.erase(0, end + 1);
      if (line.starts_with("missing ")) {
        const int count = std::stoi(line.substr(8));
        EXPECT_GT(count, 0);
        next_ += count;
        missing_ += static_cast<std::uint64_t>(count);
      } else {
        EXPECT_EQ(line, Line(next_));
        ++next_;
      }
    }
  }
  bool Complete() const { return next_ >= kFlood || testing::Test::HasFailure(); }
  std::uint64_t missing() const { return missing_; }

 private:
  int next_ = 0;
  std::uint64_t missing_ = 0;
};

TEST(LineWriterTest, WritesLinesAsTheyAre) {
  Pipe pipe;
  LineWriter writer(pipe.writer(), kMostBytes, Note);
  EXPECT_TRUE(writer.Flush(Millis(0))) << "nothing to wait for";
  writer.Write("one\n");
  writer.Write("two\n");
  EXPECT_TRUE(writer.Flush(kLong));
  EXPECT_EQ(pipe.ReadUntil("two\n"), "one\ntwo\n");
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(LineWriterTest, AReaderThatStallsCostsLinesAndNobodysTime) {
  Pipe pipe;
  LineWriter writer(pipe.writer(), kMostBytes, Note);
  Flood(writer);
  EXPECT_FALSE(writer.Flush(Millis(1)));
  const std::uint64_t dropped = writer.dropped();
  EXPECT_GT(dropped, 0U);
  EXPECT_LT(dropped, static_cast<std::uint64_t>(kFlood));

  Account account;
  std::string text;
  while (!account.Complete()) {
    text += pipe.Read();
    account.Take(text);
  }
  EXPECT_EQ(account.missing(), dropped);
  EXPECT_TRUE(writer.Flush(kLong));
  writer.Write("again\n");
  EXPECT_EQ(pipe.ReadUntil("again\n"), "again\n");
  EXPECT_EQ(writer.dropped(), dropped);
}

TEST(LineWriterTest, NoProcessCutsAnothersLinesInAPipe) {
  Pipe packets(O_DIRECT);  // a read gives what one write brought
  LineWriter writer(packets.writer(), kMostBytes, Note);
  Flood(writer);
  for (Account account; !account.Complete();) {
    std::string piece = packets.Read();
    ASSERT_LE(piece.size(), PIPE_BUF);
    ASSERT_THAT(piece, EndsWith("\n"));
    account.Take(piece);
  }
}

TEST(LineWriterTest, ALineMayBeLongerThanAPiece) {
  Pipe pipe;
  LineWriter writer(pipe.writer(), kMostBytes, Note);
  const std::string lines =
      "short\n" + std::string(3 * PIPE_BUF, 'x') + "\n" + std::string(2 * kMostBytes, 'y') + "\n";
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at) + 1;
    writer.Write(lines.substr(at, end - at));
    EXPECT_EQ(pipe.ReadUntil("\n"), lines.substr(at, end - at));
    at = end;
  }
}

TEST(LineWriterTest, AReaderThatIsGoneEndsNobody) {
  Pipe pipe;
  pipe.CloseReader();
  LineWriter writer(pipe.writer(), kMostBytes, Note);
  for (int i = 1; i <= 3; ++i) {
    writer.Write("to nobody\n");
    EXPECT_TRUE(writer.Flush(kLong));
    EXPECT_EQ(writer.dropped(), static_cast<std::uint64_t>(i));
  }
}

TEST(LineWriterTest, WaitsAtADescriptorThatDoesNot) {
  Pipe pipe(O_NONBLOCK);
  LineWriter writer(pipe.writer(), kMostBytes, Note);
  Flood(writer);
  EXPECT_FALSE(writer.Flush(Millis(1)));
  std::string text;
  for (Account account; !account.Complete();) {
    text += pipe.Read();  // its reading end does not wait either
    account.Take(text);
  }
}

// As a disk that fills up, and has room again later.
TEST(LineWriterTest, ALineThatIsCutEndsWhereItIs) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit full = before;
  full.rlim_cur = 100;
  const std::string first = std::string(59, 'a') + '\n';
  {
    LineWriter writer(fileno(file), kMostBytes, Note);
    writer.Write(first);
    ASSERT_TRUE(writer.Flush(kLong));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
    writer.Write(std::string(59, 'b') + '\n');
    EXPECT_TRUE(writer.Flush(kLong));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    writer.Write("next\n");
    EXPECT_EQ(writer.dropped(), 1U);
  }
  std::string text(1000, '\0');
  const ssize_t size = pread(fileno(file), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  EXPECT_EQ(text, first + std::string(40, 'b') + "\nnext\nmissing 1\n");
  std::fclose(file);
}

TEST(LineWriterTest, ItsThreadTakesNoSignal) {
  Pipe pipe;
  LineWriter writer(pipe.writer(), kMostBytes, Note);
  writer.Write("starts the thread\n");
  ASSERT_TRUE(writer.Flush(kLong));
  sigset_t usual;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &usual), 0);
  kill(getpid(), SIGUSR1);
  const timespec limit{10, 0};
  EXPECT_EQ(sigtimedwait(&blocked, nullptr, &limit), SIGUSR1);
  pthread_sigmask(SIG_SETMASK, &usual, nullptr);
}

TEST(LineWriterTest, TheEndWaitsForTheLastLine) {
  Pipe pipe;
  { LineWriter(pipe.writer(), kMostBytes, Note).Write("last\n"); }
  pipe.CloseWriter();
  EXPECT_EQ(pipe.Read(), "last\n");
  EXPECT_EQ(pipe.Read(), "");
}

}  // namespace
}  // namespace gpumon
