#include "internal/fetch/credentials.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::fetch {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Nothing that could end a header line.
bool IsFieldText(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

bool IsToken(std::string_view name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8U) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? kDigits[(group >> (18 - 6 * k)) & 63U] : '=';
    }
  }
  return out;
}

Result<std::string> OneLine(const WatchedFile& file) {
  const std::string_view line = Trim(file.text());
  if (line.empty()) return file.ErrorOf("is empty");
  if (!IsFieldText(line)) return file.ErrorOf("must be one line without control characters");
  return std::string(line);
}

// Those that say how a request is framed are curl's own, and so is what the decoder relies on.
bool IsOurs(std::string_view name) {
  constexpr std::array<std::string_view, 10> kOurs = {
      "Content-Length", "Transfer-Encoding", "Connection",      "Expect", "Upgrade",
      "Keep-Alive",     "Content-Type",      "Accept-Encoding", "TE",     "Trailer"};
  return std::any_of(kOurs.begin(), kOurs.end(),
                     [&](std::string_view ours) { return EqualsIgnoreCase(name, ours); });
}

Result<void> AddHeaderLines(const WatchedFile& file, std::vector<std::string>& lines) {
  std::string_view rest = file.text();
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = Trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !IsToken(name) || !IsFieldText(line)) {
      return file.ErrorOf("line " + std::to_string(number) + " is not `Name: value`");
    }
    if (IsOurs(name)) {
      return file.ErrorOf("line " + std::to_string(number) + " sets " + std::string(name) +
                          ", which the server sets itself; allowed: other headers");
    }
    // curl sends a header without a value only when a semicolon stands for the colon.
    const std::string_view value = Trim(line.substr(colon + 1));
    lines.push_back(value.empty() ? std::string(name) + ";"
                                  : std::string(name) + ": " + std::string(value));
  }
  return {};
}

bool IsBase64(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    const bool digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '+' || c == '/' || c == '=';
    if (!digit && c != '\r' && c != '\n') return false;
    digits += digit ? 1 : 0;
  }
  return digits > 0 && digits % 4 == 0;
}

// At least one, and each whole. What they say is for the TLS library.
bool HoldsPemCertificates(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  bool any = false;
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos; any = true) {
    at += kBegin.size();
    const std::size_t end = text.find(kEnd, at);
    if (end == std::string_view::npos) return false;
    const std::string_view body = Trim(text.substr(at, end - at));
    // A certificate is a DER sequence: its first byte is 0x30.
    if (!IsBase64(body) || body.front() != 'M') return false;
    at = end;
  }
  return any;
}

}  // namespace

CredentialFiles::CredentialFiles(const ClientOptions& options, const Clock& clock)
    : clock_(clock),
      bearer_(Code::kUpstreamAuth, options.name_prefix + "bearer-token-file",
              options.bearer_token_file),
      basic_(Code::kUpstreamAuth, options.name_prefix + "basic-auth-file", options.basic_auth_file),
      ca_(Code::kUpstreamTls, options.name_prefix + "ca-file", options.ca_file),
      headers_(Code::kUpstreamAuth, options.name_prefix + "headers-file", options.headers_file) {}

Result<std::shared_ptr<const Credentials>> CredentialFiles::Get() {
  const SteadyTime now = clock_.Steady();
  for (WatchedFile* file : {&bearer_, &basic_, &ca_, &headers_}) {
    Result<bool> changed = file->Refresh(now);
    if (!changed) return Error(std::move(changed.error()));
    if (*changed) current_ = nullptr;
  }
  if (current_ == nullptr) {
    if (Result<void> parsed = Parse(); !parsed) return Error(std::move(parsed.error()));
  }
  return current_;
}

Result<void> CredentialFiles::Parse() {
  auto credentials = std::make_shared<Credentials>();
  if (headers_.enabled()) {
    if (Result<void> added = AddHeaderLines(headers_, credentials->header_lines); !added) {
      return added;
    }
    const bool logs_in =
        std::any_of(credentials->header_lines.begin(), credentials->header_lines.end(),
                    [](const std::string& line) {
                      return EqualsIgnoreCase(std::string_view(line).substr(0, line.find(':')),
                                              "Authorization");
                    });
    if (logs_in && (bearer_.enabled() || basic_.enabled())) {
      return headers_.ErrorOf(
          "sets Authorization, as another file does; allowed: one way to "
          "authenticate");
    }
  }
  if (bearer_.enabled()) {
    Result<std::string> token = OneLine(bearer_);
    if (!token) return Error(std::move(token.error()));
    credentials->header_lines.push_back("Authorization: Bearer " + *token);
  }
  if (basic_.enabled()) {
    Result<std::string> pair = OneLine(basic_);
    if (!pair) return Error(std::move(pair.error()));
    if (pair->find(':') == std::string::npos) return basic_.ErrorOf("is not `user:password`");
    credentials->header_lines.push_back("Authorization: Basic " + Base64(*pair));
  }
  if (ca_.enabled()) {
    if (!HoldsPemCertificates(ca_.text())) {
      return ca_.ErrorOf("is not PEM; allowed: whole -----BEGIN CERTIFICATE----- blocks");
    }
    credentials->ca_pem = ca_.text();
  }
  current_ = std::move(credentials);
  return {};
}

}  // namespace gpumon::fetch
