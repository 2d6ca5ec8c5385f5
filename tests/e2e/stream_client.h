// Clients of GET /api/v1/gpu/stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/clock.h"
#include "tests/e2e/http_client.h"
#include "tests/fakes/events/event_reader.h"

namespace gpumon::e2e {

inline constexpr char kStream[] = "/api/v1/gpu/stream";

// One client that follows the rows. One thread at a time.
class StreamClient {
 public:
  // `receive_buffer`: bytes that its kernel takes unread; 0: the default.
  explicit StreamClient(std::uint16_t port, const std::string& target = kStream,
                        const Headers& headers = {}, int receive_buffer = 0);
  ~StreamClient();
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;

  // Reads until `condition` holds after some event. False when the stream ended first, or after
  // Scaled(`limit`).
  bool Await(const std::function<bool()>& condition, Millis limit = Millis(20'000));
  // Reads until the server closes. False after Scaled(`limit`).
  bool AwaitEnd(Millis limit = Millis(20'000));

  int status() const { return head_.status; }  // 0: not there yet
  const Answer& head() const { return head_; }
  // Its last chunk has come: the stream was ended, not cut.
  bool whole() const { return whole_; }
  const std::string& last_id() const { return reader_.last_id(); }
  // A client that goes on where another one was left.
  void GoOn(const StreamClient& other) { follower_ = other.follower_; }
  const events::Follower& follower() const { return follower_; }
  const std::vector<std::string>& names() const { return names_; }  // of its events
  bool well_formed() const { return well_formed_; }
  // Its rows without their keys and the members `left_out`, sorted.
  std::vector<std::string> Rows(std::vector<std::string> left_out) const;

 private:
  bool ReadSome(SteadyTime until);
  void TakeHead();
  void TakeChunks();

  int fd_ = -1;
  bool ended_ = false;
  bool whole_ = false;
  bool well_formed_ = true;
  std::string in_;
  Answer head_;
  events::EventReader reader_;
  events::Follower follower_;
  std::vector<std::string> names_;
};

// Many clients that only take what comes, or not even that.
class StreamCrowd {
 public:
  StreamCrowd(std::uint16_t port, std::size_t clients);
  ~StreamCrowd();
  StreamCrowd(const StreamCrowd&) = delete;
  StreamCrowd& operator=(const StreamCrowd&) = delete;

  std::size_t size() const { return fds_.size(); }
  // Reads from all of them for Scaled(`time`); the bytes.
  std::size_t Read(Millis time);

 private:
  std::vector<int> fds_;
};

}  // namespace gpumon::e2e
