#include "internal/http/outbox.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace gpumon::http {
namespace {

// One reader as fast as memory must not hold a thread that serves others.
constexpr std::size_t kShare = 4U << 20U;
// Kept between answers.
constexpr std::size_t kKeptText = 16U << 10U;
// A small body is copied behind the text: fewer pieces.
constexpr std::size_t kCopied = 1024;

iovec Slice(std::string_view bytes) {
  // sendmsg's interface lacks the const; it does not write.
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

// The slices of one sendmsg.
class Slices {
 public:
  explicit Slices(std::size_t share) : share_(share) {}

  // What follows `skip` bytes of `bytes`; takes those off `skip`.
  void Add(std::string_view bytes, std::size_t& skip) {
    const std::size_t skipped = std::min(skip, bytes.size());
    skip -= skipped;
    bytes.remove_prefix(skipped);
    bytes = bytes.substr(0, share_);
    if (bytes.empty() || full()) return;
    share_ -= bytes.size();
    slices_[count_++] = Slice(bytes);
  }
  bool full() const { return count_ == slices_.size() || share_ == 0; }

  ssize_t Send(int fd) {
    msghdr message{};
    message.msg_iov = slices_.data();
    message.msg_iovlen = count_;
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

 private:
  std::array<iovec, 8> slices_{};
  std::size_t count_ = 0;
  std::size_t share_;
};

}  // namespace

std::string& Outbox::text() {
  if (pieces_.empty() || pieces_.back().body) pieces_.emplace_back();
  return pieces_.back().text;
}

void Outbox::AddBody(const Body& body) {
  if (!body || body->empty()) return;
  std::string& before = text();
  if (body->size() <= kCopied) {
    before += *body;
  } else {
    pieces_.back().body = body;
  }
}

std::size_t Outbox::pending() const {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.size();
  return bytes - offset_;
}

Outbox::Result Outbox::Flush(int fd) {
  std::size_t share = kShare;
  while (!empty()) {
    if (share == 0) return Result::kBlocked;
    Slices slices(share);
    std::size_t skip = offset_;
    for (std::size_t i = 0; i < pieces_.size() && !slices.full(); ++i) {
      slices.Add(pieces_[i].text, skip);
      if (pieces_[i].body) slices.Add(*pieces_[i].body, skip);
    }
    const ssize_t taken = slices.Send(fd);
    if (taken < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? Result::kBlocked : Result::kLost;
    }
    const auto size = static_cast<std::size_t>(taken);
    Took(size);
    sent_ += size;
    share -= std::min(share, size);
    progress_at_ = std::chrono::steady_clock::now();
  }
  Clear();
  return Result::kEmpty;
}

// The last piece stays, for its text's memory.
void Outbox::Took(std::size_t bytes) {
  offset_ += bytes;
  std::size_t whole = 0;
  while (whole + 1 < pieces_.size() && offset_ >= pieces_[whole].size()) {
    offset_ -= pieces_[whole++].size();
  }
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(whole));
}

void Outbox::Clear() {
  offset_ = 0;
  if (pieces_.empty()) return;
  pieces_.resize(1);
  pieces_.front().body.reset();
  std::string& text = pieces_.front().text;
  text.clear();
  if (text.capacity() > kKeptText) text.shrink_to_fit();
}

}  // namespace gpumon::http
