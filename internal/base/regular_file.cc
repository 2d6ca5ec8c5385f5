#include "internal/base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace gpumon {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

tl::unexpected<Status> Unreadable(int reason) {
  return Error(Code::kInvalidParameter,
               "cannot be read: " + std::generic_category().message(reason));
}

}  // namespace

std::string_view KindOfFile(mode_t mode) {
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISLNK(mode)) return "a link";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

Result<std::string> ReadRegularFile(const std::string& path) {
  // Without O_NONBLOCK a pipe that nobody writes to is opened never.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat there {};
  if (file.fd() < 0 || fstat(file.fd(), &there) != 0) return Unreadable(errno);
  if (!S_ISREG(there.st_mode)) {
    return Error(Code::kInvalidParameter, "must be a regular file or a link to one, not " +
                                              std::string(KindOfFile(there.st_mode)));
  }
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() <= kMaxFileBytes) {
    const ssize_t count = read(file.fd(), block.data(), block.size());
    if (count == 0) return text;
    if (count > 0) {
      text.append(block.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return Unreadable(errno);
    }
  }
  return Error(Code::kInvalidParameter, "is larger than 4 MiB");
}

}  // namespace gpumon
