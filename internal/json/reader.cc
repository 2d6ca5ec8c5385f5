#include "internal/json/reader.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "internal/json/plain_text.h"

namespace gpumon::json {
namespace {

// RapidJSON's in-situ stream over one text, with a quick way through strings.
class TextStream {
 public:
  using Ch = char;

  explicit TextStream(std::string& text) : from_(text.data()), to_(text.data()), text_(&text) {}

  char Peek() const { return *from_; }
  char Take() { return *from_++; }
  std::size_t Tell() const { return static_cast<std::size_t>(from_ - text_->data()); }
  void Put(char c) { *to_++ = c; }
  // Called behind a string's opening quote, where what is read is also where it is written: the
  // plain characters are passed over in one go. RapidJSON itself looks at each.
  char* PutBegin() {
    char* const start = from_;
    from_ += PlainLength({from_, text_->size() - Tell()}, false);
    to_ = from_;
    return start;
  }
  std::size_t PutEnd(const char* start) { return static_cast<std::size_t>(to_ - start); }
  char* Push(std::size_t count) { return std::exchange(to_, to_ + count); }
  void Pop(std::size_t count) { to_ -= count; }
  void Flush() {}
  std::string_view Rest() const { return std::string_view(*text_).substr(Tell()); }
  void Skip(std::size_t bytes) { from_ += bytes; }
  // No one byte above a space is white.
  void SkipSpace() {
    while (static_cast<unsigned char>(*from_) <= ' ' &&
           (*from_ == ' ' || *from_ == '\n' || *from_ == '\r' || *from_ == '\t')) {
      ++from_;
    }
  }

 private:
  char* from_;
  char* to_;
  const std::string* text_;  // small: RapidJSON copies the stream at every string and number
};

// RapidJSON finds this one by its argument and takes it for its own, which copies the stream at
// every token.
void SkipWhitespace(TextStream& stream) {
  stream.SkipSpace();
}

}  // namespace
}  // namespace gpumon::json

// While it reads a string or a number RapidJSON works on a copy in registers; for numbers it relies
// on that.
template <>
struct rapidjson::StreamTraits<gpumon::json::TextStream> {
  enum { copyOptimization = 1 };
};

namespace gpumon::json {
namespace {

// kParseFullPrecisionFlag is never among them: it aborts the process on hostile numbers. Numbers
// are handed on as text instead, which also leaves their meaning to whoever knows it.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

// Gives RapidJSON's events to a Handler and stops at the depth cap.
class Events {
 public:
  Events(Handler& handler, TextStream& stream, std::size_t max_depth)
      : handler_(handler), stream_(stream), max_depth_(max_depth) {}

  bool Null() { return handler_.Null(); }
  bool Bool(bool value) { return handler_.Bool(value); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return handler_.Number({text, size});
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return handler_.String({text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) { return handler_.Key({text, size}); }
  bool StartObject() { return Deeper() && handler_.BeginObject(); }
  bool EndObject(rapidjson::SizeType) {
    --depth_;
    return handler_.EndObject();
  }
  bool StartArray() {
    if (!Deeper() || !handler_.BeginArray()) return false;
    // RapidJSON takes one character next: the bracket, or the last of those that were read.
    stream_.Skip(handler_.TakeElements(stream_.Rest().substr(1)));
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return handler_.EndArray();
  }
  // The reader's concept asks for these; as text is all that ever comes.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool too_deep() const { return depth_ > max_depth_; }

 private:
  bool Deeper() { return ++depth_ <= max_depth_; }

  Handler& handler_;
  TextStream& stream_;
  const std::size_t max_depth_;
  std::size_t depth_ = 0;
};

// Lines are counted in what is left of the text before `offset`: unescaping in place only ever
// shortens strings, which hold no line ends of their own.
tl::unexpected<Status> ErrorAt(std::string_view text, std::size_t offset, std::string what) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      offset - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return Error(Code::kInvalidParameter, std::move(what) + " at byte " + std::to_string(offset) +
                                            " (line " + std::to_string(lines + 1) + ", column " +
                                            std::to_string(column) + ")");
}

int Hex(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    const int lower = c | 0x20;
    if (c >= '0' && c <= '9') {
      value = value * 16 + (c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + (lower - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

// Where an escaped low surrogate stands without its high one, which RapidJSON lets through as
// three bytes that are not UTF-8; or npos. Nothing else that is wrong is seen here.
std::size_t LoneLowSurrogate(std::string_view text) {
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    if (text.substr(at, 2) != "\\u" || text.size() - at < 6) {
      at += 2;
      continue;
    }
    const int unit = Hex(text.substr(at + 2, 4));
    if (unit >= 0xDC00 && unit <= 0xDFFF) return at;
    // RapidJSON checks what follows a high one.
    at += unit >= 0xD800 && unit <= 0xDBFF ? 12 : 6;
  }
  return std::string_view::npos;
}

}  // namespace

std::size_t Handler::TakeElements(std::string_view) {
  return 0;
}

Result<void> ReadInSitu(std::string& text, Handler& handler, const ReadOptions& options) {
  if (text.size() >= std::numeric_limits<rapidjson::SizeType>::max()) {
    return Error(Code::kInvalidParameter, "not JSON: the text is larger than 4 GiB");
  }
  if (const std::size_t at = LoneLowSurrogate(text); at != std::string::npos) {
    return ErrorAt(text, at, "not JSON: half a surrogate pair");
  }
  TextStream stream(text);
  Events events(handler, stream, options.max_depth);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, events);
  if (result.IsError()) {
    if (events.too_deep()) {
      return ErrorAt(
          text, result.Offset(),
          "not JSON we read: deeper than " + std::to_string(options.max_depth) + " levels");
    }
    if (result.Code() == rapidjson::kParseErrorTermination) {
      return ErrorAt(text, result.Offset(), "refused");
    }
    std::string reason = rapidjson::GetParseError_En(result.Code());
    if (!reason.empty() && reason.back() == '.') reason.pop_back();
    return ErrorAt(text, result.Offset(), "not JSON: " + reason);
  }
  // A NUL ends RapidJSON's text: what stands behind one would go unseen.
  if (stream.Tell() != text.size()) return ErrorAt(text, stream.Tell(), "not JSON: a NUL byte");
  return {};
}

Result<void> Read(std::string_view text, Handler& handler, const ReadOptions& options) {
  std::string copy(text);
  return ReadInSitu(copy, handler, options);
}

}  // namespace gpumon::json
