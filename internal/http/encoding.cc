#include "internal/http/encoding.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>

#include "internal/base/text.h"

namespace gpumon::http {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the part of `rest` before the next `separator` off its front.
std::string_view TakePart(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

// "q=0.5" and the like (RFC 9110 12.4.2) in thousandths; nothing for junk.
std::optional<int> ParseWeight(std::string_view weight) {
  if (weight.empty()) return 1000;
  if (weight.size() < 3 || (weight[0] != 'q' && weight[0] != 'Q') || weight[1] != '=') {
    return std::nullopt;
  }
  weight.remove_prefix(2);
  if (weight.size() > 5 || (weight[0] != '0' && weight[0] != '1')) return std::nullopt;
  if (weight.size() > 1 && weight[1] != '.') return std::nullopt;
  int thousandths = weight[0] == '1' ? 1000 : 0;
  int unit = 100;
  for (std::size_t i = 2; i < weight.size(); ++i, unit /= 10) {
    if (weight[i] < '0' || weight[i] > '9') return std::nullopt;
    thousandths += unit * (weight[i] - '0');
  }
  if (thousandths > 1000) return std::nullopt;
  return thousandths;
}

}  // namespace

std::string Gzip(std::string_view data) {
  constexpr int kLevel = 1;
  constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip wrapper
  constexpr int kMemory = 8;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out;
  out.resize(deflateBound(&stream, data.size()));
  std::size_t written = 0;
  int state = Z_OK;
  // zlib counts in 32 bits: larger inputs go in pieces.
  constexpr std::size_t kPiece = std::numeric_limits<uInt>::max() / 4;
  while (state == Z_OK) {
    const std::size_t in = std::min(data.size(), kPiece);
    // zlib's interface lacks the const; it does not write to its input.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
    stream.avail_in = static_cast<uInt>(in);
    const std::size_t room = std::min(out.size() - written, kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + written;
    stream.avail_out = static_cast<uInt>(room);
    state = deflate(&stream, in == data.size() ? Z_FINISH : Z_NO_FLUSH);
    written += room - stream.avail_out;
    data.remove_prefix(in - stream.avail_in);
  }
  deflateEnd(&stream);
  out.resize(written);
  return out;
}

bool AcceptsGzip(std::string_view accept_encoding) {
  int star = 0;
  int identity = 0;
  std::optional<int> gzip;
  while (!accept_encoding.empty()) {
    std::string_view element = TakePart(accept_encoding, ',');
    const std::string_view coding = Trim(TakePart(element, ';'));
    const std::optional<int> weight = ParseWeight(Trim(element));
    if (!weight) continue;
    if (EqualsIgnoreCase(coding, "gzip") || EqualsIgnoreCase(coding, "x-gzip")) {
      gzip = std::max(gzip.value_or(0), *weight);
    } else if (EqualsIgnoreCase(coding, "identity")) {
      identity = *weight;
    } else if (coding == "*") {
      star = *weight;
    }
  }
  const int wanted = gzip.value_or(star);
  return wanted > 0 && wanted >= identity;
}

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    std::string_view part = TakePart(query, '&');
    if (part.empty()) continue;
    std::optional<std::string> name = PercentDecode(TakePart(part, '='), true);
    std::optional<std::string> value = PercentDecode(part, true);
    if (!name || !value) return std::nullopt;
    out.emplace_back(*std::move(name), *std::move(value));
  }
  return out;
}

}  // namespace gpumon::http
