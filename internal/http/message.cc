#include "internal/http/message.h"

#include <algorithm>
#include <array>

#include "internal/base/text.h"

namespace gpumon::http {
namespace {

struct ReasonRow {
  int status;
  std::string_view phrase;
};
constexpr std::array kReasons = {
    ReasonRow{100, "Continue"},
    ReasonRow{200, "OK"},
    ReasonRow{201, "Created"},
    ReasonRow{202, "Accepted"},
    ReasonRow{204, "No Content"},
    ReasonRow{206, "Partial Content"},
    ReasonRow{301, "Moved Permanently"},
    ReasonRow{302, "Found"},
    ReasonRow{303, "See Other"},
    ReasonRow{304, "Not Modified"},
    ReasonRow{307, "Temporary Redirect"},
    ReasonRow{308, "Permanent Redirect"},
    ReasonRow{400, "Bad Request"},
    ReasonRow{401, "Unauthorized"},
    ReasonRow{403, "Forbidden"},
    ReasonRow{404, "Not Found"},
    ReasonRow{405, "Method Not Allowed"},
    ReasonRow{406, "Not Acceptable"},
    ReasonRow{408, "Request Timeout"},
    ReasonRow{409, "Conflict"},
    ReasonRow{410, "Gone"},
    ReasonRow{411, "Length Required"},
    ReasonRow{412, "Precondition Failed"},
    ReasonRow{413, "Content Too Large"},
    ReasonRow{414, "URI Too Long"},
    ReasonRow{415, "Unsupported Media Type"},
    ReasonRow{416, "Range Not Satisfiable"},
    ReasonRow{417, "Expectation Failed"},
    ReasonRow{421, "Misdirected Request"},
    ReasonRow{422, "Unprocessable Content"},
    ReasonRow{426, "Upgrade Required"},
    ReasonRow{429, "Too Many Requests"},
    ReasonRow{431, "Request Header Fields Too Large"},
    ReasonRow{500, "Internal Server Error"},
    ReasonRow{501, "Not Implemented"},
    ReasonRow{502, "Bad Gateway"},
    ReasonRow{503, "Service Unavailable"},
    ReasonRow{504, "Gateway Timeout"},
    ReasonRow{505, "HTTP Version Not Supported"},
};

}  // namespace

const std::string* Find(const Headers& headers, std::string_view name) {
  const auto it = std::find_if(headers.begin(), headers.end(), [&](const Header& header) {
    return EqualsIgnoreCase(header.name, name);
  });
  return it == headers.end() ? nullptr : &it->value;
}

void AddFromHead(std::string_view head, std::string_view name, Headers& headers) {
  if (Find(headers, name) != nullptr) return;
  constexpr std::string_view kBlanks = " \t";
  for (;;) {
    const std::size_t end = head.find("\r\n");
    if (end == std::string_view::npos || end == 0) return;
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !EqualsIgnoreCase(line.substr(0, colon), name)) continue;
    const std::size_t first = line.find_first_not_of(kBlanks, colon + 1);
    if (first == std::string_view::npos) return;
    const std::size_t last = line.find_last_not_of(kBlanks);
    headers.push_back({std::string(name), std::string(line.substr(first, last + 1 - first))});
    return;
  }
}

std::string_view ReasonPhrase(int status) {
  const auto it = std::lower_bound(kReasons.begin(), kReasons.end(), status,
                                   [](const ReasonRow& row, int s) { return row.status < s; });
  return it != kReasons.end() && it->status == status ? it->phrase : "Unknown";
}

}  // namespace gpumon::http
