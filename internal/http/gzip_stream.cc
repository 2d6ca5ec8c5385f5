#include "internal/http/gzip_stream.h"

#include <zlib.h>

#include <array>
#include <new>

namespace gpumon::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip wrapper
constexpr std::size_t kPiece = std::size_t{64} << 10U;

// zlib's interface lacks the const; it does not write to its input.
Bytef* Input(std::string_view data) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
}

}  // namespace

struct GzipWriter::Stream {
  z_stream z{};
};

GzipWriter::GzipWriter(int level) : stream_(std::make_unique<Stream>()) {
  constexpr int kMemory = 8;
  if (deflateInit2(&stream_->z, level, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
}

GzipWriter::~GzipWriter() {
  deflateEnd(&stream_->z);
}

std::string GzipWriter::Add(std::string_view data, bool last) {
  z_stream& z = stream_->z;
  std::string out;
  std::array<char, kPiece> piece{};
  z.next_in = Input(data);
  z.avail_in = static_cast<uInt>(data.size());
  int state = Z_OK;
  do {
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(piece.size());
    state = deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - z.avail_out);
  } while (state == Z_OK && (last || z.avail_in > 0 || z.avail_out == 0));
  return out;
}

struct GzipReader::Stream {
  z_stream z{};
  bool broken = false;
  bool between = true;  // a member has ended, or none has begun
};

GzipReader::GzipReader() : stream_(std::make_unique<Stream>()) {
  if (inflateInit2(&stream_->z, kGzipWindow) != Z_OK) throw std::bad_alloc();
}

GzipReader::~GzipReader() {
  inflateEnd(&stream_->z);
}

bool GzipReader::complete() const {
  return stream_->between && !stream_->broken;
}

bool GzipReader::Add(std::string_view data, const std::function<bool(std::string_view)>& sink) {
  z_stream& z = stream_->z;
  std::array<char, kPiece> piece{};
  z.next_in = Input(data);
  z.avail_in = static_cast<uInt>(data.size());
  bool full = false;  // there may be more of what came before
  while (!stream_->broken && (z.avail_in > 0 || full)) {
    if (stream_->between) inflateReset(&z);
    stream_->between = false;
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(piece.size());
    const int state = inflate(&z, Z_NO_FLUSH);
    stream_->broken = state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR;
    stream_->between = state == Z_STREAM_END;
    full = z.avail_out == 0 && !stream_->between;
    const std::size_t got = piece.size() - z.avail_out;
    if (got > 0 && !sink({piece.data(), got})) stream_->broken = true;
  }
  return !stream_->broken;
}

}  // namespace gpumon::http
