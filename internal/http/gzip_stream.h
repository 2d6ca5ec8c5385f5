// RFC 1952 in pieces: files that do not fit in memory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gpumon::http {

// One gzip member. One thread at a time.
class GzipWriter {
 public:
  explicit GzipWriter(int level = 6);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  // What can be written so far of `data`; the last piece ends the member. Any size below 1 GiB.
  std::string Add(std::string_view data, bool last);

 private:
  struct Stream;
  const std::unique_ptr<Stream> stream_;
};

// Any number of members behind each other. One thread at a time.
class GzipReader {
 public:
  GzipReader();
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Gives what `data` holds to `sink`, in pieces of 64 KiB at most. False when it is no gzip, or
  // broken, from there on for good, and when `sink` gave false.
  bool Add(std::string_view data, const std::function<bool(std::string_view)>& sink);
  // What came so far ends where a member ends.
  bool complete() const;

 private:
  struct Stream;
  const std::unique_ptr<Stream> stream_;
};

}  // namespace gpumon::http
