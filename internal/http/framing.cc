#include "internal/http/framing.h"

#include <string>
#include <utility>

#include "internal/base/text.h"
#include "internal/http/beast_parser.h"
#include "internal/http/line_scanner.h"
#include "internal/http/target.h"

namespace gpumon::http {
namespace {

// Room for a method and the version beside the target.
constexpr std::size_t kLineExtra = 64;
// A chunk's size with its extensions.
constexpr std::size_t kChunkLine = 256;
constexpr std::size_t kEmptyLines = 4;
constexpr std::size_t kUsualHeaders = 8;
// A chunk of one byte takes six; more overhead than this is an attack.
constexpr std::size_t kChunkOverhead = 8;
constexpr std::uint64_t kNoSize = std::uint64_t{1} << 53U;

Status Bad(std::string message) {
  return Status{Code::kBadRequest, std::move(message), {}, 0};
}

Status TooLarge() {
  return {Code::kPayloadTooLarge, "the request's body is larger than this route accepts", {}, 0};
}

}  // namespace

struct RequestParser::Impl final : MessageEvents {
  enum class Phase {
    kStart,
    kLine,
    kFields,
    kAfterHead,
    kBody,
    kChunkLine,
    kChunk,
    kTrailer,
    kDone,
    kRefused
  };

  explicit Impl(const Limits& l) : limits(l), body_limit(l.body_bytes) {}

  State Step(std::span<char> input, std::size_t& used);
  bool SkipEmptyLines(std::span<char> input, std::size_t& used);
  State ReadLine(std::span<char> input, std::size_t& used);
  State ReadFields(std::span<char> input, std::size_t& used);
  State CheckHead();
  State ReadBody(std::span<char> input, std::size_t& used);
  State ReadChunkLine(std::span<char> input, std::size_t& used);
  State ReadTrailer(std::span<char> input, std::size_t& used);

  void OnRequestLine(std::string_view method, std::string_view raw_target, int minor) override;
  void OnField(std::string_view name, std::string_view value) override;
  void OnBody(std::string_view bytes) override;
  bool OnChunk(std::uint64_t size) override;

  // Hands bytes to Beast; false when they were refused. Beast takes all that it is given, but for
  // a body's end.
  bool Put(std::span<const char> bytes, std::size_t& used);
  State Refuse(Status status) {
    if (phase != Phase::kRefused) refusal = std::move(status);
    phase = Phase::kRefused;
    return State::kRefused;
  }

  const Limits limits;
  std::size_t body_limit;
  Phase phase = Phase::kStart;
  std::optional<BeastParser> message;
  LineScanner scanner;
  Request request;
  std::string target;
  std::string authority;  // of an absolute target
  Status refusal;
  std::size_t empty_lines = 0;
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t trailers = 0;
  bool chunked_only = false;
  bool odd_expectation = false;
  bool expects_continue = false;
  std::uint64_t chunk_left = 0;
  std::size_t chunk_bytes = 0;  // of the body as it came, with its framing
};

RequestParser::State RequestParser::Impl::Step(std::span<char> input, std::size_t& used) {
  switch (phase) {
    case Phase::kStart:
      if (!SkipEmptyLines(input, used)) {
        return phase == Phase::kRefused ? State::kRefused : State::kMore;
      }
      request = Request();
      request.headers.reserve(kUsualHeaders);
      hosts = lengths = codings = trailers = chunk_bytes = 0;
      chunked_only = odd_expectation = expects_continue = false;
      body_limit = limits.body_bytes;
      message.emplace(*this, limits.head_bytes + kLineExtra);
      scanner.Begin(false);
      phase = Phase::kLine;
      return State::kMore;
    case Phase::kLine:
      return ReadLine(input, used);
    case Phase::kFields:
      return ReadFields(input, used);
    case Phase::kAfterHead:
      if (message->content_length().value_or(0) > body_limit) return Refuse(TooLarge());
      if (message->is_done()) {
        phase = Phase::kDone;
        return State::kDone;
      }
      phase = message->chunked() ? Phase::kChunkLine : Phase::kBody;
      scanner.Begin(false);
      return State::kMore;
    case Phase::kBody:
    case Phase::kChunk:
      return ReadBody(input, used);
    case Phase::kChunkLine:
      return ReadChunkLine(input, used);
    case Phase::kTrailer:
      return ReadTrailer(input, used);
    case Phase::kDone:
      return State::kDone;
    case Phase::kRefused:
      break;
  }
  return State::kRefused;
}

bool RequestParser::Impl::SkipEmptyLines(std::span<char> input, std::size_t& used) {
  while (!input.empty() && input[0] == '\r') {
    if (input.size() < 2) return false;
    const bool bare = input[1] != '\n';
    if (bare || ++empty_lines > kEmptyLines) {
      Refuse(Bad(bare ? LineScanner::Explain(LineScanner::Found::kBareLineEnd)
                      : "too many empty lines before a request line"));
      return false;
    }
    input = input.subspan(2);
    used += 2;
  }
  return !input.empty();
}

bool RequestParser::Impl::Put(std::span<const char> bytes, std::size_t& used) {
  std::optional<Status> wrong = message->Feed(bytes, used);
  if (wrong) Refuse(*std::move(wrong));
  return phase != Phase::kRefused;
}

void RequestParser::Impl::OnRequestLine(std::string_view method, std::string_view raw_target,
                                        int minor) {
  request.method = method;
  request.version_minor = minor;
  target = raw_target;
}

void RequestParser::Impl::OnBody(std::string_view bytes) {
  request.body += bytes;
  if (phase == Phase::kChunk) chunk_left -= bytes.size();
}

bool RequestParser::Impl::OnChunk(std::uint64_t size) {
  chunk_left = size;
  if (size >= kNoSize) {
    Refuse(Bad("a chunk's size is larger than any body"));
    return false;
  }
  if (size <= body_limit - request.body.size()) return true;
  Refuse(TooLarge());
  return false;
}

RequestParser::State RequestParser::Impl::ReadLine(std::span<char> input, std::size_t& used) {
  using Found = LineScanner::Found;
  const Found found = scanner.Next({input.data(), input.size()}, limits.target_bytes + kLineExtra);
  if (found == Found::kNothing) return State::kMore;
  const Status too_long{Code::kUriTooLong, "the request's target is too long", {}, 0};
  if (found == Found::kTooLong) return Refuse(too_long);
  if (found != Found::kLine) return Refuse(Bad(LineScanner::Explain(found)));
  if (!Put(input.first(scanner.position()), used)) return State::kRefused;
  if (target.size() > limits.target_bytes) return Refuse(too_long);
  if (request.method == "CONNECT") {
    return Refuse({Code::kNotImplemented, "CONNECT is not implemented; this is no proxy", {}, 0});
  }
  std::optional<Target> parts = ParseTarget(request.method, target);
  if (!parts) {
    return Refuse(Bad("the request's target is neither a path that begins with `/` nor a URL"));
  }
  request.path = std::move(parts->path);
  request.query = std::move(parts->query);
  authority = std::move(parts->authority);
  phase = Phase::kFields;
  scanner.Begin(true);
  return State::kMore;
}

RequestParser::State RequestParser::Impl::ReadFields(std::span<char> input, std::size_t& used) {
  using Found = LineScanner::Found;
  for (;;) {
    switch (const Found found = scanner.Next({input.data(), input.size()}, limits.head_bytes)) {
      case Found::kNothing:
        return State::kMore;
      case Found::kTooLong:
        return Refuse({Code::kHeadersTooLarge, "the request's headers are too large", {}, 0});
      case Found::kLine:
        BlankOddConnection(input.subspan(scanner.line_begin(), scanner.line_size()));
        break;
      case Found::kEmptyLine:
        if (!Put(input.first(scanner.position()), used)) return State::kRefused;
        return CheckHead();
      case Found::kBareLineEnd:
      case Found::kControl:
      case Found::kFold:
        return Refuse(Bad(LineScanner::Explain(found)));
    }
  }
}

void RequestParser::Impl::OnField(std::string_view name, std::string_view value) {
  if (phase != Phase::kFields) return;  // a trailer, or after a refusal
  if (EqualsIgnoreCase(name, "Host")) {
    ++hosts;
    if (!IsValidHost(value)) Refuse(Bad("the Host header is not `name[:port]`"));
  } else if (EqualsIgnoreCase(name, "Content-Length")) {
    // 18 digits: what is larger is no size, and would wrap.
    if (++lengths > 1 || value.empty() ||
        value.find_first_not_of("0123456789") != std::string_view::npos) {
      Refuse(Bad("Content-Length is not one decimal number"));
    } else if (value.size() > 18) {
      Refuse(Bad("Content-Length is larger than any body"));
    } else if (codings > 0) {
      Refuse(Bad("Transfer-Encoding is repeated or stands beside Content-Length"));
    }
  } else if (EqualsIgnoreCase(name, "Transfer-Encoding")) {
    ++codings;
    chunked_only = EqualsIgnoreCase(value, "chunked");
  } else if (EqualsIgnoreCase(name, "Expect") && request.version_minor >= 1) {
    expects_continue = EqualsIgnoreCase(value, "100-continue");
    odd_expectation = odd_expectation || !expects_continue;
  }
  if (request.headers.size() < limits.headers) {
    request.headers.push_back({std::string(name), std::string(value)});
  } else {
    Refuse({Code::kHeadersTooLarge, "the request has too many headers", {}, 0});
  }
}

RequestParser::State RequestParser::Impl::CheckHead() {
  if (phase == Phase::kRefused) return State::kRefused;
  if (hosts != 1 && (request.version_minor >= 1 || hosts > 1)) {
    return Refuse(Bad("a request has exactly one Host header"));
  }
  if (codings > 0) {
    if (lengths > 0) return Refuse(Bad("Transfer-Encoding stands beside Content-Length"));
    if (codings > 1 || !chunked_only || request.version_minor < 1) {
      return Refuse({Code::kNotImplemented,
                     "the only transfer coding this server knows is a single `chunked`",
                     {},
                     0});
    }
  }
  if (odd_expectation) {
    return Refuse({Code::kExpectationFailed, "the only known expectation is 100-continue", {}, 0});
  }
  SetHost(request.headers, authority);
  expects_continue = expects_continue && !message->is_done();
  phase = Phase::kAfterHead;
  return State::kHead;
}

RequestParser::State RequestParser::Impl::ReadBody(std::span<char> input, std::size_t& used) {
  if (input.empty()) return State::kMore;
  const std::size_t before = used;
  if (!Put(input, used)) return State::kRefused;
  if (phase == Phase::kBody) {
    if (message->is_done()) phase = Phase::kDone;
    return phase == Phase::kDone ? State::kDone : State::kMore;
  }
  chunk_bytes += used - before;
  if (chunk_left == 0) {
    phase = Phase::kChunkLine;
    scanner.Begin(false);
  }
  return State::kMore;
}

// Beast is given each chunk's size as a whole line: fed in smaller pieces its parser runs into its
// own assertions, and waits where it should refuse.
RequestParser::State RequestParser::Impl::ReadChunkLine(std::span<char> input, std::size_t& used) {
  using Found = LineScanner::Found;
  for (;;) {
    const Found found = scanner.Next({input.data(), input.size()}, kChunkLine);
    if (found == Found::kNothing) return State::kMore;
    if (found == Found::kTooLong) return Refuse(Bad("a chunk's size line is too long"));
    // Every chunk but the first is preceded by the empty line end of the one before.
    const bool after_chunk = scanner.line_begin() == 0 && chunk_bytes > 0;
    if (found == Found::kEmptyLine && after_chunk) continue;
    if (found != Found::kLine)
      return Refuse(found == Found::kEmptyLine ? Bad("the body's chunks are malformed")
                                               : Bad(LineScanner::Explain(found)));
    if (after_chunk) return Refuse(Bad("a chunk is longer than its size says"));
    break;
  }
  const std::string_view line(input.data() + scanner.line_begin(), scanner.line_size());
  const std::size_t digits = line.find_first_not_of('0');
  if (digits > 0 && (digits == std::string_view::npos || line[digits] == ';' ||
                     line[digits] == ' ' || line[digits] == '\t')) {
    // The last chunk goes to Beast together with the trailers and the empty line.
    phase = Phase::kTrailer;
    return State::kMore;
  }
  const std::size_t before = used;
  if (!Put(input.first(scanner.position()), used)) return State::kRefused;
  chunk_bytes += used - before;
  if (chunk_bytes > kLineExtra * kChunkLine + kChunkOverhead * body_limit) {
    return Refuse(Bad("the body's chunks are mostly framing"));
  }
  phase = Phase::kChunk;
  return State::kMore;
}

RequestParser::State RequestParser::Impl::ReadTrailer(std::span<char> input, std::size_t& used) {
  using Found = LineScanner::Found;
  for (;;) {
    const Found found = scanner.Next({input.data(), input.size()}, limits.head_bytes);
    if (found == Found::kLine && ++trailers <= limits.headers) continue;
    if (found == Found::kNothing) return State::kMore;
    if (found == Found::kTooLong || found == Found::kLine) {
      const char* const why = found == Found::kLine ? "the request has too many trailers"
                                                    : "the request's trailers are too large";
      return Refuse({Code::kHeadersTooLarge, why, {}, 0});
    }
    if (found != Found::kEmptyLine) return Refuse(Bad(LineScanner::Explain(found)));
    if (!Put(input.first(scanner.position()), used)) return State::kRefused;
    if (!message->is_done()) return Refuse(Bad("the body's chunks are malformed"));
    phase = Phase::kDone;
    return State::kDone;
  }
}

RequestParser::RequestParser(const Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::Parse(std::span<char> input, std::size_t& consumed) {
  consumed = 0;
  for (;;) {
    const auto before = impl_->phase;
    const std::span<char> rest = input.subspan(consumed);
    const State state = impl_->Step(rest, consumed);
    const bool in_head = before == Impl::Phase::kLine || before == Impl::Phase::kFields;
    if (state == State::kRefused && in_head) {
      AddFromHead({rest.data(), rest.size()}, "X-Request-Id", impl_->request.headers);
    }
    if (state != State::kMore || impl_->phase == before) return state;
  }
}

const Request& RequestParser::head() const {
  return impl_->request;
}
bool RequestParser::has_request_line() const {
  return !impl_->request.path.empty();
}
bool RequestParser::in_request() const {
  return impl_->phase != Impl::Phase::kStart;
}
bool RequestParser::keep_alive() const {
  return impl_->message->keep_alive();
}
bool RequestParser::expects_continue() const {
  return impl_->expects_continue;
}
std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = impl_->message->content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}
void RequestParser::AllowBody(std::size_t bytes) {
  impl_->body_limit = bytes;
}
const Status& RequestParser::refusal() const {
  return impl_->refusal;
}

Request RequestParser::Take() {
  impl_->phase = Impl::Phase::kStart;
  impl_->empty_lines = 0;
  Request out = std::move(impl_->request);
  impl_->request = Request();
  return out;
}

}  // namespace gpumon::http
