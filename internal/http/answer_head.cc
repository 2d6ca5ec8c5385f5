#include "internal/http/answer_head.h"

#include <array>
#include <charconv>
#include <ctime>
#include <string_view>

#include "internal/base/text.h"

namespace gpumon::http {
namespace {

constexpr std::array<std::string_view, 6> kOurs = {
    "Date", "Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Trailer"};

bool IsOurs(std::string_view name) {
  for (const std::string_view ours : kOurs) {
    if (EqualsIgnoreCase(name, ours)) return true;
  }
  return false;
}

void AppendClean(std::string& out, std::string_view text) {
  constexpr std::string_view kEnds("\r\n\0", 3);
  if (text.find_first_of(kEnds) == std::string_view::npos) {
    out += text;
    return;
  }
  for (const char c : text) {
    if (kEnds.find(c) == std::string_view::npos) out += c;
  }
}

template <class Number>
void AppendNumber(std::string& out, Number number) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

void AppendDate(std::string& out) {
  thread_local std::time_t at = 0;
  thread_local std::array<char, 64> line{};
  thread_local std::size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != at) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    // The C locale's names: the process never sets another.
    size = std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    at = now;
  }
  out.append(line.data(), size);
}

}  // namespace

bool MayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

void AppendHead(std::string& out, const Response& response, BodyEnd end, bool keep_alive) {
  out += "HTTP/1.1 ";
  AppendNumber(out, response.status);
  out += ' ';
  out += ReasonPhrase(response.status);
  out += "\r\n";
  AppendDate(out);
  for (const Header& header : response.headers) {
    if (IsOurs(header.name)) continue;
    AppendClean(out, header.name);
    out += ": ";
    AppendClean(out, header.value);
    out += "\r\n";
  }
  if (end.kind == BodyEnd::Kind::kLength) {
    out += "Content-Length: ";
    AppendNumber(out, end.length);
    out += "\r\n";
  } else if (end.kind == BodyEnd::Kind::kChunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
}

}  // namespace gpumon::http
