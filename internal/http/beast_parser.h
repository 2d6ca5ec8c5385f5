// Boost.Beast's request parser with plain events and errors. Included by framing.cc only.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "internal/base/status.h"

namespace gpumon::http {

// What is found in one request, in its order.
class MessageEvents {
 public:
  virtual void OnRequestLine(std::string_view method, std::string_view target, int minor) = 0;
  virtual void OnField(std::string_view name, std::string_view value) = 0;  // trailers too
  virtual void OnBody(std::string_view bytes) = 0;
  virtual bool OnChunk(std::uint64_t size) = 0;  // false: refuse the request

 protected:
  ~MessageEvents() = default;
};

// One request. One thread at a time.
class BeastParser final : public boost::beast::http::basic_parser<true> {
 public:
  // `events` outlives it.
  BeastParser(MessageEvents& events, std::size_t head_bytes);

  // Reads from the front of `bytes`, adds what it took to `used`. The start line, the header
  // block, each chunk's size line and the last chunk with its trailers must come whole; it takes
  // them whole. A Status says what is wrong with the request, which is then lost.
  std::optional<Status> Feed(std::span<const char> bytes, std::size_t& used);

 private:
  using BeastString = boost::beast::string_view;
  using Error = boost::beast::error_code;
  void on_request_impl(boost::beast::http::verb verb, BeastString method, BeastString target,
                       int version, Error& error) override;
  void on_response_impl(int code, BeastString reason, int version, Error& error) override;
  void on_field_impl(boost::beast::http::field field, BeastString name, BeastString value,
                     Error& error) override;
  void on_header_impl(Error& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Error& error) override;
  std::size_t on_body_impl(BeastString body, Error& error) override;
  void on_chunk_header_impl(std::uint64_t size, BeastString extensions, Error& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, BeastString body, Error& error) override;
  void on_finish_impl(Error& error) override;

  MessageEvents& events_;
};

// Blanks the value of a line `Connection: value` that is no list of tokens: Beast refuses such a
// request; the rest of the world ignores the header.
void BlankOddConnection(std::span<char> line);

}  // namespace gpumon::http
