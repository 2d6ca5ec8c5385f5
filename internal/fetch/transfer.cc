#include "internal/fetch/transfer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/text.h"
#include "internal/fetch/curl_error.h"
#include "internal/fetch/url.h"

namespace gpumon::fetch {
namespace {

constexpr long kReadBuffer = 128L << 10U;
// A paused handle keeps all that it has decompressed of one read, a thousandfold at worst.
constexpr long kReadCompressed = 1L << 10U;
constexpr std::size_t kFirstBodyBytes = std::size_t{16} << 10U;
constexpr std::size_t kShownEncoding = 64;
constexpr std::size_t kLargeBody = std::size_t{1} << 20U;
// Names are looked up again soon: a Service's address moves.
constexpr long kTrustSeconds = 60;  // the system's certificates may be given anew
constexpr long kDnsCacheSeconds = 5;
constexpr long kMaxIdleSeconds = 60;

// A body that nobody gets was large. The allocator would keep its pages for the next of that size,
// and so one set of such for each that is under way.
void DropPages(std::string& body) {
  constexpr std::uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(body.data());
  const std::uintptr_t first = (begin + kPage - 1) / kPage * kPage;
  const std::uintptr_t end = (begin + body.size()) / kPage * kPage;
  if (body.size() < kLargeBody || first >= end) return;
  madvise(body.data() + (first - begin), end - first, MADV_DONTNEED);
}

void AppendLine(CurlList& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return;
  (void)list.release();
  list.reset(longer);
}

}  // namespace

Transfer::Transfer(CurlEasy easy, Request request, Done done, BodyRoom* room)
    : easy_(std::move(easy)), request_(std::move(request)), done_(std::move(done)), room_(room) {}

Transfer::~Transfer() {
  GiveRoom();
  DropPages(body_);
}

void Transfer::BecomeFirst() {
  first_ = true;
  GiveRoom();
}

void Transfer::Resume() {
  if (!std::exchange(waiting_, false)) return;
  curl_easy_pause(easy(), CURLPAUSE_CONT);
}

void Transfer::GiveRoom() {
  if (room_ != nullptr) room_->Give(std::exchange(taken_, 0));
}

bool Transfer::TakeRoom(std::size_t bytes) {
  if (first_ || bytes <= BodyRoom::kOwn + taken_) return true;
  const std::size_t more = bytes - BodyRoom::kOwn - taken_;
  if (!room_->Take(more)) return false;
  taken_ += more;
  return true;
}

template <class T>
void Transfer::Set(CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
  if (code != CURLE_OK && refused_ == CURLE_OK) refused_ = code;
}

Result<void> Transfer::Prepare(const ClientOptions& options,
                               std::shared_ptr<const Credentials> credentials, Millis budget) {
  credentials_ = std::move(credentials);
  SetLimits(options, budget);
  SetRequest();
  SetTrust();
  gzip_ = options.gzip == Gzip::kAlways ||
          (options.gzip == Gzip::kAcrossMachines && !IsLoopbackUrl(request_.url));
  // "identity" still decodes what a server compressed unasked.
  Set(CURLOPT_ACCEPT_ENCODING, gzip_ ? "gzip" : "identity");
  Set(CURLOPT_BUFFERSIZE, gzip_ ? kReadCompressed : kReadBuffer);
  if (refused_ == CURLE_OK) return {};
  return Error(Status{Code::kInternal, "the request could not be set up",
                      StatusOf(refused_, error_.data(), RedactUrl(request_.url)).detail});
}

void Transfer::SetLimits(const ClientOptions& options, Millis budget) {
  Set(CURLOPT_ERRORBUFFER, error_.data());
  Set(CURLOPT_NOSIGNAL, 1L);
  // A name still being looked up must not hold the I/O thread when its request ends.
  Set(CURLOPT_QUICK_EXIT, 1L);
  Set(CURLOPT_TIMEOUT_MS, static_cast<long>(budget.count()));
  Set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::min(budget, options.connect_timeout).count()));
  Set(CURLOPT_DNS_CACHE_TIMEOUT, kDnsCacheSeconds);
  Set(CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  Set(CURLOPT_TCP_NODELAY, 1L);
  if (!request_.keep_end) {
    Set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_response_bytes));
  }
  Set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  Set(CURLOPT_HEADERDATA, this);
  Set(CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  Set(CURLOPT_WRITEDATA, this);
}

void Transfer::SetRequest() {
  Set(CURLOPT_URL, request_.url.c_str());
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(CURLOPT_FOLLOWLOCATION, 0L);
  Set(CURLOPT_USERAGENT, "gpu-monitoring");
  // The environment's proxy variables are none of ours.
  Set(CURLOPT_PROXY, "");
  if (!request_.unix_socket.empty()) {
    Set(CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  }
  if (!request_.form.empty()) {
    Set(CURLOPT_POST, 1L);
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.form.size()));
    Set(CURLOPT_POSTFIELDS, request_.form.data());
    AppendLine(headers_, "Expect:");
  }
  if (!request_.method.empty()) {
    // POST and its size, then the name: curl sends the body with whatever method.
    Set(CURLOPT_POST, 1L);
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    Set(CURLOPT_POSTFIELDS, request_.body.data());
    Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    AppendLine(headers_, "Expect:");
  }
  for (const auto& [name, value] : request_.headers) {
    AppendLine(headers_, std::string(name).append(": ").append(value));
  }
  for (const std::string& line : credentials_->header_lines) {
    AppendLine(headers_, line);
  }
  Set(CURLOPT_HTTPHEADER, headers_.get());
}

void Transfer::SetTrust() {
  const bool any = request_.any_certificate_anywhere ||
                   (request_.any_certificate && IsLoopbackUrl(request_.url));
  Set(CURLOPT_SSL_VERIFYPEER, any ? 0L : 1L);
  Set(CURLOPT_SSL_VERIFYHOST, any ? 0L : 2L);
  Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The system's bundle alone, where there is one: with its folder beside it curl reads the bundle
  // for every connection, a third of a second of the I/O thread where a refresh opens a dozen.
  const char* bundle = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_CAINFO, &bundle);
  if (bundle != nullptr) Set(CURLOPT_CAPATH, nullptr);
  Set(CURLOPT_CA_CACHE_TIMEOUT, kTrustSeconds);
  if (credentials_->ca_pem.empty()) return;
  // A blob, not a path: curl would keep using what it once read from a path.
  curl_blob pem{const_cast<char*>(credentials_->ca_pem.data()), credentials_->ca_pem.size(),
                CURL_BLOB_NOCOPY};
  Set(CURLOPT_CAINFO_BLOB, &pem);
}

// For curl an answer that ends in its headers is a whole one without a body.
std::size_t Transfer::OnHeader(char* bytes, std::size_t size, std::size_t count, void* self) {
  const std::string_view line(bytes, size * count);
  bool& whole = static_cast<Transfer*>(self)->whole_head_;
  if (line.starts_with("HTTP/")) whole = false;  // perhaps behind a 100
  if (line == "\r\n" || line == "\n") whole = true;
  return line.size();
}

std::size_t Transfer::OnBody(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->Append(bytes, size * count);
}

std::size_t Transfer::Append(const char* bytes, std::size_t size) {
  if (request_.keep_end && body_.size() >= 2 * request_.max_response_bytes) KeepEnd();
  const std::size_t needed = body_.size() + size;
  if (needed > request_.max_response_bytes && !request_.keep_end) {
    too_large_ = true;
    return 0;
  }
  if (!TakeRoom(needed)) {
    // Of a large read of compressed bytes a paused handle would keep too much.
    if (!gzip_ && IsCompressed()) {
      too_large_ = true;
      return 0;
    }
    waiting_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (needed > body_.capacity()) Reserve(needed);
  body_.append(bytes, size);
  return size;
}

void Transfer::KeepEnd() {
  if (body_.size() <= request_.max_response_bytes) return;
  body_.erase(0, body_.size() - request_.max_response_bytes);
  cut_ = true;
}

void Transfer::Reserve(std::size_t bytes) {
  // In large steps: what is not touched costs nothing, what is left behind does. And never more
  // than the cap, whatever a server promises.
  std::size_t capacity = std::max({bytes, body_.capacity() * 4, kFirstBodyBytes});
  curl_off_t promised = -1;
  if (body_.empty() &&
      curl_easy_getinfo(easy(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &promised) == CURLE_OK &&
      promised > 0) {
    capacity = std::max(bytes, static_cast<std::size_t>(promised));
  }
  std::string larger;
  const std::size_t most = request_.max_response_bytes * (request_.keep_end ? 2 : 1);
  larger.reserve(std::max(bytes, std::min(capacity, most)));
  larger.append(body_);
  body_.swap(larger);
  DropPages(larger);
}

bool Transfer::IsCompressed() const {
  const std::string encoding = Header("Content-Encoding");
  return !encoding.empty() && !EqualsIgnoreCase(encoding, "identity");
}

// curl decodes more than we ask for, and takes what is cut short of that for an empty body.
bool Transfer::IsDecoded() const {
  const std::string encoding = Header("Content-Encoding");
  return !IsCompressed() || EqualsIgnoreCase(encoding, "gzip") ||
         EqualsIgnoreCase(encoding, "x-gzip");
}

std::string Transfer::Headers(const char* name) const {
  std::string all;
  curl_header* header = nullptr;
  for (std::size_t i = 0; curl_easy_header(easy(), name, i, CURLH_HEADER, -1, &header) == CURLHE_OK;
       ++i) {
    all.append(all.empty() ? "" : ", ").append(header->value);
  }
  return all;
}

std::string Transfer::Header(const char* name) const {
  curl_header* header = nullptr;
  if (curl_easy_header(easy(), name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return {};
  return header->value;
}

Result<Response> Transfer::Outcome(CURLcode code) {
  if (too_large_) code = CURLE_FILESIZE_EXCEEDED;
  if (code == CURLE_OK && !whole_head_) code = CURLE_PARTIAL_FILE;
  const bool came = code == CURLE_OK || code == CURLE_BAD_CONTENT_ENCODING;
  if (came && !IsDecoded()) {
    return Error(Code::kUpstreamInvalid, "it has a content encoding that was not asked for",
                 "url=" + RedactUrl(request_.url) +
                     " content-encoding=" + Header("Content-Encoding").substr(0, kShownEncoding));
  }
  if (code != CURLE_OK) return Error(StatusOf(code, error_.data(), RedactUrl(request_.url)));
  long status = 0;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  Response response;
  response.status = static_cast<int>(status);
  response.content_type = Header("Content-Type");
  response.date = Header("Date");
  response.warning = Headers("Warning");
  response.retry_after = Header("Retry-After");
  if (request_.keep_end) KeepEnd();
  response.cut = cut_;
  response.body = std::move(body_);
  return response;
}

void Transfer::Finish(Result<Response> result) {
  try {
    std::exchange(done_, nullptr)(std::move(result));
  } catch (const std::exception& e) {
    log::Error("a request's callback threw", {{"what", e.what()}});
  } catch (...) {
    log::Error("a request's callback threw", {{"what", "not a std::exception"}});
  }
}

CurlEasy Transfer::TakeEasy() {
  curl_easy_reset(easy());
  return std::move(easy_);
}

}  // namespace gpumon::fetch
