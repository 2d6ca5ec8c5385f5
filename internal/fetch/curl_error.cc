#include "internal/fetch/curl_error.h"

#include <array>
#include <string>

namespace gpumon::fetch {
namespace {

struct Row {
  CURLcode curl;
  Code code;
  std::string_view message;
};

constexpr std::string_view kTls = "a TLS connection could not be made";
constexpr std::string_view kCut = "the connection was cut before the whole answer came";
constexpr std::string_view kNotHttp = "what came back is not HTTP";

constexpr std::array kRows = {
    Row{CURLE_COULDNT_RESOLVE_HOST, Code::kUpstreamUnreachable, "its name was not found"},
    Row{CURLE_COULDNT_CONNECT, Code::kUpstreamUnreachable, "the connection was refused"},
    Row{CURLE_SEND_ERROR, Code::kUpstreamUnreachable, kCut},
    Row{CURLE_RECV_ERROR, Code::kUpstreamUnreachable, kCut},
    Row{CURLE_GOT_NOTHING, Code::kUpstreamUnreachable, kCut},
    Row{CURLE_PARTIAL_FILE, Code::kUpstreamUnreachable, kCut},
    Row{CURLE_OPERATION_TIMEDOUT, Code::kUpstreamTimeout, "it did not answer in time"},
    Row{CURLE_FILESIZE_EXCEEDED, Code::kUpstreamTooLarge, "the answer is larger than allowed"},
    Row{CURLE_SSL_CONNECT_ERROR, Code::kUpstreamTls, kTls},
    Row{CURLE_PEER_FAILED_VERIFICATION, Code::kUpstreamTls, "its certificate is not trusted"},
    Row{CURLE_SSL_ENGINE_NOTFOUND, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_ENGINE_SETFAILED, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_CERTPROBLEM, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_CIPHER, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_CACERT_BADFILE, Code::kUpstreamTls, "the CA file cannot be used"},
    Row{CURLE_SSL_SHUTDOWN_FAILED, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_CRL_BADFILE, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_ISSUER_ERROR, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_PINNEDPUBKEYNOTMATCH, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_INVALIDCERTSTATUS, Code::kUpstreamTls, kTls},
    Row{CURLE_SSL_CLIENTCERT, Code::kUpstreamTls, "it asks for a client certificate"},
    Row{CURLE_WEIRD_SERVER_REPLY, Code::kUpstreamInvalid, kNotHttp},
    Row{CURLE_UNSUPPORTED_PROTOCOL, Code::kUpstreamInvalid, kNotHttp},
    Row{CURLE_BAD_CONTENT_ENCODING, Code::kUpstreamInvalid, "the answer cannot be decompressed"},
    Row{CURLE_WRITE_ERROR, Code::kUpstreamInvalid, "the answer cannot be decompressed"},
    Row{CURLE_URL_MALFORMAT, Code::kInternal, "its URL is malformed"},
    // What curl says of a header beyond its own limit.
    Row{CURLE_OUT_OF_MEMORY, Code::kUpstreamInvalid, "the answer's headers are too large"},
};

}  // namespace

Status StatusOf(CURLcode code, std::string_view text, std::string_view where) {
  std::string detail = "url=" + std::string(where) + " curl=" + std::to_string(code) + " (" +
                       curl_easy_strerror(code) + ")";
  if (!text.empty()) detail += ": " + std::string(text);
  // TLS 1.3 tells that it wants a client certificate only when the answer is read.
  if ((code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) &&
      text.find("SSL routines") != std::string_view::npos) {
    return {Code::kUpstreamTls, std::string(kTls), std::move(detail)};
  }
  for (const Row& row : kRows) {
    if (row.curl == code) return {row.code, std::string(row.message), std::move(detail)};
  }
  return {Code::kUpstreamUnreachable, "the request failed", std::move(detail)};
}

}  // namespace gpumon::fetch
