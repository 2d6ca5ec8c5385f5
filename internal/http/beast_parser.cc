#include "internal/http/beast_parser.h"

#include <algorithm>
#include <boost/beast/http/rfc7230.hpp>
#include <limits>
#include <string>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::http {
namespace {

namespace beast = boost::beast;

struct AssertionFailed {};

std::string_view View(beast::string_view text) {
  return {text.data(), text.size()};
}

Status Explain(const beast::error_code& error) {
  using E = beast::http::error;
  const auto bad = [](std::string text) {
    return Status{Code::kBadRequest, std::move(text), {}, 0};
  };
  if (error == E::bad_version) {
    return {Code::kHttpVersion, "this server speaks HTTP/1.1 and HTTP/1.0", {}, 0};
  }
  if (error == E::bad_method) return bad("the request's method is not a token");
  if (error == E::bad_target) return bad("the request line is not `METHOD target HTTP/1.1`");
  if (error == E::bad_field) return bad("a header line is not `Name: value`");
  if (error == E::bad_content_length) return bad("Content-Length is not one decimal number");
  if (error == E::bad_transfer_encoding) {
    return bad("Transfer-Encoding is repeated or stands beside Content-Length");
  }
  if (error == E::bad_chunk || error == E::bad_chunk_extension) {
    return bad("the body's chunks are malformed");
  }
  return bad("the request is malformed");
}

// Beast calls all that is not HTTP/1.1 or HTTP/1.0 a bad version, a blank behind it too.
bool NamesAVersion(std::string_view line) {
  constexpr std::string_view kProtocol = "HTTP/";
  line = line.substr(0, line.find('\r'));
  std::size_t at = line.find(' ');
  if (at != std::string_view::npos) at = line.find(' ', at + 1);
  if (at == std::string_view::npos) return false;
  line.remove_prefix(at + 1);
  return line.starts_with(kProtocol) &&
         line.find_first_not_of("0123456789.", kProtocol.size()) == std::string_view::npos;
}

}  // namespace

BeastParser::BeastParser(MessageEvents& events, std::size_t head_bytes) : events_(events) {
  header_limit(static_cast<std::uint32_t>(head_bytes));
  // Ours is checked in framing.cc. (Beast takes every length to be above a limit of boost::none.)
  body_limit(std::numeric_limits<std::uint64_t>::max());
}

std::optional<Status> BeastParser::Feed(std::span<const char> bytes, std::size_t& used) {
  beast::error_code error;
  try {
    const std::size_t taken = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    used += taken;
    if (error == beast::http::error::need_more && taken == bytes.size()) return std::nullopt;
  } catch (const AssertionFailed&) {
    return Explain(beast::http::error::bad_value);
  }
  if (error == beast::http::error::bad_version && !NamesAVersion({bytes.data(), bytes.size()})) {
    error = beast::http::error::bad_target;
  }
  return error ? std::optional<Status>(Explain(error)) : std::nullopt;
}

void BeastParser::on_request_impl(beast::http::verb /*verb*/, BeastString method,
                                  BeastString target, int version, Error& /*error*/) {
  events_.OnRequestLine(View(method), View(target), version - 10);
}
void BeastParser::on_response_impl(int /*code*/, BeastString /*reason*/, int /*version*/,
                                   Error& /*error*/) {}
void BeastParser::on_field_impl(beast::http::field /*field*/, BeastString name, BeastString value,
                                Error& /*error*/) {
  events_.OnField(View(name), View(value));
}
void BeastParser::on_header_impl(Error& /*error*/) {}
void BeastParser::on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                                    Error& /*error*/) {}
std::size_t BeastParser::on_body_impl(BeastString body, Error& /*error*/) {
  events_.OnBody(View(body));
  return body.size();
}
void BeastParser::on_chunk_header_impl(std::uint64_t size, BeastString /*extensions*/,
                                       Error& error) {
  if (!events_.OnChunk(size)) error = beast::http::error::body_limit;
}
std::size_t BeastParser::on_chunk_body_impl(std::uint64_t /*remain*/, BeastString body,
                                            Error& /*error*/) {
  events_.OnBody(View(body));
  return body.size();
}
void BeastParser::on_finish_impl(Error& /*error*/) {}

void BlankOddConnection(std::span<char> line) {
  constexpr std::string_view kName = "connection:";
  const std::string_view text(line.data(), line.size());
  if (!EqualsIgnoreCase(text.substr(0, kName.size()), kName)) return;
  const beast::string_view value(text.data() + kName.size(), text.size() - kName.size());
  if (beast::http::validate_list(beast::http::opt_token_list(value))) return;
  std::fill(line.begin() + kName.size(), line.end(), ' ');
}

}  // namespace gpumon::http

// Beast asserts on some hostile inputs. BOOST_ENABLE_ASSERT_HANDLER, set for this folder, sends
// those assertions here in every build type; Feed() answers them as malformed requests.
namespace boost {

void assertion_failed(const char* /*expression*/, const char* /*function*/, const char* /*file*/,
                      long /*line*/) {
  throw gpumon::http::AssertionFailed{};
}
void assertion_failed_msg(const char* /*expression*/, const char* /*message*/,
                          const char* /*function*/, const char* /*file*/, long /*line*/) {
  throw gpumon::http::AssertionFailed{};
}

}  // namespace boost
