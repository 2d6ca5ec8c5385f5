#include "internal/http/outbox.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace gpumon::http {
namespace {

// One reader as fast as memory must not hold a thread that serves others.
constexpr std::size_t kShare = 4U << 20U;
// Kept between answers.
constexpr std::size_t kKeptText = 16U << 10U;

iovec Slice(std::string_view bytes) {
  // sendmsg's interface lacks the const; it does not write.
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::size_t Outbox::pending() const {
  return text_.size() + (body_ ? body_->size() : 0) - offset_;
}

Outbox::Result Outbox::Flush(int fd) {
  std::size_t share = kShare;
  while (pending() > 0) {
    if (share == 0) return Result::kBlocked;
    std::array<iovec, 2> slices{};
    std::size_t count = 0;
    if (offset_ < text_.size()) slices[count++] = Slice(std::string_view(text_).substr(offset_));
    if (body_ && !body_->empty()) {
      const std::size_t skip = offset_ > text_.size() ? offset_ - text_.size() : 0;
      slices[count++] = Slice(std::string_view(*body_).substr(skip, share));
    }
    msghdr message{};
    message.msg_iov = slices.data();
    message.msg_iovlen = count;
    const ssize_t taken = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? Result::kBlocked : Result::kLost;
    }
    const auto size = static_cast<std::size_t>(taken);
    offset_ += size;
    sent_ += size;
    share -= std::min(share, size);
    progress_at_ = std::chrono::steady_clock::now();
  }
  Clear();
  return Result::kEmpty;
}

void Outbox::Clear() {
  text_.clear();
  if (text_.capacity() > kKeptText) text_.shrink_to_fit();
  body_.reset();
  offset_ = 0;
}

}  // namespace gpumon::http
