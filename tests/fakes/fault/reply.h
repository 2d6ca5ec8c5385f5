// What a scripted server does with one request.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"

namespace gpumon::fault {

struct Reply {
  enum class Fault {
    kNone,
    kHang,          // reads the request and never answers; closes after `close_delay`, if any
    kClose,         // closes without a byte
    kReset,         // resets (RST) without a byte
    kResetMidBody,  // sends half of the body, then resets
    kTruncated,     // sends half of the body the Content-Length promises, then closes
    kNoLastChunk,   // sends the body as chunks and closes before the last one
    kRaw            // sends `body` as it is, no HTTP around it, then closes
  };

  int status = 200;
  std::string content_type = "application/json";  // empty: no such header
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Fault fault = Fault::kNone;
  // So many bytes of `x` instead of `body`, generated as they are sent; kNone and kNoLastChunk.
  std::size_t generated_bytes = 0;
  // Sends the head and then so many bytes of the body for each FaultServer::Step.
  std::size_t step_bytes = 0;
  // Waits for FaultServer::Release before the first byte.
  bool held = false;
  // So long before the first byte.
  Millis delay{0};
  // The whole answer, head included, in pieces of so many bytes (0: at once) with such pauses
  // between them, and no more of it than `limit_bytes`; then the connection ends. kNone alone.
  std::size_t piece_bytes = 0;
  Millis piece_pause{0};
  std::optional<std::size_t> limit_bytes;
  // So long after the last byte, where the connection is closed then.
  Millis close_delay{0};
  // Closes the connection afterwards without having said so.
  bool close_after = false;

  // Chained onto any reply.
  Reply With(std::string name, std::string value) &&;
  Reply Held() &&;
  Reply ThenClosed() &&;
  Reply After(Millis time) &&;
  Reply InPieces(std::size_t bytes, Millis pause = Millis(0)) &&;
  Reply CutAfter(std::size_t bytes) &&;
  // Says that it closes, and takes so long for it.
  Reply SlowlyClosed(Millis time) &&;
};

Reply Json(std::string body);
// An empty body becomes the status's number in text/plain.
Reply HttpStatus(int status, std::string body = {}, std::string content_type = "text/plain");
Reply Broken(Reply::Fault fault, std::string body = {});
Reply Raw(std::string bytes);
Reply Huge(std::size_t bytes);
// Chunked, of no declared length: for a client that stops reading in time.
Reply Endless();
Reply Slow(std::string body, std::size_t step_bytes);
Reply Redirect(int status, std::string location);
Reply Gzipped(std::string_view body);
// A small body that decompresses to so many zero bytes.
Reply GzipBomb(std::size_t bytes);

// An instant vector with one sample, as Prometheus sends it.
std::string OneSample(std::string_view value = "1");

}  // namespace gpumon::fault
