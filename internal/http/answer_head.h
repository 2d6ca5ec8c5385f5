// The status line and headers of an answer.
#pragma once

#include <cstddef>
#include <string>

#include "internal/http/message.h"

namespace gpumon::http {

// How the end of the body is told.
struct BodyEnd {
  enum class Kind { kLength, kChunked, kClose, kNoBody };
  Kind kind = Kind::kLength;
  std::size_t length = 0;  // with kLength
};

// Appends the head of `response` to `out`, the empty line included. Date, Connection and the
// body's length are the server's: such headers of the response are left out. CR, LF and NUL in
// names and values are removed.
void AppendHead(std::string& out, const Response& response, BodyEnd end, bool keep_alive);

// 1xx, 204 and 304 have no body, whatever the response says.
bool MayHaveBody(int status);

}  // namespace gpumon::http
