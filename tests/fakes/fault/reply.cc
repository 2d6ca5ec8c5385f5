#include "tests/fakes/fault/reply.h"

#include <zlib.h>

#include <algorithm>

namespace gpumon::fault {
namespace {

// 15 bits of window, 16 = gzip around it.
constexpr int kGzipWindow = 15 + 16;

// The input is `text`, over and over until `total` bytes are through.
std::string Gzip(std::string_view text, std::size_t total) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  std::string out;
  std::string room(std::size_t{64} << 10U, '\0');
  std::string input(text);
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    if (stream.avail_in == 0 && total > 0) {
      const std::size_t count = std::min(total, input.size());
      stream.next_in = reinterpret_cast<Bytef*>(input.data());
      stream.avail_in = static_cast<uInt>(count);
      total -= count;
    }
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    state = deflate(&stream, total == 0 ? Z_FINISH : Z_NO_FLUSH);
    out.append(room.data(), room.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace

Reply Reply::With(std::string name, std::string value) && {
  headers.emplace_back(std::move(name), std::move(value));
  return std::move(*this);
}

Reply Reply::Held() && {
  held = true;
  return std::move(*this);
}

Reply Reply::ThenClosed() && {
  close_after = true;
  return std::move(*this);
}

Reply Reply::After(Millis time) && {
  delay = time;
  return std::move(*this);
}

Reply Reply::InPieces(std::size_t bytes, Millis pause) && {
  piece_bytes = bytes;
  piece_pause = pause;
  return std::move(*this);
}

Reply Reply::CutAfter(std::size_t bytes) && {
  limit_bytes = bytes;
  return std::move(*this);
}

Reply Reply::SlowlyClosed(Millis time) && {
  close_after = true;
  close_delay = time;
  return std::move(*this).With("Connection", "close");
}

Reply Json(std::string body) {
  Reply reply;
  reply.body = std::move(body);
  return reply;
}

Reply HttpStatus(int status, std::string body, std::string content_type) {
  Reply reply;
  reply.status = status;
  reply.content_type = std::move(content_type);
  reply.body = body.empty() ? std::to_string(status) : std::move(body);
  return reply;
}

Reply Broken(Reply::Fault fault, std::string body) {
  Reply reply;
  reply.fault = fault;
  reply.body = std::move(body);
  return reply;
}

Reply Raw(std::string bytes) {
  return Broken(Reply::Fault::kRaw, std::move(bytes));
}

Reply Huge(std::size_t bytes) {
  Reply reply;
  reply.generated_bytes = bytes;
  return reply;
}

Reply Endless() {
  Reply reply = Huge(std::size_t{1} << 40U);
  reply.fault = Reply::Fault::kNoLastChunk;
  return reply;
}

Reply Slow(std::string body, std::size_t step_bytes) {
  Reply reply = Json(std::move(body));
  reply.step_bytes = step_bytes;
  return reply;
}

Reply Redirect(int status, std::string location) {
  return HttpStatus(status, "moved").With("Location", std::move(location));
}

Reply Gzipped(std::string_view body) {
  return Json(Gzip(body, body.size())).With("Content-Encoding", "gzip");
}

Reply GzipBomb(std::size_t bytes) {
  return Json(Gzip(std::string(std::size_t{64} << 10U, '\0'), bytes))
      .With("Content-Encoding", "gzip");
}

std::string OneSample(std::string_view value) {
  return R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up",)"
         R"("job":"a"},"value":[1704110400.5,")" +
         std::string(value) + R"("]}]}})";
}

}  // namespace gpumon::fault
