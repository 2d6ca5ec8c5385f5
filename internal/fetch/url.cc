#include "internal/fetch/url.h"

#include <curl/curl.h>

#include "internal/base/text.h"

namespace gpumon::fetch {

std::string RedactUrl(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t authority_end = url.find_first_of("/?#", start);
  std::size_t at = url.substr(0, authority_end).rfind('@');
  if (at == std::string_view::npos || at < start) at = url.rfind('@');
  if (at == std::string_view::npos || at < start) return std::string(url);
  return std::string(url.substr(0, start)) + "***" + std::string(url.substr(at));
}

bool IsHttpUrl(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos || url.size() == colon + 3) return false;
  const std::string_view scheme = url.substr(0, colon);
  return EqualsIgnoreCase(scheme, "http") || EqualsIgnoreCase(scheme, "https");
}

bool IsLoopbackUrl(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  if (url.starts_with("[::1]")) return true;
  const std::string_view host = url.substr(0, url.rfind(':'));
  const bool digits = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return EqualsIgnoreCase(host, "localhost") || (digits && host.starts_with("127."));
}

void AddParam(std::string& form, std::string_view name, std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (!form.empty()) form += '&';
  form += name;
  form += '=';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
        c == '-' || c == '.' || c == '~') {
      form += c;
    } else {
      form += '%';
      form += kHex[byte >> 4U];
      form += kHex[byte & 15U];
    }
  }
}

std::optional<double> ParseDate(const std::string& text) {
  const time_t seconds = curl_getdate(text.c_str(), nullptr);
  if (seconds == -1) return std::nullopt;
  return static_cast<double>(seconds);
}

}  // namespace gpumon::fetch
